import { expect, test } from 'vitest'
import { formatIndices, parseIndices } from './array-spec.ts'

test.each([
  [[0], '0'],
  [[0, 1, 2, 3], '0-3'],
  [[12, 5, 14, 13], '5,12-14'],
  [[9_999_999, 7], '7,9999999'],
])('indices %j are %s, and back', (indices, text) => {
  expect(formatIndices(indices)).toBe(text)
  expect(parseIndices(text)).toEqual([...indices].sort((a, b) => a - b))
})

test('what the platform does not say is no index', () => {
  expect(parseIndices(undefined)).toEqual([])
  expect(parseIndices('')).toEqual([])
  expect(parseIndices('1, 3-4')).toEqual([1, 3, 4])
})
