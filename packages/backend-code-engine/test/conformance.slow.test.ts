import { computeConformance } from '@lithops/core/testing'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { cloud, withStorage } from './cloud.ts'

// All of the kit on jobs, with each of the ways home.

const there = cloud()
const storage = withStorage('conformance-slow')
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
