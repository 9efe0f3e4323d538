import assert from 'node:assert/strict'
import { ObjectNotFoundError, StorageError } from '@lithops/core/driver'
import { cutRequest, cutResponse, loseAnswer, refuse, s3Faults } from '../fault-proxy/index.ts'
import { assertSame, type FaultContext, numbered, streamOf } from './context.ts'
import type { FaultCase } from './suite.ts'

/** Several parts of whatever size a driver may choose up to 16 MiB. */
const SIZE = 40 << 20
const KEY = 'uploads/big one'

/** Uploads in parts that break in the middle. */
export const uploadCases: readonly FaultCase[] = [
  {
    name: 'parts that fail once are sent again',
    timeoutMs: 120_000,
    run: async context => {
      const { backend, bucket, proxy } = context
      const faults = [
        proxy.inject(s3Faults.slowDown(), { url: /partNumber=1(&|$)/ }),
        proxy.inject(cutRequest(2_000_000), { url: /partNumber=2(&|$)/ }),
        proxy.inject(loseAnswer(), { url: /partNumber=3(&|$)/ }),
        proxy.inject(refuse(), { url: /partNumber=4(&|$)/ }),
      ]
      const { etag } = await backend.putObject(bucket, KEY, streamOf(SIZE))
      assert.deepEqual(
        faults.map(fault => fault.strikes),
        [1, 1, 1, 1],
      )
      await isThere(context)
      if (etag !== undefined) assert.equal((await backend.headObject(bucket, KEY)).etag, etag)
    },
  },
  {
    name: 'a part that fails for good: reading stops, and nothing is left',
    timeoutMs: 120_000,
    run: async context => {
      const { backend, bucket, proxy } = context
      proxy.inject(s3Faults.accessDenied(), { url: /partNumber=2(&|$)/, times: Number.POSITIVE_INFINITY })
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
    name: 'a completion whose answer is lost has completed',
    run: async context => {
      const { backend, bucket, proxy } = context
      const fault = proxy.inject(loseAnswer(), { method: 'POST', url: /uploadId=/ })
      const { created } = await backend.putObject(bucket, KEY, streamOf(SIZE))
      assert.equal(created, true)
      assert.equal(fault.strikes, 1)
      await isThere(context)
    },
  },
  {
    name: 'a completion that fails for good leaves nothing',
    timeoutMs: 120_000,
    run: async context => {
      const { backend, bucket, proxy } = context
      proxy.inject(s3Faults.internalError(), {
        method: 'POST',
        url: /uploadId=/,
        times: Number.POSITIVE_INFINITY,
      })
      const put = backend.putObject(bucket, KEY, streamOf(SIZE))
      await context.rejects(put, StorageError, { isRetryable: true, key: KEY }, 'put')
      await isClean(context)
    },
  },
  {
    name: 'an upload that cannot begin, and a clean-up that has to be tried twice',
    timeoutMs: 120_000,
    run: async context => {
      const { backend, bucket, proxy } = context
      const begin = proxy.inject(s3Faults.accessDenied(), { method: 'POST', url: /uploads/ })
      const put = backend.putObject(bucket, KEY, streamOf(SIZE))
      await context.rejects(put, StorageError, { isRetryable: false, key: KEY }, 'put')
      assert.equal(begin.strikes, 1)
      proxy.clear()
      const cleanUp = proxy.inject(cutResponse(0), { method: 'DELETE', url: /uploadId=/ })
      const refused = proxy.inject(refuse(), { method: 'DELETE', url: /uploadId=/ })
      proxy.inject(s3Faults.accessDenied(), { url: /partNumber=1(&|$)/ })
      const second = backend.putObject(bucket, KEY, streamOf(SIZE))
      await context.rejects(second, StorageError, { isRetryable: false, key: KEY }, 'put')
      assert.ok(cleanUp.strikes + refused.strikes >= 1)
      await isClean(context)
    },
  },
  {
    name: 'small streams and large bytes, in one request and in parts',
    timeoutMs: 120_000,
    run: async context => {
      const { backend, bucket, direct, proxy } = context
      for (const size of [0, 1, 100_000]) {
        await backend.putObject(bucket, 'small', streamOf(size))
        assertSame(await direct.getObject(bucket, 'small'), numbered(size), `${size} bytes`)
      }
      assert.ok(!proxy.requests.some(({ url }) => url.includes('uploadId')))
      const large = numbered(70 << 20)
      await backend.putObject(bucket, 'large', large)
      assert.ok(proxy.requests.some(({ url }) => url.includes('partNumber=2')))
      assertSame(await direct.getObject(bucket, 'large'), large, 'large bytes')
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
]

async function isThere({ direct, bucket }: FaultContext): Promise<void> {
  assertSame(await direct.getObject(bucket, KEY), numbered(SIZE), 'object')
}

async function isClean(context: FaultContext): Promise<void> {
  await assert.rejects(context.direct.headObject(context.bucket, KEY), (error: unknown) =>
    ObjectNotFoundError.isInstance(error),
  )
  assert.deepEqual(await context.leftovers(), { keys: [], uploads: [] })
}
