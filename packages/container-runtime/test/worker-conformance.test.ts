import { computeConformance } from '@lithops/core/testing'
import { test } from 'vitest'
import { HttpPlatform } from './http-platform.ts'

computeConformance({
  test,
  timing: { manyCalls: 60 },
  createBackend: () => new HttpPlatform({ workerProcesses: 2, concurrency: 4 }),
})
