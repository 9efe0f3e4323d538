import { computeConformance } from '@lithops/core/testing'
import { test } from 'vitest'
import { cluster } from './cluster.ts'

const there = cluster()

computeConformance({
  test,
  createBackend: () => there.open({ max_workers: 4 }),
  timing: { callMs: 40_000, manyCalls: 200 },
})

// Again with functions that are in the images.
const isOfBaking = /whose code no activation carries/

computeConformance({
  test: (name, run) => (isOfBaking.test(name) ? test(`baked: ${name}`, run) : undefined),
  createBackend: () => there.open({ max_workers: 2, runtime_include_function: true }),
  timing: { callMs: 40_000 },
})

// Again with several activations at once in one process, as far as that is another thing.
const shared = cluster({ mostPods: 1 })
const isOfSharing = /at the same time in a worker|long call|beside it|at once than it says/

computeConformance({
  test: (name, run) => (isOfSharing.test(name) ? test(`shared: ${name}`, run) : undefined),
  createBackend: () => shared.open({ max_workers: 1, concurrency: 4 }),
  timing: { callMs: 40_000 },
})
