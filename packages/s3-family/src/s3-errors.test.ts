import { inspect } from 'node:util'
import { LithopsError, type StorageError } from '@lithops/core/driver'
import { describe, expect, test } from 'vitest'
import { deleteFailed, isExpired, isRefusedUndone, translate } from './s3-errors.ts'

const object = { operation: 'get', bucket: 'data', key: 'a/b', region: 'eu-west-1' }
const bucket = { operation: 'list', bucket: 'data', region: 'eu-west-1' }

function sdkError(name: string, status?: number, more: object = {}) {
  const { $metadata, ...rest } = more as { $metadata?: object }
  const known = status === undefined ? {} : { $metadata: { httpStatusCode: status, ...$metadata } }
  return Object.assign(new Error(`${name} happened.`), { name, ...known, ...rest })
}

describe.each([
  ['NoSuchKey', 404, object, 'ObjectNotFoundError', false],
  ['NotFound', 404, object, 'ObjectNotFoundError', false],
  ['NotFound', 404, bucket, 'ObjectNotFoundError', false],
  ['NoSuchBucket', 404, object, 'ObjectNotFoundError', false],
  ['AccessDenied', 403, object, 'StorageAccessError', false],
  ['Forbidden', 403, object, 'StorageAccessError', false],
  ['403', 403, object, 'StorageAccessError', false],
  ['SignatureDoesNotMatch', 403, object, 'StorageAccessError', false],
  ['ExpiredToken', 400, object, 'StorageAccessError', false],
  ['Unauthorized', 401, object, 'StorageAccessError', false],
  ['RequestTimeTooSkewed', 403, object, 'StorageAccessError', false],
  ['CredentialsProviderError', undefined, object, 'StorageAccessError', false],
  ['SlowDown', 503, object, 'StorageError', true],
  ['503', 503, object, 'StorageError', true],
  ['TooManyRequests', 429, object, 'StorageError', true],
  ['InternalError', 500, object, 'StorageError', true],
  ['BadGateway', 502, object, 'StorageError', true],
  ['OperationAborted', 409, bucket, 'StorageError', true],
  ['BucketAlreadyExists', 409, bucket, 'StorageError', false],
  ['InvalidArgument', 400, object, 'StorageError', false],
  ['EntityTooLarge', 400, object, 'StorageError', false],
  ['TimeoutError', undefined, object, 'StorageError', true],
] as const)('%s %s', (name, status, place, expectedClass, isRetryable) => {
  test(`is ${expectedClass}`, () => {
    const error = translate(sdkError(name, status), place) as StorageError
    expect(error.name).toBe(expectedClass)
    expect(error.isRetryable).toBe(isRetryable)
    expect(error.details).toMatchObject(place)
    expect(error.message).toContain("bucket 'data'")
    expect(error.message).toContain('eu-west-1')
  })
})

test('errors of the connection may pass, those of certificates do not', () => {
  for (const code of ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']) {
    expect(
      (translate(sdkError('Error', undefined, { code }), object) as StorageError).isRetryable,
      code,
    ).toBe(true)
  }
  for (const code of ['CERT_HAS_EXPIRED', 'SELF_SIGNED_CERT_IN_CHAIN', 'ERR_TLS_CERT_ALTNAME_INVALID']) {
    expect(
      (translate(sdkError('Error', undefined, { code }), object) as StorageError).isRetryable,
      code,
    ).toBe(false)
  }
})

test('a clock that the SDK has set may pass; what the service asks to wait is kept', () => {
  const $metadata = { clockSkewCorrected: true }
  for (const name of ['RequestTimeTooSkewed', '403']) {
    const error = translate(sdkError(name, 403, { $metadata }), object) as StorageError
    expect(error.isRetryable).toBe(true)
    expect(error.message).toContain('clock')
  }
  const $response = { headers: { 'retry-after': '3' } }
  const slow = translate(sdkError('SlowDown', 503, { $response }), object) as StorageError
  expect(slow.details.retryAfterMs).toBe(3_000)
})

test('errors of this project pass as they are, and requests that hang on an error do not', () => {
  const own = new LithopsError('own')
  expect(translate(own, object)).toBe(own)
  const $response = { headers: { authorization: 'AWS4 secret-of-the-request' } }
  const error = translate(sdkError('InternalError', 500, { $response, secretField: 'secret' }), object)
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('secret')
})

test('knows what was not done, what newer credentials help, and what one of many keys failed with', () => {
  expect(isRefusedUndone(sdkError('ConditionalRequestConflict', 409))).toBe(true)
  expect(isRefusedUndone(sdkError('SlowDown', 503))).toBe(true)
  expect(isRefusedUndone(sdkError('InternalError', 500))).toBe(false)
  expect(isExpired(sdkError('ExpiredToken', 400))).toBe(true)
  expect(isExpired(sdkError('AccessDenied', 403))).toBe(false)
  const failed = deleteFailed({ Key: 'x', Code: 'AccessDenied', Message: 'no' }, bucket) as StorageError
  expect(failed.name).toBe('StorageAccessError')
  expect(failed.details.key).toBe('x')
})
