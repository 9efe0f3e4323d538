import { expect, test } from 'vitest'
import { StorageError } from '../errors/index.ts'
import { checkKey, flawOfKey } from './storage-checks.ts'

const limits = {
  maxCharacters: 10,
  maxSegments: 3,
  forbidden: [{ pattern: /\\/, what: 'a backslash' }],
}

test('a key that breaks a limit is told which', () => {
  expect(flawOfKey('a/b/c', limits)).toBeUndefined()
  expect(flawOfKey('é'.repeat(10), limits)).toBeUndefined()
  expect(flawOfKey('k'.repeat(11), limits)).toMatch('11 characters, more than the 10')
  expect(flawOfKey('a/b/c/d', limits)).toMatch('4 segments between slashes, more than the 3')
  expect(flawOfKey('a\\b', limits)).toBe('a key must not have a backslash here')
  expect(flawOfKey('a\\b')).toBeUndefined()
})

test('is refused as any key that cannot be', () => {
  const place = { operation: 'put', bucket: 'b', key: 'a\\b' }
  expect(() => checkKey(place, 100)).not.toThrow()
  expect(() => checkKey(place, 100, limits)).toThrow(
    expect.objectContaining({ code: 'LITHOPS_STORAGE_KEY', constructor: StorageError }),
  )
})
