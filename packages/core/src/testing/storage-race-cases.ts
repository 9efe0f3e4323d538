import assert from 'node:assert/strict'
import { ObjectNotFoundError, StorageError } from '../errors/index.ts'
import { assertSameBytes, collect, patternBytes, rejectsAborted, rejectsWith } from './kit.ts'
import type { StorageCase } from './storage-context.ts'

/** Several at once, interruptions, shared URLs and the end. */
export const raceCases: readonly StorageCase[] = [
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
          const bytes = await context.get('object').catch(unlessItMayPass)
          if (bytes === undefined) continue
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

/** A service under strain may refuse a read for a moment; core reads again, and it is no mixture. */
function unlessItMayPass(error: unknown): undefined {
  if (!StorageError.isInstance(error) || !error.isRetryable) throw error
}
