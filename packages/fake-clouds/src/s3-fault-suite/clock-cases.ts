import assert from 'node:assert/strict'
import { StorageAccessError, StorageError } from '@lithops/core/driver'
import { vi } from 'vitest'
import { s3Faults } from '../fault-proxy/index.ts'
import { numbered } from '../storage-fault-suite/context.ts'
import type { S3FaultCase } from './suite.ts'

const HOUR_MS = 3_600_000

/** Clocks that differ, and a conflict that only S3 has. */
export const s3ClockCases: readonly S3FaultCase[] = [
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
  {
    name: 'a conditional write that met another one is tried again',
    run: async ({ backend, bucket, proxy }) => {
      const injected = proxy.inject(s3Faults.conditionalConflict(), { method: 'PUT', times: 2 })
      const put = await backend.putObject(bucket, 'won', numbered(10), { ifAbsent: true })
      assert.equal(put.created, true)
      assert.equal(injected.strikes, 2)
    },
  },
]
