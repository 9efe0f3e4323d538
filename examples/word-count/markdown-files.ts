import { realpathSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Every Markdown file below a folder, once, with the package it belongs to. Symbolic links are followed once. */
export async function* markdownFiles(
  root: string,
): AsyncGenerator<{ readonly path: string; readonly group: string }> {
  const seen = new Set<string>()
  const folders = [root]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const real = realpathSync(folder)
    if (seen.has(real)) continue
    seen.add(real)
    const entries = await readdir(real, { withFileTypes: true })
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      const path = join(real, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isFile() && /\.(md|markdown)$/i.test(entry.name)) yield { path, group: packageOf(path) }
    }
  }
}

/** The innermost package folder of a path: '…/node_modules/@scope/name/docs/x.md' gives '@scope/name'. */
function packageOf(path: string): string {
  const inside = path.split(/[\\/]node_modules[\\/]/).at(-1) as string
  const [first = '', second = ''] = inside.split(/[\\/]/)
  return first.startsWith('@') ? `${first}/${second}` : first
}
