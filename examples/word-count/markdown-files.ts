import { readdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { File } from './count-words.ts'

/** Files of about this many bytes together make a batch, so that a call is worth its trip. */
const BATCH_BYTES = 256 * 1024

/** Every Markdown file below a folder, once, in batches. Symbolic links are followed once. */
export function* markdownBatches(root: string): Generator<File[]> {
  let batch: File[] = []
  let bytes = 0
  for (const file of markdownFiles(root)) {
    batch.push(file)
    bytes += statSync(file.path).size
    if (bytes < BATCH_BYTES) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

function* markdownFiles(root: string): Generator<File> {
  const seen = new Set<string>()
  const folders = [root]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const real = realpathSync(folder)
    if (seen.has(real)) continue
    seen.add(real)
    const entries = readdirSync(real, { withFileTypes: true })
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      const path = join(real, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isFile() && /\.(md|markdown)$/i.test(entry.name)) {
        yield { path, packageName: packageOf(path) }
      }
    }
  }
}

/** The innermost package folder of a path: '…/node_modules/@scope/name/docs/x.md' gives '@scope/name'. */
function packageOf(path: string): string {
  const inside = path.split(/[\\/]node_modules[\\/]/).at(-1) as string
  const [first = '', second = ''] = inside.split(/[\\/]/)
  return first.startsWith('@') ? `${first}/${second}` : first
}
