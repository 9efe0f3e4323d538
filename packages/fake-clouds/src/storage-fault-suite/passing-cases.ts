import assert from 'node:assert/strict'
import { Storage } from '@lithops/core'
import { StorageError } from '@lithops/core/driver'
import { loseAnswer, refuse } from '../fault-proxy/index.ts'
import { assertSame, numbered } from './context.ts'
import type { FaultCase } from './suite.ts'

/** Faults of all operations that pass. */
export const passingCases: readonly FaultCase[] = [
  {
    name: 'throttling, with what the service asks to wait',
    run: async context => {
      const single = Object.entries(context.operations()).filter(([what]) => !/stream/.test(what))
      for (const [what, run] of single) {
        context.proxy.inject(context.dialect.faults.slowDown())
        await context.rejects(run(), StorageError, { isRetryable: true }, `${what}, SlowDown`)
        context.proxy.inject(context.dialect.faults.throttled(7))
        const error = await context.rejects(run(), StorageError, { isRetryable: true }, `${what}, 429`)
        assert.equal(error.details.retryAfterMs, 7_000, what)
        context.proxy.inject(context.dialect.faults.internalError())
        await context.rejects(run(), StorageError, { isRetryable: true }, `${what}, 500`)
      }
    },
  },
  {
    name: 'core waits as long as it is asked to, and goes on',
    run: async context => {
      const { backend, bucket, proxy } = context
      const pauses: number[] = []
      const sleep = async (ms: number) => void pauses.push(ms)
      const storage = new Storage({ backend, bucket, retry: { sleep, random: () => 0 } })
      proxy.inject(context.dialect.faults.throttled(2), { times: 2 })
      await storage.put('key', 'value')
      assert.deepEqual(pauses, [2_000, 2_000])
      proxy.inject(context.dialect.faults.slowDown(), { times: 3 })
      assert.equal(await storage.get('key', { as: 'text' }), 'value')
      assert.equal(pauses.length, 5)
    },
  },
  {
    name: 'connections that are refused',
    run: async context => {
      const fault = context.proxy.inject(refuse(), { times: Number.POSITIVE_INFINITY })
      const single = Object.entries(context.operations()).filter(([what]) => !/of a stream/.test(what))
      for (const [what, run] of single) {
        await context.rejects(run(), StorageError, { isRetryable: true }, what)
      }
      assert.ok(fault.strikes >= single.length)
    },
  },
  {
    name: 'answers that are lost',
    run: async context => {
      const { backend, bucket, dialect, direct, proxy } = context
      proxy.inject(loseAnswer(), dialect.writes)
      const put = backend.putObject(bucket, 'key', numbered(1000))
      await context.rejects(put, StorageError, { isRetryable: true, key: 'key' }, 'put')
      await backend.putObject(bucket, 'key', numbered(1000))
      proxy.inject(loseAnswer(), dialect.removes)
      await context.rejects(
        backend.deleteObject(bucket, 'key'),
        StorageError,
        { isRetryable: true, key: 'key' },
        'delete',
      )
      await backend.deleteObject(bucket, 'key')
      assert.equal(await direct.bucketExists(bucket), true)
    },
  },
  {
    name: 'a conditional write that was refused undone is tried again, and one whose answer was lost is not',
    run: async context => {
      const { backend, bucket, dialect, direct, proxy } = context
      for (const fault of [dialect.faults.throttled(0), dialect.faults.slowDown()]) {
        const injected = proxy.inject(fault, { ...dialect.writes, times: 2 })
        const put = await backend.putObject(bucket, 'won', numbered(10), { ifAbsent: true })
        assert.equal(put.created, true)
        assert.equal(injected.strikes, 2)
        await direct.deleteObject(bucket, 'won')
      }
      proxy.inject(loseAnswer(), dialect.writes)
      await context.rejects(
        backend.putObject(bucket, 'lost', numbered(10), { ifAbsent: true }),
        StorageError,
        { isRetryable: true, key: 'lost' },
        'put',
      )
      assertSame(await direct.getObject(bucket, 'lost'), numbered(10), 'written all the same')
      const late = await backend.putObject(bucket, 'lost', numbered(5), { ifAbsent: true })
      assert.equal(late.created, false)
    },
  },
]
