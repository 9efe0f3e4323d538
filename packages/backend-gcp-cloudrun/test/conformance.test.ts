import { computeConformance } from '@lithops/core/testing'
import { test } from 'vitest'
import { platform } from './platform.ts'

const there = platform()

computeConformance({
  test,
  createBackend: () => there.open({ max_workers: 4, runtime_memory: 512 }),
  timing: { callMs: 40_000, manyCalls: 100 },
})

// Again with several activations at once in one process, as far as that is another thing.
const isOfSharing = /at the same time in a worker|long call|beside it|at once than it says/

computeConformance({
  test: (name, run) => (isOfSharing.test(name) ? test(`shared: ${name}`, run) : undefined),
  createBackend: () => there.open({ max_workers: 1, concurrency: 4, runtime_cpu: 1 }),
  timing: { callMs: 40_000 },
})
