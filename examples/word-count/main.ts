/**
 * Counts the words of every Markdown file that the install brought into node_modules, or of those below the folder that is
 * given, in parallel: the most frequent words, each package's share, and the totals, which are checked against a count in
 * one process. Workers read the files, so they must see them: on this machine they do.
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FunctionExecutor } from '@lithops/core'
import { addCounts, countWords, type WordCount } from './count-words.ts'
import { markdownBatches } from './markdown-files.ts'
import { print, seconds, timed, whole } from './print.ts'

const TOP_WORDS = 20
const TOP_PACKAGES = 10
/** Results that one reducer adds up; their sums are added up again, until one is left. */
const FAN_IN = 8

const [, , folder] = process.argv
const root = folder ?? join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'node_modules')
const batches = [...markdownBatches(root)]

await using fexec = new FunctionExecutor()
const countInParallel = () =>
  fexec.getResult(fexec.mapReduce(countWords, batches, addCounts, { fanIn: FAN_IN }))
const countAlone = async () => addCounts(batches.map(countWords))

// What the first call of a program pays for: capturing the function, bundling what it imports, starting the workers.
const startUp = await timed(() => fexec.getResult(fexec.map(countWords, [[], []])))
const parallel = await timed(countInParallel)
const again = await timed(countInParallel)
const alone = await timed(countAlone)

const { byWord, byPackage, processes, calls } = parallel.value
const words = [...byWord].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
const packages = [...byPackage].sort((a, b) => b[1].words - a[1].words || (a[0] < b[0] ? -1 : 1))
const total = totalOf(parallel.value)

print(['word', 'times'], words.slice(0, TOP_WORDS))
print(
  [`package (${TOP_PACKAGES} of ${packages.length})`, 'files', 'words'],
  packages.slice(0, TOP_PACKAGES).map(([name, count]) => [name, count.files, count.words]),
)
print(
  ['time', 'seconds'],
  [
    ['start-up: capture, bundle, start the workers', seconds(startUp.ms)],
    ['count in parallel', seconds(parallel.ms)],
    ['count in parallel again', seconds(again.ms)],
    ['count in one process alone', seconds(alone.ms)],
  ],
)
console.log(
  `${whole(total.words)} words, ${whole(byWord.size)} different ones, in ${whole(total.files)} files ` +
    `(${(total.bytes / 1e6).toFixed(1)} MB): ${calls} calls on ${processes.size} workers in ${seconds(parallel.ms)} s.`,
)

for (const { value } of [parallel, again]) {
  const isSame =
    value.byWord.size === alone.value.byWord.size &&
    [...alone.value.byWord].every(([word, times]) => value.byWord.get(word) === times)
  const [got, expected] = [totalOf(value), totalOf(alone.value)]
  if (!isSame || got.words !== expected.words || got.files !== expected.files)
    throw new Error(`The totals differ: ${got.words} words in parallel, ${expected.words} in one process.`)
}
console.log('The totals are those of one process alone.')

function totalOf({ byPackage }: WordCount) {
  const total = { files: 0, words: 0, bytes: 0 }
  for (const { files, words, bytes } of byPackage.values()) {
    total.files += files
    total.words += words
    total.bytes += bytes
  }
  return total
}
