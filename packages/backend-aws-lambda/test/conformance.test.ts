import { computeConformance } from '@lithops/core/testing'
import { test } from 'vitest'
import { cloud } from './cloud.ts'

const aws = cloud()

computeConformance({
  test,
  createBackend: () => aws.open({ max_workers: 8 }),
  timing: { callMs: 40_000, manyCalls: 200 },
})
