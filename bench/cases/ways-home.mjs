import { quantileSorted } from 'simple-statistics'
import { NotBuiltError } from '../lib/ours.mjs'
import { startRabbitmq } from '../lib/rabbitmq.mjs'
import { assertEqual, range } from '../lib/timing.mjs'

/** Calls whose way home is timed one by one: long enough that none waits for another. */
const TIMED_CALLS = 200
const CALL_MS = 20
/** Calls that do nothing: each tells that it has ended. */
const COUNTED_CALLS = 10_000

const ended = async ms => {
  await new Promise(resolve => setTimeout(resolve, ms))
  return performance.timeOrigin + performance.now()
}
const noop = x => x

async function measure(fexec) {
  await fexec.getResult(fexec.map(noop, range(100)))
  const late = await Promise.all(
    fexec.map(ended, Array(TIMED_CALLS).fill(CALL_MS), { chunksize: 1 }).map(async future => {
      const endedAt = await future.result()
      return performance.timeOrigin + performance.now() - endedAt
    }),
  )
  late.sort((a, b) => a - b)
  const start = performance.now()
  const values = await fexec.getResult(fexec.map(noop, range(COUNTED_CALLS)))
  const seconds = (performance.now() - start) / 1000
  assertEqual(values.length, COUNTED_CALLS)
  return { p50: quantileSorted(late, 0.5), p99: quantileSorted(late, 0.99), rate: COUNTED_CALLS / seconds }
}

const contender = (name, lithops, around) => ({
  name,
  kind: 'ours',
  around,
  async run({ samples }) {
    const { FunctionExecutor } = await import('@lithops/core')
    const monitoring = lithops.monitoring === 'rabbitmq' ? await rabbitmqDriver() : lithops.monitoring
    const rabbitmq = { amqp_url: process.env.BENCH_AMQP_URL ?? 'amqp://nowhere' }
    const config = { lithops: { backend: 'localhost', storage: lithops.storage }, rabbitmq }
    const rows = []
    for (let i = 0; i < samples; i++) {
      const fexec = new FunctionExecutor({ config, monitoring })
      rows.push(await measure(fexec))
      await fexec.close()
    }
    return rows
  },
})

async function rabbitmqDriver() {
  try {
    return (await import('@lithops/monitor-rabbitmq')).monitor
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') throw new NotBuiltError('packages/monitor-rabbitmq/dist')
    throw error
  }
}

/** A broker for one contender, which finds it in its environment. */
async function broker() {
  const { url, close } = await startRabbitmq()
  return { env: { BENCH_AMQP_URL: url }, close }
}

export const benchCase = {
  title: 'Ways home of results: from the end of a function to its resolved future, and calls told per second',
  rounds: { full: 3, quick: 1 },
  samples: { full: 3, quick: 1 },
  metrics: [
    { name: 'p50', label: 'end of a function to its value, median', unit: 'ms', better: 'lower' },
    { name: 'p99', label: 'end of a function to its value, 99 of 100', unit: 'ms', better: 'lower' },
    { name: 'rate', label: 'calls that do nothing, told', unit: 'calls/s', better: 'higher' },
  ],
  contenders: [
    contender('ours, RabbitMQ', { storage: 'storageless', monitoring: 'rabbitmq' }, broker),
    contender('ours, direct', { storage: 'storageless', monitoring: 'direct' }),
    contender('ours, storage polling', { storage: 'localhost', monitoring: 'storage' }),
    {
      name: 'Lithops (Python), RabbitMQ',
      kind: 'peer',
      python: true,
      around: broker,
      samples: { full: 1, quick: 1 },
      note: 'with 1,000 calls that do nothing, and version 1 of its localhost backend, which starts one Python per job',
    },
  ],
}
