// 2,000 captured variables in one module; the module is written at run time, as a code generator would.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const names = Array.from({ length: 2000 }, (_, i) => `v${i}`)
const file = path.join(mkdtempSync(path.join(tmpdir(), 'lithops-many-')), 'many.mjs')
writeFileSync(file, `${names.map((n, i) => `let ${n} = ${i}`).join('\n')}\nexport const sum = () => [${names}].reduce((a, b) => a + b, 0)\n`)
const { sum } = await import(pathToFileURL(file).href)

export const fn = sum
export const expected = 1999 * 1000
