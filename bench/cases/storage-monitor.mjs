import { farBackend, farStorage } from '../lib/far-away.mjs'
import { assertEqual, range } from '../lib/timing.mjs'

const CALLS = 1000
const WORKERS = 50
/** With so many workers a job of about 20 s, as long as Lithops takes for its 1,000 calls here. */
const CALL_MS = 900

const ended = async ms => {
  await new Promise(resolve => setTimeout(resolve, ms))
  return Date.now()
}

/** Requests of one job from `map` to a clean bucket, and how long after its end a result is known. */
async function oneJob(chunksize) {
  const storage = await farStorage()
  const { FunctionExecutor } = await import('@lithops/core')
  const fexec = new FunctionExecutor({
    backend: await farBackend({ workers: WORKERS, storage: storage.backend }),
    storage: storage.driver,
    monitoring: 'storage',
  })
  const late = []
  const items = range(CALLS).map(i => (CALL_MS + ((i * 37) % 200)) / chunksize)
  for await (const future of fexec.map(ended, items, { chunksize }))
    late.push(Date.now() - (await future.result()))
  assertEqual(late.length, CALLS)
  await fexec.close()
  const { requests } = storage
  const total = Object.values(requests).reduce((sum, n) => sum + n, 0)
  return { requests: total, lists: requests.list, late: late.sort((a, b) => a - b)[CALLS / 2] }
}

const contender = (name, chunksize) => ({
  name,
  kind: 'ours',
  async run({ samples }) {
    const rows = []
    for (let i = 0; i < samples; i++) rows.push(await oneJob(chunksize))
    return rows
  },
})

export const benchCase = {
  title: 'Results of 1,000 calls by way of storage: requests to it, by client and workers together',
  rounds: { full: 3, quick: 1 },
  samples: { full: 1, quick: 1 },
  metrics: [
    { name: 'requests', label: 'requests', unit: '', better: 'lower', target: { max: 2100 } },
    { name: 'lists', label: 'listings among them', unit: '', better: 'lower', target: { max: 90 } },
    { name: 'late', label: 'end of a call to its value', unit: 'ms', better: 'lower', target: { max: 1000 } },
  ],
  contenders: [
    contender('ours', 1),
    contender('ours, 10 calls per activation', 10),
    {
      name: 'Lithops (Python)',
      kind: 'peer',
      python: true,
      note: 'with monitoring_interval 2, as for clouds',
    },
  ],
}
