import { expect, test } from 'vitest'
import { costUsd } from './prices.ts'

const x64 = { architecture: 'x86_64', ephemeralMiB: 512 } as const

test('a million requests of 100 ms with 512 MiB cost what the example of AWS says', () => {
  // 50,000 GB-s at 0.0000166667, and 0.20 for the requests
  const usage = { durationMs: 1e6 * 100, memoryMiB: 512, requests: 1e6 }
  expect(costUsd('us-east-1', usage, x64)).toBeCloseTo(0.833335 + 0.2, 6)
  expect(costUsd('us-east-1', usage, { ...x64, architecture: 'arm64' })).toBeCloseTo(0.66667 + 0.2, 6)
})

test('regions have prices of their own, and /tmp beyond its first 512 MB costs', () => {
  const usage = { durationMs: 1e6, memoryMiB: 1024, requests: 0 }
  expect(costUsd('eu-central-1', usage, { ...x64, ephemeralMiB: 1536 })).toBeCloseTo(
    1000 * (0.0000166667 + 0.0000000367),
    12,
  )
  expect(costUsd('eu-south-1', usage, x64)).toBeCloseTo(0.0195172, 10)
})

test('a region whose prices are not known has none', () => {
  expect(costUsd('xx-nowhere-1', { durationMs: 1, memoryMiB: 1, requests: 1 }, x64)).toBeUndefined()
})
