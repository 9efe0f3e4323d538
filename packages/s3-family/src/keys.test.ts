import { expect, test } from 'vitest'
import { bucketName, bucketOfEndpoint, checkEndpoint } from './config.ts'
import { batches, copySource, decodeListed, flawOfPath, isInXml } from './keys.ts'

test('keys of listings are decoded as services encode them', () => {
  expect(decodeListed('a+b%2Bc%20d%25/%C3%A9')).toBe('a b+c d%/é')
})

test('knows keys that XML cannot hold, and keys that are no paths', () => {
  expect(['a b', 'tab\t', '😀', 'a\u0001', '\uffff'].map(isInXml)).toEqual([true, true, true, false, false])
  expect(['a', 'a/b/', 'a.b/..c', '...', 'x'.repeat(255)].map(flawOfPath)).toEqual(Array(5).fill(undefined))
  for (const key of ['/a', 'a//b', './a', 'a/..', '..', 'é'.repeat(128)]) {
    expect(flawOfPath(key), key).toBeTypeOf('string')
  }
})

test('names, sources of copies and batches', () => {
  expect(copySource('b', 'a/b c+%')).toBe('b/a%2Fb%20c%2B%25')
  expect([...batches([1, 2, 3, 4, 5], 2)]).toEqual([[1, 2], [3, 4], [5]])
  // as Lithops (Python) names it
  expect(bucketOfEndpoint('http://127.0.0.1:9000', 'MINIOADMIN')).toMatch(/^lithops-[0-9a-f]{6}-minioa$/)
  expect(bucketName('lithops-4267d7-minio-')).toBe('lithops-4267d7-miniox')
  expect(bucketName('lithops-eu-west-1-A=b_')).toBe('lithops-eu-west-1-axbx')
})

test('an endpoint is a URL without credentials', () => {
  expect(checkEndpoint('minio', 'http://127.0.0.1:9000/')).toBe('127.0.0.1:9000')
  expect(() => checkEndpoint('minio', '127.0.0.1:9000')).toThrow('minio.endpoint must be a URL')
  expect(() => checkEndpoint('minio', 'https://user:pw@host')).toThrow('no credentials')
})
