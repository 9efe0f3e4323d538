import { expect, test } from 'vitest'
import { flawOfPair } from './limits.ts'

test.each([
  [0.08, 128],
  [0.25, 256],
  [0.25, 512],
  [0.5, 1024],
  [1, 128],
  [1, 4096],
  [2, 8192],
  [4, 2048],
  [8, 32_768],
])('%d processors and %d MiB are a pair', (cpu, memoryMiB) => {
  expect(flawOfPair(cpu, memoryMiB)).toBeUndefined()
})

test.each([
  [0.25, 1024, '128 to 512 MiB go with 0.25 processors, and 0.5 or more with 1024 MiB'],
  [0.9, 2048, 'and 1 or more with 2048 MiB'],
  [1, 4097, 'and 2 or more with 4097 MiB'],
  [4, 1024, '2048 to 16384 MiB go with 4 processors'],
  [3, 4096, 'or 2, 4, 6 or 8, not 3'],
  [1.5, 4096, 'or 2, 4, 6 or 8, not 1.5'],
  [0.05, 128, 'no less than 0.08'],
])('%d processors and %d MiB are none', (cpu, memoryMiB, said) => {
  expect(flawOfPair(cpu, memoryMiB)).toContain(said)
})
