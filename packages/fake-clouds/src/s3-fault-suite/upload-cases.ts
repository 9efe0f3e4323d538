import assert from 'node:assert/strict'
import { StorageError } from '@lithops/core/driver'
import { cutRequest, cutResponse, loseAnswer, refuse, s3Faults } from '../fault-proxy/index.ts'
import { assertSame, numbered, streamOf } from '../storage-fault-suite/context.ts'
import { isClean, isThere, KEY, SIZE } from '../storage-fault-suite/upload-cases.ts'
import type { S3FaultCase } from './suite.ts'

/** Uploads in parts, as S3 has them. */
export const s3UploadCases: readonly S3FaultCase[] = [
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
]
