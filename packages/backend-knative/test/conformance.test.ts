import { computeConformance } from '@lithops/core/testing'
import { test } from 'vitest'
import { cluster } from './cluster.ts'

const there = cluster()

computeConformance({
  test,
  createBackend: () => there.open({ max_workers: 4 }),
  timing: { callMs: 40_000, manyCalls: 200 },
})
