import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A function of so much code, which nothing can shorten; it adds its argument to `length`. */
export async function largeFunction(bytes: number) {
  const folder = mkdtempSync(join(tmpdir(), 'large-function-'))
  const file = join(folder, 'large.mjs')
  writeFileSync(file, `export const fn = x => ${JSON.stringify('x'.repeat(bytes))}.length + x\n`)
  const { fn } = (await import(pathToFileURL(file).href)) as { fn: (x: number) => number }
  return { fn, length: bytes, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
