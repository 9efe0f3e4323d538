import { expect, test } from 'vitest'
import { JobIndices } from './job-indices.ts'

test('activations have indices of their own, and keep them until they have ended well', () => {
  const indices = new JobIndices(9_999_999)
  expect([0, 1, 2].map(call => indices.of('job', [call]))).toEqual([0, 1, 2])
  expect(indices.of('other', [0])).toBe(0)
  expect(indices.of('job', [1])).toBe(1)
  indices.ended('job', [1])
  expect(indices.of('job', [1])).toBe(3)
  // calls of one that are sent alone are others
  expect(indices.of('job', [5, 6])).toBe(4)
  expect(indices.of('job', [5])).toBe(5)
})

test('only so many jobs are remembered', () => {
  const indices = new JobIndices(9_999_999)
  indices.of('first', [0])
  for (let i = 0; i < 64; i++) indices.of(`job ${i}`, [0])
  expect(indices.of('first', [1])).toBe(0)
  expect(indices.of('job 63', [1])).toBe(1)
})

test('after the largest they begin at 0 again', () => {
  const indices = new JobIndices(1)
  expect([0, 1, 2].map(call => indices.of('job', [call]))).toEqual([0, 1, 0])
})
