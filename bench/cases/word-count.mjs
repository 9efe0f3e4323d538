import { execFileSync } from 'node:child_process'
import { wordsFile } from '../lib/data.mjs'
import { CLIENT_TARGET_MIB, watchingMemory } from '../lib/memory.mjs'
import { loadCore, openExecutor } from '../lib/ours.mjs'
import { cores, peerFile } from '../lib/peers.mjs'
import { assertEqual } from '../lib/timing.mjs'

const FULL_BYTES = 200_000_000
const QUICK_BYTES = 40_000_000

async function countBatches(piece) {
  const counts = new Map()
  for await (const lines of piece.lineBatches()) {
    for (const line of lines)
      for (const word of line.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return counts
}

async function countLines(piece) {
  const counts = new Map()
  for await (const line of piece.lines()) {
    for (const word of line.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return counts
}

function add(parts) {
  const all = new Map()
  for (const part of parts) for (const [word, n] of part) all.set(word, (all.get(word) ?? 0) + n)
  return all
}

/** The same by one process, on its own. */
function countAlone(file) {
  return JSON.parse(execFileSync(process.execPath, [peerFile('count-words.mjs'), file], { encoding: 'utf8' }))
}

/** What others do on the machine is in the single process's time too: it is taken before and after. */
async function measure(bytes, count) {
  const { objects } = await loadCore()
  const file = await wordsFile(bytes)
  const fexec = await openExecutor()
  const source = () => objects(file, { chunkSize: '10MB' })
  await fexec.mapReduce(count, source(), add)
  const before = countAlone(file)
  const start = performance.now()
  const { value, rssMiB } = await watchingMemory(() => fexec.mapReduce(count, source(), add).result())
  const wall = performance.now() - start
  const alone = (before.ms + countAlone(file).ms) / 2
  assertEqual(value.size, before.words)
  await fexec.close()
  return [{ rate: bytes / 1e3 / wall, share: (alone / cores / wall) * 100, rss: rssMiB }]
}

export const benchCase = {
  title: 'Word count over one file of 200 MB in pieces of 10 MB',
  quickTitle: 'Word count over one file of 40 MB in pieces of 10 MB (quick mode)',
  rounds: { full: 5, quick: 1 },
  // The number of bytes, not of repetitions.
  samples: { full: FULL_BYTES, quick: QUICK_BYTES },
  metrics: [
    {
      name: 'share',
      label: `share of ${cores} times the speed of one process`,
      unit: '%',
      better: 'higher',
      target: { min: 85 },
    },
    { name: 'rate', label: 'speed', unit: 'MB/s', better: 'higher' },
    {
      name: 'rss',
      label: 'client RSS, peak by interval',
      unit: 'MiB',
      better: 'lower',
      target: { max: CLIENT_TARGET_MIB },
    },
  ],
  contenders: [
    { name: 'ours', kind: 'ours', run: ({ samples }) => measure(samples, countBatches) },
    { name: 'ours, line by line', kind: 'variant', run: ({ samples }) => measure(samples, countLines) },
    {
      name: 'one process, streaming',
      kind: 'peer',
      async run({ samples: bytes }) {
        const { ms } = countAlone(await wordsFile(bytes))
        return [{ rate: bytes / 1e3 / ms }]
      },
    },
    { name: 'Lithops (Python)', kind: 'peer', python: true },
  ],
}
