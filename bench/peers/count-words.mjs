// count-words.mjs FILE: a single process counts the words of a file as it streams; prints milliseconds and words.
import { createReadStream } from 'node:fs'

const start = performance.now()
const counts = new Map()
const count = lines => {
  for (const line of lines) for (const word of line.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1)
}
let rest = ''
for await (const chunk of createReadStream(process.argv[2], {
  encoding: 'utf8',
  highWaterMark: 256 * 1024,
})) {
  const lines = (rest + chunk).split('\n')
  rest = lines.pop()
  count(lines)
}
if (rest !== '') count([rest])
console.log(JSON.stringify({ ms: performance.now() - start, words: counts.size }))
