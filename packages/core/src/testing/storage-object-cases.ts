import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { STORAGE_SPEC_VERSION } from '../driver/storage-backend.ts'
import { ObjectNotFoundError, StorageError } from '../errors/index.ts'
import { assertSameBytes, collect, patternBytes, rejectsWith } from './kit.ts'
import type { StorageCase } from './storage-context.ts'

/** What the storage is; objects written and read, and what is missing. */
export const objectCases: readonly StorageCase[] = [
  {
    name: 'has a name, the contract version and capabilities',
    run: async ({ backend }) => {
      assert.equal(backend.specVersion, STORAGE_SPEC_VERSION)
      assert.match(backend.name, /^[a-z][a-z0-9_]*$/)
      assert.equal(typeof backend.capabilities.conditionalPut, 'boolean')
      assert.equal(backend.capabilities.presignedUrls, backend.presignUrl !== undefined)
      assert.ok(backend.capabilities.maxKeyBytes >= 255, 'maxKeyBytes')
    },
  },
  {
    name: 'gives the worker a configuration that is plain JSON',
    run: async ({ backend }) => {
      const config = backend.workerConfig()
      assert.deepEqual(JSON.parse(JSON.stringify(config)), config)
    },
  },
  {
    name: 'keeps secrets out of the configuration for workers',
    run: async ({ backend }) => {
      const secrets = backend.workerSecrets?.() ?? {}
      const config = JSON.stringify(backend.workerConfig())
      for (const [field, secret] of Object.entries(secrets)) {
        assert.equal(typeof secret, 'string', `workerSecrets().${field}`)
        assert.ok(secret === '' || !config.includes(secret), `workerConfig() shows the secret '${field}'`)
      }
    },
  },
  {
    name: 'reads what was written',
    run: async context => {
      for (const length of [0, 1, 1023, 1024, 70_000, 1_500_000]) {
        const bytes = patternBytes(length, length)
        const { created } = await context.put('object', bytes)
        assert.equal(created, true, 'created')
        assertSameBytes(await context.get('object'), bytes, `object of ${length} bytes`)
      }
    },
  },
  {
    name: 'writes a view of a buffer, not the whole buffer',
    run: async context => {
      const whole = patternBytes(100)
      await context.put('view', whole.subarray(10, 20))
      assertSameBytes(await context.get('view'), whole.slice(10, 20), 'view')
    },
  },
  {
    name: 'replaces an object',
    run: async context => {
      await context.put('object', patternBytes(5000))
      await context.put('object', patternBytes(10, 1))
      assertSameBytes(await context.get('object'), patternBytes(10, 1), 'second version')
    },
  },
  {
    name: 'writes and reads streams',
    run: async ({ backend, bucket, prefix }) => {
      const bytes = patternBytes(3_000_000)
      for (const pieces of [[], [bytes], [bytes.subarray(0, 1), bytes.subarray(1, 1), bytes.subarray(1)]]) {
        await backend.putObject(bucket, `${prefix}stream`, streamOf(pieces))
        const expected = pieces.length === 0 ? new Uint8Array() : bytes
        const read = await backend.getObjectStream(bucket, `${prefix}stream`)
        assert.equal(read.sizeBytes, expected.length, 'sizeBytes of the stream')
        assertSameBytes(Buffer.concat(await collect(read.body)), expected, `${pieces.length} pieces`)
      }
    },
  },
  {
    name: 'a stream can be read in part and left',
    run: async ({ backend, bucket, prefix }) => {
      await backend.putObject(bucket, `${prefix}stream`, patternBytes(3_000_000))
      const { body } = await backend.getObjectStream(bucket, `${prefix}stream`)
      for await (const piece of body) {
        assert.ok(piece.length > 0)
        break
      }
      const range = { start: 5, end: 1_000_005 }
      const part = await backend.getObjectStream(bucket, `${prefix}stream`, { range })
      assertSameBytes(
        Buffer.concat(await collect(part.body)),
        patternBytes(3_000_000).slice(5, 1_000_005),
        'range of a stream',
      )
      assert.equal(part.sizeBytes, 3_000_000, 'sizeBytes is of the whole object')
    },
  },
  {
    name: 'a stream that fails writes nothing, and its error comes back',
    run: async ({ backend, bucket, prefix }) => {
      const failure = new Error('the source broke')
      async function* failing() {
        yield patternBytes(100)
        throw failure
      }
      await assert.rejects(backend.putObject(bucket, `${prefix}broken`, failing()), error => {
        assert.ok(error === failure || (error as Error).cause === failure, 'the error of the source')
        return true
      })
      await rejectsWith(backend.headObject(bucket, `${prefix}broken`), ObjectNotFoundError, 'head')
    },
  },
  {
    name: 'reads ranges whose end is not part of them',
    run: async context => {
      const bytes = patternBytes(100)
      await context.put('object', bytes)
      const ranges: [number, number?][] = [[0, 1], [0, 100], [10, 20], [99, 100], [0], [50], [99]]
      for (const [start, end] of ranges) {
        assertSameBytes(
          await context.get('object', start, end),
          bytes.slice(start, end),
          `${start} to ${end}`,
        )
      }
    },
  },
  {
    name: 'reads ranges that begin or end beyond the object',
    run: async context => {
      const bytes = patternBytes(100)
      await context.put('object', bytes)
      await context.put('empty', new Uint8Array())
      assertSameBytes(await context.get('object', 90, 200), bytes.slice(90), '90 to 200')
      assertSameBytes(await context.get('object', 100), new Uint8Array(), '100 to end')
      assertSameBytes(await context.get('object', 100, 110), new Uint8Array(), '100 to 110')
      assertSameBytes(await context.get('object', 500, 510), new Uint8Array(), '500 to 510')
      assertSameBytes(await context.get('object', 10, 10), new Uint8Array(), '10 to 10')
      assertSameBytes(await context.get('empty', 0), new Uint8Array(), 'all of an empty object')
      assertSameBytes(await context.get('empty', 0, 10), new Uint8Array(), '0 to 10 of an empty object')
    },
  },
  {
    name: 'tells size, time and ETag of an object',
    run: async ({ backend, bucket, prefix }) => {
      const key = `${prefix}object`
      const put = await backend.putObject(bucket, key, patternBytes(1234))
      const head = await backend.headObject(bucket, key)
      assert.equal(head.sizeBytes, 1234)
      if (put.etag !== undefined) assert.equal(put.etag, head.etag, 'ETag of put and head')
      if (head.lastModified !== undefined) {
        const agoMs = Math.abs(Date.now() - head.lastModified.getTime())
        assert.ok(agoMs < 24 * 3600_000, `lastModified is ${head.lastModified.toISOString()}`)
      }
      const stream = await backend.getObjectStream(bucket, key)
      assert.equal(stream.etag, head.etag, 'ETag of stream and head')
      await collect(stream.body)
      await backend.putObject(bucket, key, patternBytes(1234, 1))
      if (head.etag !== undefined) {
        assert.notEqual((await backend.headObject(bucket, key)).etag, head.etag, 'ETag after a change')
      }
    },
  },
  {
    name: 'copies an object within the service',
    skip: backend => (backend.copyObject === undefined ? 'there is no copyObject' : undefined),
    run: async ({ backend, bucket, prefix }) => {
      const from = { bucket, key: `${prefix}from a+b%20é` }
      const to = { bucket, key: `${prefix}to/below/it é` }
      await backend.putObject(bucket, from.key, patternBytes(70_000))
      await backend.putObject(bucket, to.key, patternBytes(5))
      const copy = await backend.copyObject?.(from, to)
      assertSameBytes(await backend.getObject(bucket, to.key), patternBytes(70_000), 'copy')
      assertSameBytes(await backend.getObject(bucket, from.key), patternBytes(70_000), 'original')
      if (copy?.etag !== undefined) {
        assert.equal(copy.etag, (await backend.headObject(bucket, to.key)).etag, 'ETag of copy and head')
      }
      const missing = backend.copyObject?.({ bucket, key: `${prefix}none` }, to)
      await rejectsWith(Promise.resolve(missing), ObjectNotFoundError, 'copy of what is not there')
      assertSameBytes(await backend.getObject(bucket, to.key), patternBytes(70_000), 'copy after that')
    },
  },
  {
    name: 'keeps the type that it is told of an object, copies too, or has none',
    run: async ({ backend, bucket, prefix }) => {
      const keys = [`${prefix}bytes`, `${prefix}stream`, `${prefix}copy`] as const
      const [bytes, stream, copy] = keys
      const contentType = 'text/x-lithops; charset=utf-8'
      await backend.putObject(bucket, bytes, patternBytes(10), { contentType })
      await backend.putObject(bucket, stream, streamOf([patternBytes(10)]), { contentType })
      await backend.copyObject?.({ bucket, key: bytes }, { bucket, key: copy })
      const hasTypes = (await backend.headObject(bucket, bytes)).contentType !== undefined
      for (const key of backend.copyObject === undefined ? [bytes, stream] : keys) {
        const expected = hasTypes ? contentType : undefined
        assert.equal((await backend.headObject(bucket, key)).contentType, expected, `head of ${key}`)
        const { body, contentType: type } = await backend.getObjectStream(bucket, key)
        await collect(body)
        assert.equal(type, expected, `stream of ${key}`)
      }
    },
  },
  {
    name: 'refuses to read an object that is another than expected',
    run: async ({ backend, bucket, prefix }) => {
      const key = `${prefix}object`
      await backend.putObject(bucket, key, patternBytes(10))
      const { etag } = await backend.headObject(bucket, key)
      if (etag === undefined) return
      assertSameBytes(await backend.getObject(bucket, key, { ifMatch: etag }), patternBytes(10), 'same')
      await backend.putObject(bucket, key, patternBytes(10, 1))
      const changed = 'LITHOPS_OBJECT_CHANGED'
      await rejectsWith(backend.getObject(bucket, key, { ifMatch: etag }), StorageError, 'get', changed)
      await rejectsWith(
        backend.getObject(bucket, key, { ifMatch: etag, range: { start: 0, end: 1 } }),
        StorageError,
        'get of a range',
        changed,
      )
      await rejectsWith(
        backend.getObjectStream(bucket, key, { ifMatch: etag }),
        StorageError,
        'stream',
        changed,
      )
    },
  },
  {
    name: 'a missing object is an ObjectNotFoundError with its bucket and key',
    run: async ({ backend, bucket, prefix }) => {
      const key = `${prefix}no such object`
      const reads = {
        getObject: backend.getObject(bucket, key),
        'getObject of a range': backend.getObject(bucket, key, { range: { start: 1, end: 2 } }),
        getObjectStream: backend.getObjectStream(bucket, key),
        headObject: backend.headObject(bucket, key),
      }
      const settled = await Promise.allSettled(Object.values(reads))
      for (const [i, what] of Object.keys(reads).entries()) {
        const result = settled[i]
        const promise =
          result?.status === 'rejected' ? Promise.reject(result.reason) : Promise.resolve(result?.value)
        const error = await rejectsWith(promise, ObjectNotFoundError, what, 'LITHOPS_OBJECT_NOT_FOUND')
        const details = error.details as Record<string, unknown>
        assert.equal(details.bucket, bucket, `${what}: details.bucket`)
        assert.equal(details.key, key, `${what}: details.key`)
        assert.equal(error.isRetryable, false, `${what}: isRetryable`)
      }
    },
  },
  {
    name: 'a missing bucket is an ObjectNotFoundError',
    run: async ({ backend, prefix }) => {
      const bucket = `lithops-none-${randomUUID()}`
      assert.equal(await backend.bucketExists(bucket), false, 'bucketExists')
      const key = `${prefix}object`
      await rejectsWith(backend.putObject(bucket, key, patternBytes(1)), ObjectNotFoundError, 'putObject')
      await rejectsWith(backend.getObject(bucket, key), ObjectNotFoundError, 'getObject')
      await rejectsWith(backend.headObject(bucket, key), ObjectNotFoundError, 'headObject')
      await rejectsWith(collect(backend.listObjects(bucket)), ObjectNotFoundError, 'listObjects')
    },
  },
  {
    name: 'a bucket can be created again and keeps its objects',
    run: async context => {
      await context.put('kept')
      await context.backend.createBucket(context.bucket)
      assert.equal(await context.backend.bucketExists(context.bucket), true)
      assertSameBytes(await context.get('kept'), patternBytes(3), 'kept')
    },
  },
]

async function* streamOf(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield piece
}
