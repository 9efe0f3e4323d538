import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { ObjectNotFoundError, StorageAccessError, StorageError } from '@lithops/core/driver'
import { vi } from 'vitest'
import { s3Faults } from '../fault-proxy/index.ts'
import { keysOf, WRONG_SECRET } from './context.ts'
import type { FaultCase } from './suite.ts'

const HOUR_MS = 3_600_000

/** What is not there, and what is not allowed. */
export const accessCases: readonly FaultCase[] = [
  {
    name: 'a missing bucket',
    run: async context => {
      const { backend } = context
      const bucket = `none-${randomUUID()}`
      const missing = { isRetryable: false, code: 'LITHOPS_OBJECT_NOT_FOUND' }
      const key = 'a/b'
      const expect = (promise: Promise<unknown>, what: string) =>
        context.rejects(promise, ObjectNotFoundError, missing, what)
      await expect(backend.putObject(bucket, key, new Uint8Array(1)), 'put')
      await expect(backend.getObject(bucket, key), 'get')
      await expect(backend.getObjectStream(bucket, key), 'stream')
      await expect(backend.headObject(bucket, key), 'head')
      await expect(backend.deleteObjects(bucket, [key]), 'delete of many')
      await expect(keysOf(backend, bucket), 'list')
      assert.equal(await backend.bucketExists(bucket), false)
    },
  },
  {
    name: 'a missing key',
    run: async context => {
      const { backend, bucket } = context
      const missing = { isRetryable: false, key: 'no/such key', code: 'LITHOPS_OBJECT_NOT_FOUND' }
      const { key } = missing
      await context.rejects(backend.getObject(bucket, key), ObjectNotFoundError, missing, 'get')
      await context.rejects(backend.getObjectStream(bucket, key), ObjectNotFoundError, missing, 'stream')
      const range = { start: 5, end: 5 }
      await context.rejects(
        backend.getObject(bucket, key, { range }),
        ObjectNotFoundError,
        missing,
        'no bytes',
      )
      await context.rejects(backend.headObject(bucket, key), ObjectNotFoundError, missing, 'head')
      await backend.deleteObject(bucket, key)
      await backend.deleteObjects(bucket, [key])
    },
  },
  {
    name: 'keys that are wrong',
    needsSignatures: true,
    run: async context => {
      for (const keys of [{ secretAccessKey: WRONG_SECRET }, { accessKeyId: 'NOBODY' }]) {
        const backend = await context.openWith(keys)
        for (const [what, run] of Object.entries(context.operations(backend))) {
          await context.rejects(run(), StorageAccessError, { isRetryable: false }, what)
        }
        await backend.close()
      }
    },
  },
  {
    name: 'no permission',
    run: async context => {
      const fault = context.proxy.inject(s3Faults.accessDenied(), { times: Number.POSITIVE_INFINITY })
      for (const [what, run] of Object.entries(context.operations())) {
        const error = await context.rejects(run(), StorageAccessError, { isRetryable: false }, what)
        assert.match(error.message, /right/, what)
      }
      assert.ok(fault.strikes >= 9)
    },
  },
  {
    name: 'an expired token',
    run: async context => {
      context.proxy.inject(s3Faults.expiredToken(), { times: Number.POSITIVE_INFINITY })
      const { head: _, find: __, ...withBody } = context.operations()
      for (const [what, run] of Object.entries(withBody)) {
        const error = await context.rejects(run(), StorageAccessError, { isRetryable: false }, what)
        assert.match(error.message, /expired/, what)
      }
    },
  },
  {
    name: "a clock that is off is set by the service's answer",
    needsSignatures: true,
    run: async context => {
      const { backend, bucket } = context
      const now = Date.now()
      const expected = { isRetryable: true, key: 'key' }
      vi.useFakeTimers({ toFake: ['Date'] })
      try {
        vi.setSystemTime(now + HOUR_MS)
        const put = backend.putObject(bucket, 'key', new Uint8Array(3))
        const error = await context.rejects(put, StorageError, expected, 'put')
        assert.match(error.message, /clock/)
        await backend.putObject(bucket, 'key', new Uint8Array(3))
        vi.setSystemTime(now - HOUR_MS)
        await context.rejects(backend.headObject(bucket, 'key'), StorageError, expected, 'head')
        assert.equal((await backend.headObject(bucket, 'key')).sizeBytes, 3)
      } finally {
        vi.useRealTimers()
      }
    },
  },
  {
    name: 'a clock that the service finds wrong for good',
    run: async context => {
      context.proxy.inject(s3Faults.requestTimeTooSkewed(), { times: Number.POSITIVE_INFINITY })
      const get = context.backend.getObject(context.bucket, 'key')
      const error = await context.rejects(get, StorageAccessError, { isRetryable: false, key: 'key' }, 'get')
      assert.match(error.message, /set the clock/)
    },
  },
]
