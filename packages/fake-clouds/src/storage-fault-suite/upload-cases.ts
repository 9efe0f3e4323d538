import assert from 'node:assert/strict'
import { ObjectNotFoundError, StorageError } from '@lithops/core/driver'
import { assertSame, type FaultContext, numbered, streamOf } from './context.ts'
import type { FaultCase } from './suite.ts'

/** Several parts of whatever size a driver may choose up to 16 MiB. */
export const SIZE = 40 << 20
export const KEY = 'uploads/big one'

/** Uploads of large streams that break in the middle. */
export const uploadCases: readonly FaultCase[] = [
  {
    name: 'a part that fails for good: reading stops, and nothing is left',
    timeoutMs: 120_000,
    run: async context => {
      const { backend, bucket, proxy } = context
      proxy.inject(context.dialect.faults.accessDenied(), {
        ...context.dialect.parts,
        skip: 1,
        times: Number.POSITIVE_INFINITY,
      })
      let readTo = 0
      let isEnded = false
      const endless = streamOf(400 << 20, { onPiece: at => (readTo = at), onEnd: () => (isEnded = true) })
      const put = backend.putObject(bucket, KEY, endless)
      await context.rejects(put, StorageError, { isRetryable: false, key: KEY }, 'put')
      assert.ok(readTo < 150 << 20, `read to ${readTo}`)
      await new Promise(resolve => setTimeout(resolve, 20))
      assert.ok(isEnded, 'the source was ended')
      await isClean(context)
    },
  },
  {
    name: 'a source that throws in the middle: its error comes back, and nothing is left',
    run: async context => {
      const { backend, bucket } = context
      const reason = new Error('the disk is gone')
      const onPiece = (at: number) => {
        if (at >= 30 << 20) throw reason
      }
      const put = backend.putObject(bucket, KEY, streamOf(SIZE, { onPiece }))
      await assert.rejects(put, (error: unknown) => error === reason)
      await isClean(context)
    },
  },
  {
    name: 'an abort in the middle, of the source or of a waiting one, leaves nothing',
    run: async context => {
      const { backend, bucket } = context
      const reason = new DOMException('enough', 'AbortError')
      const controller = new AbortController()
      const onPiece = (at: number) => {
        if (at >= 25 << 20) controller.abort(reason)
      }
      const put = backend.putObject(bucket, KEY, streamOf(SIZE, { onPiece }), { signal: controller.signal })
      await assert.rejects(put, (error: unknown) => error === reason)
      const second = new AbortController()
      async function* waiting() {
        yield* streamOf(20 << 20)
        setTimeout(() => second.abort(reason), 50)
        await new Promise(() => {})
      }
      const waits = backend.putObject(bucket, KEY, waiting(), { signal: second.signal })
      await assert.rejects(waits, (error: unknown) => error === reason)
      await isClean(context)
    },
  },
  {
    name: 'pieces whose memory is used again are written as they were',
    run: async ({ backend, bucket, direct }) => {
      const memory = new Uint8Array(300_000)
      async function* reusing() {
        for (let i = 1; i <= 60; i++) yield memory.fill(i)
      }
      await backend.putObject(bucket, KEY, reusing())
      const read = await direct.getObject(bucket, KEY)
      const expected = Buffer.concat(
        Array.from({ length: 60 }, (_, i) => new Uint8Array(300_000).fill(i + 1)),
      )
      assertSame(read, expected, 'object')
    },
  },
  {
    name: 'large bytes and small streams',
    timeoutMs: 120_000,
    run: async ({ backend, bucket, direct }) => {
      for (const size of [0, 1, 100_000]) {
        await backend.putObject(bucket, 'small', streamOf(size))
        assertSame(await direct.getObject(bucket, 'small'), numbered(size), `${size} bytes`)
      }
      const large = numbered(70 << 20)
      await backend.putObject(bucket, 'large', large)
      assertSame(await direct.getObject(bucket, 'large'), large, 'large bytes')
    },
  },
]

export async function isThere<K>({ direct, bucket }: FaultContext<K>): Promise<void> {
  assertSame(await direct.getObject(bucket, KEY), numbered(SIZE), 'object')
}

export async function isClean<K>(context: FaultContext<K>): Promise<void> {
  await assert.rejects(context.direct.headObject(context.bucket, KEY), (error: unknown) =>
    ObjectNotFoundError.isInstance(error),
  )
  assert.deepEqual(await context.leftovers(), { keys: [], uploads: [] })
}
