import { expect, test } from 'vitest'
import { requestsCostUsd } from './prices.ts'

test('requests cost what the list of their region says', () => {
  expect(requestsCostUsd('us-east-1', { writes: 1000, reads: 10_000 })).toBeCloseTo(0.005 + 0.004, 12)
  expect(requestsCostUsd('eu-central-1', { writes: 1000, reads: 10_000 })).toBeCloseTo(0.0054 + 0.0043, 12)
  expect(requestsCostUsd('us-east-1', { writes: 0, reads: 0 })).toBe(0)
})

test('a region whose prices are not known has none', () => {
  expect(requestsCostUsd('xx-nowhere-1', { writes: 1, reads: 1 })).toBeUndefined()
})
