import { expect, test } from 'vitest'
import { costUsd } from './prices.ts'

const usage = { durationMs: 1e6 * 200, memoryMiB: 512, requests: 1e6 }

test('a million requests of 200 ms on one processor and 512 MiB', () => {
  // 200,000 s: 4.80 for the processor, 0.25 for half a GiB, 0.40 for the requests
  expect(costUsd('us-central1', usage, { cpu: 1, requestsAtOnce: 1 })).toBeCloseTo(5.45, 9)
  expect(costUsd('europe-west3', usage, { cpu: 1, requestsAtOnce: 1 })).toBeCloseTo(6.72 + 0.35 + 0.4, 9)
})

test('requests that run together share an instance', () => {
  expect(costUsd('us-central1', usage, { cpu: 1, requestsAtOnce: 80 })).toBeCloseTo(5.05 / 80 + 0.4, 9)
})

test('a region whose prices are not known has none', () => {
  expect(costUsd('xx-nowhere1', usage, { cpu: 1, requestsAtOnce: 1 })).toBeUndefined()
})

test('tasks of jobs cost less by the second, and nothing by the request', () => {
  expect(costUsd('us-central1', usage, { cpu: 1, requestsAtOnce: 1, isJob: true })).toBeCloseTo(3.6 + 0.2, 9)
})
