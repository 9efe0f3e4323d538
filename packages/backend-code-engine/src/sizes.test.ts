import { expect, test } from 'vitest'
import { sizeOf } from './sizes.ts'

test('memory and processors are those of the platform, in its units', () => {
  expect(sizeOf(256, 0.125)).toMatchObject({ cpuLimit: '0.125', memoryLimit: '0.25G' })
  expect(sizeOf(512, undefined)).toMatchObject({ cpu: 0.125, memoryLimit: '0.5G' })
  expect(sizeOf(4096, undefined)).toMatchObject({ cpu: 0.5, memoryLimit: '4G' })
  expect(sizeOf(12_288, undefined)).toMatchObject({ cpu: 6, memoryLimit: '12G' })
  expect(sizeOf(49_152, 12)).toMatchObject({ cpuLimit: '12', memoryLimit: '48G' })
  expect(sizeOf(4096, 8)).toMatch(/with 4096 MB there are 0.5, 1, 2 CPU, and with 8 CPU 16384, 32768 MB/)
  expect(sizeOf(4096, 3)).toMatch(/3 CPU with 4096 MB do not exist/)
})
