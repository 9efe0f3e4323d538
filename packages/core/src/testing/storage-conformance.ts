import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type ObjectEntry, STORAGE_SPEC_VERSION, type StorageBackend } from '../driver/storage-backend.ts'
import { ObjectNotFoundError, StorageError } from '../errors/index.ts'
import { compareKeys } from '../storage/key-order.ts'
import {
  assertSameBytes,
  collect,
  eventually,
  forEachAtOnce,
  type KitCase,
  patternBytes,
  registerCases,
  rejectsAborted,
  rejectsWith,
  type TestFunction,
} from './kit.ts'

export interface StorageTiming {
  /** How long a written or removed key may take to show in a listing. Default: 0, a listing is up to date. */
  readonly listDelayMs?: number
  /** How many keys fill several pages of a listing. Default: 2,100; pages of most services have 1,000. */
  readonly manyKeys?: number
  /** How many requests the kit makes at once when it fills a bucket. Default: 32. */
  readonly requestsAtOnce?: number
}

export interface StorageConformanceOptions {
  readonly test: TestFunction
  /** Makes a backend; each case asks for one and closes it. They may share what they store. */
  readonly createBackend: () => StorageBackend | Promise<StorageBackend>
  /** The bucket to work in; created when it is not there. Each case uses a prefix of its own and empties it. */
  readonly bucket?: string
  readonly timing?: StorageTiming
}

/** What a case has: the backend, and names of its own. */
class StorageContext implements AsyncDisposable {
  readonly backend: StorageBackend
  readonly bucket: string
  readonly prefix = `conformance/${randomUUID()}/`
  readonly timing: Required<StorageTiming>
  readonly #cleaner: StorageBackend

  constructor(
    backend: StorageBackend,
    cleaner: StorageBackend,
    options: { readonly bucket: string; readonly timing: Required<StorageTiming> },
  ) {
    this.backend = backend
    this.#cleaner = cleaner
    this.bucket = options.bucket
    this.timing = options.timing
  }

  put(key: string, body: Uint8Array = patternBytes(3)) {
    return this.backend.putObject(this.bucket, this.prefix + key, body)
  }

  get(key: string, start?: number, end?: number) {
    const range = start === undefined ? undefined : { start, ...(end === undefined ? {} : { end }) }
    return this.backend.getObject(this.bucket, this.prefix + key, range === undefined ? {} : { range })
  }

  /** Keys below the case's prefix, without it. */
  async list(prefix = ''): Promise<string[]> {
    const entries = await collect(this.backend.listObjects(this.bucket, this.prefix + prefix))
    return entries.map(entry => entry.key.slice(this.prefix.length))
  }

  /** Asserts what a listing has, waiting as long as the service may need. */
  async lists(expected: readonly string[], prefix = ''): Promise<void> {
    const sorted = [...expected].sort(compareKeys)
    let actual: string[] = []
    await eventually(
      async () => {
        actual = await this.list(prefix)
        return JSON.stringify(actual) === JSON.stringify(sorted) ? true : undefined
      },
      this.timing.listDelayMs,
      `listing with prefix ${JSON.stringify(prefix)}`,
    ).catch(error => {
      assert.deepEqual(actual, sorted, `listing with prefix ${JSON.stringify(prefix)}`)
      throw error
    })
  }

  /** Removes what the case left, through a backend of its own: the case may have closed its backend. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const keys: string[] = []
      for await (const entry of this.#cleaner.listObjects(this.bucket, this.prefix)) keys.push(entry.key)
      if (keys.length > 0) await this.#cleaner.deleteObjects(this.bucket, keys)
    } finally {
      await this.#cleaner.close()
      await this.backend.close()
    }
  }
}

const ODD_KEYS = [
  'a b.txt',
  '100%.txt',
  '%41.txt',
  '%2F',
  'a+b',
  'a%2Bb',
  'é.txt',
  'e\u0301.txt',
  '漢字/かな',
  '😀',
  'q?x=1&y=2#z',
  '"quoted" \'single\'',
  '<tag>&amp;',
  'back\\slash',
  'co:lon*star|pipe',
  'comma,semi;colon=$@!~^`()[]{}',
  'tilde~dash-under_score.dot',
  'con',
  'CON',
  'nul.txt',
  'ends with dot.',
  'ends with space ',
  'UPPER',
  'upper',
  'trailing/',
  'double//slash',
  'x/./y',
  'x/../y',
  '...',
  'nested',
  'nested/below',
  'nested/below/more',
  'nested.txt',
  'nested.txt/below',
]

const cases: KitCase<StorageBackend, StorageContext>[] = [
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
  {
    name: 'removes objects, and what is not there without an error',
    run: async context => {
      const { backend, bucket, prefix } = context
      await context.put('one')
      await context.put('two')
      await backend.deleteObject(bucket, `${prefix}one`)
      await backend.deleteObject(bucket, `${prefix}one`)
      await backend.deleteObject(bucket, `${prefix}never/was`)
      await rejectsWith(context.get('one'), ObjectNotFoundError, 'get of a removed object')
      await context.lists(['two'])
    },
  },
  {
    name: 'removes any number of objects at once',
    run: async context => {
      const { backend, bucket, prefix, timing } = context
      await backend.deleteObjects(bucket, [])
      const keys = manyKeys(timing.manyKeys)
      await forEachAtOnce(keys, timing.requestsAtOnce, key => context.put(key))
      await context.put('kept & safe')
      const all = [...keys, 'never was', ...ODD_KEYS]
      await backend.deleteObjects(
        bucket,
        all.map(key => prefix + key),
      )
      await context.lists(['kept & safe'])
    },
  },
  {
    name: 'lists nothing where nothing is',
    run: async context => {
      assert.deepEqual(await context.list(), [])
      assert.deepEqual(await context.list('no/such/prefix'), [])
    },
  },
  {
    name: 'lists all keys of several pages in order',
    run: async context => {
      const keys = manyKeys(context.timing.manyKeys)
      await forEachAtOnce(keys, context.timing.requestsAtOnce, key => context.put(key, new Uint8Array()))
      await context.lists(keys)
    },
  },
  {
    name: 'lists by prefix, and not its siblings',
    run: async context => {
      const keys = ['a', 'a-1', 'a/', 'a/1', 'a/1/x', 'a/10', 'a/2', 'a0', 'ab/1', 'b', 'A/1', '1']
      for (const key of keys) await context.put(key)
      await context.lists(keys)
      for (const prefix of ['a', 'a/', 'a/1', 'a/1/', 'a-', 'b', 'ab', 'c', 'a/1/x', 'a/1/x/']) {
        await context.lists(
          keys.filter(key => key.startsWith(prefix)),
          prefix,
        )
      }
    },
  },
  {
    name: 'lists in the order of UTF-8 bytes',
    run: async context => {
      const keys = [
        'z',
        'a',
        'Z',
        'a/b',
        'a-b',
        'a.b',
        'aa',
        'é',
        '\uffee',
        '😀',
        '\u{e000}',
        '+',
        ' x',
        '%',
        '~',
      ]
      for (const key of keys) await context.put(key)
      await context.lists(keys)
    },
  },
  {
    name: 'a listing tells sizes, and ETags as head does',
    run: async ({ backend, bucket, prefix }) => {
      for (const length of [0, 10, 2000]) {
        await backend.putObject(bucket, `${prefix}${length}`, patternBytes(length))
      }
      const entries = await collect(backend.listObjects(bucket, prefix))
      const bySize = entries.map((entry: ObjectEntry) => [entry.key.slice(prefix.length), entry.sizeBytes])
      assert.deepEqual(bySize, [
        ['0', 0],
        ['10', 10],
        ['2000', 2000],
      ])
      for (const entry of entries) {
        if (entry.etag === undefined) continue
        assert.equal(entry.etag, (await backend.headObject(bucket, entry.key)).etag, 'ETag')
      }
    },
  },
  {
    name: 'a listing can be left early',
    run: async context => {
      for (const key of ['1', '2', '3']) await context.put(key)
      for await (const entry of context.backend.listObjects(context.bucket, context.prefix)) {
        assert.equal(entry.key, `${context.prefix}1`)
        break
      }
    },
  },
  {
    name: 'keeps odd keys as they are',
    run: async context => {
      for (const [i, key] of ODD_KEYS.entries()) await context.put(key, patternBytes(20, i))
      for (const [i, key] of ODD_KEYS.entries()) {
        assertSameBytes(await context.get(key), patternBytes(20, i), `key ${JSON.stringify(key)}`)
      }
      await context.lists(ODD_KEYS)
      for (const key of ODD_KEYS) {
        await context.lists(
          ODD_KEYS.filter(other => other.startsWith(key)),
          key,
        )
        await context.backend.deleteObject(context.bucket, context.prefix + key)
        await rejectsWith(context.get(key), ObjectNotFoundError, `removed key ${JSON.stringify(key)}`)
      }
      await context.lists([])
    },
  },
  {
    name: 'takes keys up to its limit, and refuses longer ones',
    run: async context => {
      const { backend, bucket, prefix } = context
      const { maxKeyBytes } = backend.capabilities
      if (!Number.isFinite(maxKeyBytes)) return
      const room = maxKeyBytes - Buffer.byteLength(prefix)
      for (const fill of ['k', 'é', 'd/']) {
        const key = fill.repeat(room).slice(0, Math.floor(room / Buffer.byteLength(fill)) * fill.length)
        const exact = key + 'x'.repeat(room - Buffer.byteLength(key))
        await context.put(exact)
        assertSameBytes(await context.get(exact), patternBytes(3), 'object with the longest key')
        await context.lists([exact], exact.slice(0, 20))
        await backend.deleteObject(bucket, prefix + exact)
      }
      await rejectsWith(context.put('k'.repeat(room + 1)), StorageError, 'a key of one byte too many')
      await rejectsWith(backend.putObject(bucket, '', patternBytes(1)), StorageError, 'an empty key')
    },
  },
  {
    name: 'readers see the old or the new object, never a mixture',
    run: async context => {
      const versions = [patternBytes(200_000, 1), patternBytes(300_000, 2)] as const
      await context.put('object', versions[0])
      let isWriting = true
      const write = async () => {
        for (let i = 0; i < 10; i++) await context.put('object', versions[i % 2])
        isWriting = false
      }
      const read = async () => {
        do {
          const bytes = await context.get('object')
          const expected = versions.find(version => version.length === bytes.length)
          assert.ok(expected !== undefined, `an object of ${bytes.length} bytes, which nobody wrote`)
          assertSameBytes(bytes, expected, 'object while it is replaced')
        } while (isWriting)
      }
      await Promise.all([write(), read(), read()])
    },
  },
  {
    name: 'many writers and removers at once leave what they should',
    run: async context => {
      const { backend, bucket, prefix } = context
      const keys = Array.from({ length: 60 }, (_, i) => `folder/${i % 3}/${i}`)
      for (let round = 0; round < 3; round++) {
        await Promise.all(keys.map((key, i) => context.put(key, patternBytes(10, i))))
        const removals = keys.filter((_, i) => i % 2 === 0)
        await Promise.all([
          ...removals.map(key => backend.deleteObject(bucket, prefix + key)),
          ...removals.map((_, i) => context.put(`folder/${i % 3}/more-${i}`)),
        ])
      }
      const kept = keys.filter((_, i) => i % 2 === 1)
      await context.lists([...kept, ...Array.from({ length: 30 }, (_, i) => `folder/${i % 3}/more-${i}`)])
    },
  },
  {
    name: 'one of several writers with ifAbsent wins',
    skip: backend =>
      backend.capabilities.conditionalPut ? undefined : 'capabilities.conditionalPut is false',
    run: async ({ backend, bucket, prefix }) => {
      const key = `${prefix}lock`
      const writers = Array.from({ length: 20 }, (_, i) =>
        backend.putObject(bucket, key, patternBytes(50, i), { ifAbsent: true }),
      )
      const winners = (await Promise.all(writers)).flatMap((answer, i) => (answer.created ? [i] : []))
      assert.equal(winners.length, 1, 'number of writers that created the object')
      assertSameBytes(
        await backend.getObject(bucket, key),
        patternBytes(50, winners[0]),
        "the winner's bytes",
      )
      const late = await backend.putObject(bucket, key, patternBytes(1), { ifAbsent: true })
      assert.equal(late.created, false, 'created of a late writer')
      await backend.deleteObject(bucket, key)
      const next = await backend.putObject(bucket, key, patternBytes(1), { ifAbsent: true })
      assert.equal(next.created, true, 'created after the object was removed')
    },
  },
  {
    name: 'an aborted signal ends every operation',
    run: async context => {
      const { backend, bucket, prefix } = context
      await context.put('object')
      const reason = new DOMException('enough', 'AbortError')
      const signal = AbortSignal.abort(reason)
      const key = `${prefix}object`
      const options = { signal }
      const expectAbort = (promise: Promise<unknown>, what: string) => rejectsAborted(promise, reason, what)
      await expectAbort(backend.putObject(bucket, `${prefix}new`, patternBytes(1), options), 'putObject')
      await expectAbort(backend.getObject(bucket, key, options), 'getObject')
      await expectAbort(backend.getObjectStream(bucket, key, options), 'getObjectStream')
      await expectAbort(backend.headObject(bucket, key, options), 'headObject')
      await expectAbort(backend.deleteObject(bucket, key, options), 'deleteObject')
      await expectAbort(backend.deleteObjects(bucket, [key], options), 'deleteObjects')
      await expectAbort(collect(backend.listObjects(bucket, prefix, options)), 'listObjects')
      await context.lists(['object'])
    },
  },
  {
    name: 'a signal aborted during a write leaves no object',
    run: async ({ backend, bucket, prefix }) => {
      const controller = new AbortController()
      const reason = new DOMException('enough', 'AbortError')
      async function* body() {
        yield patternBytes(100)
        controller.abort(reason)
        yield patternBytes(100)
      }
      const put = backend.putObject(bucket, `${prefix}object`, body(), { signal: controller.signal })
      await rejectsAborted(put, reason, 'putObject')
      await rejectsWith(backend.headObject(bucket, `${prefix}object`), ObjectNotFoundError, 'head')
    },
  },
  {
    name: 'answers requests made at the same time',
    run: async context => {
      await Promise.all([context.put('one'), context.put('two'), context.put('three')])
      const reads = await Promise.all(['one', 'two', 'three', 'one'].map(key => context.get(key)))
      for (const bytes of reads) assertSameBytes(bytes, patternBytes(3), 'object')
    },
  },
  {
    name: 'gives a URL that reads and writes an object',
    skip: backend => (backend.capabilities.presignedUrls ? undefined : 'capabilities.presignedUrls is false'),
    run: async ({ backend, bucket, prefix }) => {
      const key = `${prefix}shared object+1.bin`
      const options = { expiresInMs: 60_000 }
      const putUrl = await backend.presignUrl?.(bucket, key, { method: 'PUT', ...options })
      // Azure asks for the kind of blob; other services ignore the header.
      const headers = { 'x-ms-blob-type': 'BlockBlob' }
      const put = await fetch(String(putUrl), { method: 'PUT', body: Buffer.from('shared'), headers })
      assert.ok(put.ok, `PUT answered ${put.status}`)
      const getUrl = await backend.presignUrl?.(bucket, key, { method: 'GET', ...options })
      const got = await fetch(String(getUrl))
      assert.equal(await got.text(), 'shared')
    },
  },
  {
    name: 'can be closed twice, and refuses work afterwards',
    run: async ({ backend, bucket, prefix }) => {
      await backend.close()
      await backend.close()
      const closed = 'LITHOPS_CLOSED'
      const key = `${prefix}late`
      await rejectsWith(backend.putObject(bucket, key, patternBytes(1)), StorageError, 'putObject', closed)
      await rejectsWith(backend.getObject(bucket, key), StorageError, 'getObject', closed)
      await rejectsWith(backend.headObject(bucket, key), StorageError, 'headObject', closed)
      await rejectsWith(backend.deleteObject(bucket, key), StorageError, 'deleteObject', closed)
      await rejectsWith(collect(backend.listObjects(bucket)), StorageError, 'listObjects', closed)
    },
  },
]

/**
 * Proves that a storage driver keeps the StorageBackend contract. Registers one test for each case.
 *
 * ```ts
 * storageConformance({ test, createBackend: () => new MyStorage({ endpoint }) })
 * ```
 */
export function storageConformance(options: StorageConformanceOptions): void {
  const bucket = options.bucket ?? 'lithops-conformance'
  const timing = { listDelayMs: 0, manyKeys: 2_100, requestsAtOnce: 32, ...options.timing }
  registerCases({
    test: options.test,
    kit: 'storage',
    cases,
    open: async () => {
      const backend = await options.createBackend()
      const cleaner = await options.createBackend()
      await backend.createBucket(bucket)
      await cleaner.createBucket(bucket)
      return { subject: backend, context: new StorageContext(backend, cleaner, { bucket, timing }) }
    },
  })
}

function manyKeys(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `many/${String(i).padStart(6, '0')}`)
}

async function* streamOf(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield piece
}
