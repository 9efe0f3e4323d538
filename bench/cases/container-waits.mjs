import { containersBackend } from '../lib/containers.mjs'
import { loadCore } from '../lib/ours.mjs'
import { assertEqual, range } from '../lib/timing.mjs'

const CALL_MS = 200
/**
 * Cloud Run with 1 vCPU and 512 MiB, billed while a container has a request, in the regions of the first tier:
 * https://cloud.google.com/run/pricing, 0.000024 USD per vCPU-second, 0.0000025 per GiB-second, 0.40 per million requests.
 */
const USD_PER_SECOND = 0.000024 + 0.0000025 / 2
const USD_PER_REQUEST = 0.4e-6

const wait = async x => {
  await new Promise(resolve => setTimeout(resolve, 200))
  return x
}

const contender = (name, kind, { calls, containers, concurrency }) => ({
  name,
  kind,
  note: `${calls.toLocaleString('en-US')} calls`,
  async run({ samples }) {
    const { FunctionExecutor } = await loadCore()
    const backend = await containersBackend({ containers, concurrency })
    const fexec = new FunctionExecutor({ backend })
    const once = async () => assertEqual((await fexec.getResult(fexec.map(wait, range(calls)))).length, calls)
    const rounds = Math.ceil(calls / (containers * concurrency))
    const rows = []
    await fexec.getResult(fexec.map(wait, range(containers * concurrency)))
    for (let i = 0; i < samples; i++) {
      const start = performance.now()
      await once()
      const wall = performance.now() - start
      const usd = (containers * (wall / 1000) * USD_PER_SECOND) / (calls / 1000) + 1000 * USD_PER_REQUEST
      rows.push({ wall, ideal: wall / (rounds * CALL_MS), cents: usd * 100 })
    }
    await fexec.close()
    await backend.close()
    return rows
  },
})

export const benchCase = {
  title:
    'Calls that wait 200 ms, in containers that run several at once. The ideal is full rounds of 200 ms; the cost is that of ' +
    'Cloud Run, 1 vCPU and 512 MiB',
  rounds: { full: 3, quick: 1 },
  samples: { full: 5, quick: 2 },
  metrics: [
    { name: 'wall', label: 'map to all values', unit: 'ms', better: 'lower' },
    { name: 'ideal', label: 'times the ideal', unit: '×', better: 'lower', target: { max: 1.5 } },
    { name: 'cents', label: 'a thousand calls', unit: 'US cents', better: 'lower' },
  ],
  contenders: [
    contender('ours, 80 at once in 4 containers', 'ours', { calls: 1000, containers: 4, concurrency: 80 }),
    contender('80 at once in one', 'peer', { calls: 1000, containers: 1, concurrency: 80 }),
    contender('10 at once in one', 'peer', { calls: 200, containers: 1, concurrency: 10 }),
    contender('1 at once in one', 'peer', { calls: 20, containers: 1, concurrency: 1 }),
  ],
}
