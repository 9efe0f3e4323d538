import { storageOfKeys } from '../lib/data.mjs'
import { watchingMemory } from '../lib/memory.mjs'
import { loadCore } from '../lib/ours.mjs'
import { assertEqual } from '../lib/timing.mjs'

const TIMES = 3

/** Lists and partitions in turn, in one process: what the machine does besides is in both. */
async function measure(count) {
  const { FunctionExecutor, objects } = await loadCore()
  const root = await storageOfKeys(count, 10)
  const fexec = new FunctionExecutor({
    backend: 'localhost',
    config: { localhost: { storage_folder: root } },
  })
  const storage = await fexec.storage()
  const timed = async work => {
    const start = performance.now()
    let items = 0
    for await (const _ of work()) items++
    assertEqual(items, count)
    return performance.now() - start
  }
  const list = () => timed(() => storage.list('prefix/', { bucket: 'data' }))
  const partition = () => timed(() => fexec.partition(objects('data/prefix/', { chunkSize: '64MB' })))
  await list()
  const rows = []
  for (let i = 0; i < TIMES; i++) {
    const before = process.memoryUsage.rss() / 2 ** 20
    const listing = await list()
    const { value: wall, rssMiB } = await watchingMemory(partition)
    const again = await list()
    rows.push({ times: wall / ((listing + again) / 2), wall, listing, grown: Math.max(0, rssMiB - before) })
  }
  await fexec.close()
  return rows
}

export const benchCase = {
  title: 'Partitioning a prefix of 100,000 keys of the localhost storage',
  quickTitle: 'Partitioning a prefix of 10,000 keys of the localhost storage (quick mode)',
  rounds: { full: 3, quick: 1 },
  // The number of keys, not of repetitions.
  samples: { full: 100_000, quick: 10_000 },
  metrics: [
    { name: 'times', label: 'times the listing', unit: '×', better: 'lower', target: { max: 1.2 } },
    { name: 'wall', label: 'partitioning', unit: 'ms', better: 'lower' },
    { name: 'listing', label: 'listing', unit: 'ms', better: 'lower' },
    { name: 'grown', label: 'memory above that before', unit: 'MiB', better: 'lower', target: { max: 50 } },
  ],
  contenders: [{ name: 'ours', kind: 'ours', run: ({ samples }) => measure(samples) }],
}
