import assert from 'node:assert/strict'
import { Storage } from '@lithops/core'
import { ObjectNotFoundError, StorageError } from '@lithops/core/driver'
import { cutRequest, cutResponse } from '../fault-proxy/index.ts'
import { assertSame, numbered } from './context.ts'
import type { FaultCase } from './suite.ts'

const SIZE = 3_000_000

/** Connections that are cut in the middle of a body. */
export const bodyCases: readonly FaultCase[] = [
  {
    name: 'a get that is cut is an error that may pass, and frees its connection',
    run: async context => {
      const { backend, bucket, direct, proxy } = context
      const bytes = numbered(SIZE)
      await direct.putObject(bucket, 'key', bytes)
      for (const afterBytes of [0, 1, 1_000_000, SIZE - 1]) {
        const fault = proxy.inject(cutResponse(afterBytes), context.dialect.reads)
        const get = backend.getObject(bucket, 'key')
        await context.rejects(get, StorageError, { isRetryable: true, key: 'key' }, `get, ${afterBytes}`)
        assert.equal(fault.strikes, 1)
      }
      proxy.inject(cutResponse(1_000_000), context.dialect.reads)
      const { body } = await backend.getObjectStream(bucket, 'key')
      let read = 0
      const reading = (async () => {
        for await (const piece of body) {
          assertSame(piece, bytes.subarray(read, read + piece.length), 'piece before the cut')
          read += piece.length
        }
      })()
      await context.rejects(reading, StorageError, { isRetryable: true, key: 'key' }, 'stream')
      assert.ok(read > 0 && read <= 1_000_000, `read ${read}`)
      assertSame(await backend.getObject(bucket, 'key'), bytes, 'whole')
      await backend.close()
      await eventually(() => proxy.openConnections === 0, 'connections are closed')
    },
  },
  {
    name: 'streams that are left, or aborted, free their connections',
    run: async ({ backend, bucket, direct, proxy }) => {
      await direct.putObject(bucket, 'key', numbered(20_000_000))
      for (let i = 0; i < 5; i++) {
        const { body } = await backend.getObjectStream(bucket, 'key')
        for await (const _ of body) break
        const controller = new AbortController()
        const aborted = await backend.getObjectStream(bucket, 'key', { signal: controller.signal })
        const reading = (async () => {
          for await (const _ of aborted.body) controller.abort(new Error('enough'))
        })()
        await assert.rejects(reading, /enough/)
        const unread = new AbortController()
        await backend.getObjectStream(bucket, 'key', { signal: unread.signal })
        unread.abort()
      }
      // what is open then waits for the next request
      await eventually(() => proxy.openConnections <= 1, 'connections of streams that were left')
    },
  },
  {
    name: 'core reads on where reads were cut, every second one',
    run: async context => {
      const { backend, bucket, direct, proxy } = context
      const bytes = numbered(SIZE)
      await direct.putObject(bucket, 'key', bytes)
      const cuts = proxy.inject(cutResponse(400_000), { ...context.dialect.reads, every: 2, times: 100 })
      const storage = new Storage({ backend, bucket, retry: { sleep: async () => {} } })
      for (let i = 0; i < 5; i++) {
        assertSame(await storage.get('key'), bytes, 'bytes')
        const pieces: Uint8Array[] = []
        for await (const piece of await storage.get('key', { as: 'stream' })) pieces.push(piece)
        assertSame(Buffer.concat(pieces), bytes, 'stream')
      }
      const range = { start: 100, end: 2_000_100 }
      const part: Uint8Array[] = []
      for await (const piece of await storage.get('key', { as: 'stream', range })) part.push(piece)
      assertSame(Buffer.concat(part), bytes.subarray(100, 2_000_100), 'range')
      assert.ok(cuts.strikes >= 8, `${cuts.strikes} cuts`)
    },
  },
  {
    name: 'a put that is cut writes nothing, and leaves the old object',
    run: async context => {
      const { backend, bucket, direct, proxy } = context
      const cut = async (key: string) => {
        const fault = proxy.inject(cutRequest(1_000_000), context.dialect.writes)
        const put = backend.putObject(bucket, key, numbered(SIZE))
        await context.rejects(put, StorageError, { isRetryable: true, key }, `put of ${key}`)
        assert.equal(fault.strikes, 1)
      }
      await cut('new')
      await assert.rejects(direct.headObject(bucket, 'new'), (error: unknown) =>
        ObjectNotFoundError.isInstance(error),
      )
      await direct.putObject(bucket, 'old', numbered(10))
      await cut('old')
      assertSame(await direct.getObject(bucket, 'old'), numbered(10), 'old object')
    },
  },
]

async function eventually(look: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 100 && !look(); i++) await new Promise(resolve => setTimeout(resolve, 50))
  assert.ok(look(), what)
}
