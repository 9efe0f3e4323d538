/**
 * Counts the words of every Markdown file that the install brought into node_modules, in parallel on this machine:
 * one reducer per package, then the totals, checked against a count in a single process.
 */
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FunctionExecutor } from '@lithops/core'
import Table from 'cli-table3'
import { addCounts, countWords, type WordCount } from './count-words.ts'
import { markdownFiles } from './markdown-files.ts'

/** Files are handed out in pieces of about this size, so that a call is worth its trip. */
const PIECE_BYTES = 256 * 1024
const TOP_WORDS = 20
const TOP_PACKAGES = 10

interface Piece {
  readonly group: string
  readonly paths: string[]
}

/** Files of one package, cut into pieces. */
async function piecesOf(root: string): Promise<Piece[]> {
  const open = new Map<string, Piece & { bytes: number }>()
  const pieces: Piece[] = []
  for await (const { path, group } of markdownFiles(root)) {
    let piece = open.get(group)
    if (piece === undefined || piece.bytes >= PIECE_BYTES) {
      piece = { group, paths: [], bytes: 0 }
      open.set(group, piece)
      pieces.push(piece)
    }
    piece.paths.push(path)
    piece.bytes += statSync(path).size
  }
  return pieces.map(({ group, paths }) => ({ group, paths }))
}

function table(head: string[], rows: (string | number)[][]): string {
  const numbers = head.map((_, i) => (i === 0 ? 'left' : 'right')) as ('left' | 'right')[]
  const made = new Table({ head, colAligns: numbers, style: { head: [], border: [] } })
  made.push(
    ...rows.map(row => row.map(cell => (typeof cell === 'number' ? cell.toLocaleString('en') : cell))),
  )
  return made.toString()
}

const pieces = await piecesOf(join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'node_modules'))
const began = performance.now()
await using fexec = new FunctionExecutor()

const perPackage = fexec.mapReduce((piece: Piece) => countWords(piece.paths), pieces, addCounts, {
  reduceBy: piece => piece.group,
})
const counts = await fexec.getResult(perPackage)
const total = await fexec.callAsync(addCounts, counts)
const parallelMs = performance.now() - began

const packages = perPackage.groupKeys.map((name, i) => ({ name, ...(counts[i] as WordCount) }))
packages.sort((a, b) => b.words - a.words)
const top = [...total.byWord].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, TOP_WORDS)
console.log(table(['word', 'times'], top))
console.log(
  table(
    [`package (top ${TOP_PACKAGES} of ${packages.length})`, 'files', 'words'],
    packages.slice(0, TOP_PACKAGES).map(({ name, files, words }) => [name, files, words]),
  ),
)

const alone = performance.now()
const check = countWords(pieces.flatMap(piece => piece.paths))
const aloneMs = performance.now() - alone
const workers = new Set(perPackage.map(future => future.stats.workerId))
const calls = pieces.length + perPackage.length + 1
console.log(
  `${total.words.toLocaleString('en')} words in ${total.files} files (${(total.bytes / 1e6).toFixed(1)} MB): ` +
    `${calls} calls on ${workers.size} workers in ${(parallelMs / 1000).toFixed(2)} s; ` +
    `one process alone took ${(aloneMs / 1000).toFixed(2)} s.`,
)

const isSame =
  check.words === total.words &&
  check.byWord.size === total.byWord.size &&
  [...check.byWord].every(([word, times]) => total.byWord.get(word) === times)
if (!isSame)
  throw new Error(`The totals differ: ${total.words} words in parallel, ${check.words} in one process.`)
console.log('The totals are those of the single process.')
