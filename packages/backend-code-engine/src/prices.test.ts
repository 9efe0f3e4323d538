import { expect, test } from 'vitest'
import { costUsd } from './prices.ts'

const usage = { durationMs: 3_600_000, memoryMiB: 4096, requests: 1_000_000 }

test('an hour of one processor and 4 G, and requests of applications', () => {
  const job = { region: 'us-south', cpu: 1, isApplication: false }
  expect(costUsd(job, usage)).toBeCloseTo(3600 * (0.00003431 + 4 * 0.00000356), 6)
  expect(costUsd({ ...job, isApplication: true }, usage)).toBeCloseTo(0.1748 + 0.538, 3)
  expect(costUsd({ ...job, region: 'eu-de' }, usage)).toBeUndefined()
  expect(costUsd({ ...job, cpu: 8 }, usage)).toBeUndefined()
})
