import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { ObjectNotFoundError, StorageAccessError } from '@lithops/core/driver'
import { keysOf } from './context.ts'
import type { FaultCase } from './suite.ts'

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
      const { dialect, options } = context
      for (const keys of dialect.wrongKeys(options.server.part)) {
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
      const fault = context.proxy.inject(context.dialect.faults.accessDenied(), {
        times: Number.POSITIVE_INFINITY,
      })
      for (const [what, run] of Object.entries(context.operations())) {
        const error = await context.rejects(run(), StorageAccessError, { isRetryable: false }, what)
        assert.match(error.message, /right/, what)
      }
      assert.ok(fault.strikes >= Object.keys(context.operations()).length)
    },
  },
  {
    name: 'an expired token',
    run: async context => {
      const { expiredToken } = context.dialect.faults
      if (expiredToken === undefined) return
      context.proxy.inject(expiredToken(), { times: Number.POSITIVE_INFINITY })
      const { head: _, find: __, ...withBody } = context.operations()
      for (const [what, run] of Object.entries(withBody)) {
        const error = await context.rejects(run(), StorageAccessError, { isRetryable: false }, what)
        assert.match(error.message, /expired/, what)
      }
    },
  },
]
