import { computeConformance } from '@lithops/core/testing'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { test } from 'vitest'
import { cloud } from './cloud.ts'

// Of jobs, as far as it is another thing than on the other platforms: each activation is a new process here. All of the kit is in
// conformance.slow.test.ts.
const jobs = cloud()
const broker = withRealPart(rabbitmq)
const isOfBatches = /several calls|never lets go|exits is recognised|closed twice|before they begin/

computeConformance({
  test: (name, run) =>
    isOfBatches.test(name) ? broker.test(`jobs: ${name}`, run, { timeout: 60_000 }) : undefined,
  createBackend: () => jobs.open(),
  get executorOptions() {
    const config = { rabbitmq: { amqp_url: broker.part.url } }
    return { storage: 'storageless', monitoring: 'rabbitmq', config } as const
  },
  timing: { callMs: 40_000, timeoutMs: 1_000 },
})

const applications = cloud()

computeConformance({
  test: (name, run) => test(`applications: ${name}`, run),
  createBackend: () => applications.open({ workload: 'applications' }),
  timing: { callMs: 40_000, manyCalls: 200 },
})

// Again with several activations at once in one process, as far as that is another thing.
const shared = cloud({ mostInstances: 1 })
const isOfSharing = /at the same time in a worker|long call|beside it|at once than it says/

computeConformance({
  test: (name, run) => (isOfSharing.test(name) ? test(`shared: ${name}`, run) : undefined),
  createBackend: () => shared.open({ workload: 'applications', max_workers: 1, concurrency: 4 }),
  timing: { callMs: 40_000 },
})
