import { computeConformance } from '@lithops/core/testing'
import { cloudRunFaults } from '@lithops/fake-clouds/cloudrun'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { afterEach, describe, expect } from 'vitest'
import { jobPlatform, withStorage } from './platform.ts'

// All of the kit on jobs, with each of the ways home; and what takes its time to break.

const there = jobPlatform()
const storage = withStorage('jobs-slow')
const timing = { callMs: 90_000, timeoutMs: 1_000, manyCalls: 60 }

computeConformance({
  test: (name, run) => storage.test(`storage: ${name}`, run, { timeout: 120_000 }),
  createBackend: () => there.open(),
  get executorOptions() {
    return storage.options
  },
  timing,
})

const broker = withRealPart(rabbitmq)

computeConformance({
  test: (name, run) => broker.test(`RabbitMQ: ${name}`, run, { timeout: 120_000 }),
  createBackend: () => there.open(),
  get executorOptions() {
    return {
      storage: 'storageless',
      monitoring: 'rabbitmq',
      config: { rabbitmq: { amqp_url: broker.part.url } },
    }
  },
  timing,
})

const baking = /whose code no activation carries/

computeConformance({
  test: (name, run) =>
    baking.test(name) ? storage.test(`baked: ${name}`, run, { timeout: 120_000 }) : undefined,
  createBackend: () => there.open({ runtime_include_function: true }),
  get executorOptions() {
    return storage.options
  },
  timing,
})

describe('things that break, and take their time', () => {
  const twice = (x: number) => x * 2
  const range = (n: number) => Array.from({ length: n }, (_, i) => i)
  const once = { retries: { infrastructure: 0, user: 0 } }
  afterEach(async () => (await there.start()).clear())

  storage.test(
    'one task in twenty is killed in the middle of a large map: every call ends once',
    async () => {
      const cloud = await there.start()
      await using fexec = storage.open(await there.open({ max_workers: 30 }))
      await (await fexec.storage()).createBucket()
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      cloud.clear()
      const always = { times: Number.POSITIVE_INFINITY }
      const killed = cloud.inject(cloudRunFaults.killInstance(300), { place: 'task', every: 20, times: 10 })
      const lost = cloud.inject(cloudRunFaults.loseReply(), { place: 'api', every: 15, ...always })
      const busy = cloud.inject(
        cloudRunFaults.answer(503, '{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}'),
        { place: 'api', every: 11, ...always },
      )
      let ended = 0
      const futures = fexec.map(twice, range(200))
      for await (const _ of futures) ended++
      expect(ended).toBe(200)
      expect(await fexec.getResult(futures)).toEqual(range(200).map(twice))
      expect([killed, lost, busy].every(({ strikes }) => strikes > 3)).toBe(true)
      cloud.clear()
      await expect.poll(() => cloud.executions, { timeout: 20_000 }).toEqual([])
    },
    { timeout: 240_000 },
  )

  storage.test(
    'too much memory, the time limit, and a function that ends its process, are told apart',
    async () => {
      await using fexec = storage.open(await there.open({ runtime_timeout: 5 }))
      const hoard = fexec.callAsync(
        async () => {
          const kept: Buffer[] = []
          for (;;) {
            kept.push(Buffer.alloc(8 * 1024 * 1024, 1))
            await new Promise(done => setTimeout(done, 5))
          }
        },
        0,
        once,
      )
      const exit = fexec.callAsync(() => process.exit(0), 0, once)
      const code = (future: { result(): Promise<unknown> }) =>
        future.result().then(
          () => 'none',
          (error: { readonly code: string }) => error.code,
        )
      expect(await Promise.all([hoard, exit].map(code))).toEqual([
        'LITHOPS_CALL_OUT_OF_MEMORY',
        'LITHOPS_WORKER_LOST',
      ])
      const never = fexec.callAsync(() => new Promise(() => setInterval(() => {}, 1000)), 0, once)
      expect(await code(never)).toBe('LITHOPS_CALL_TIMEOUT')
    },
  )
})
