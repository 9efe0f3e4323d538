/** Uploads in parts that break, copies, and what others have put there. */
import { gzipSync } from 'node:zlib'
import type { Storage } from '@google-cloud/storage'
import { ObjectNotFoundError, StorageAccessError, StorageError } from '@lithops/core/driver'
import { cutRequest, FaultProxy, gcsFaults, loseAnswer, refuse } from '@lithops/fake-clouds/fault-proxy'
import { expect } from 'vitest'
import { withFakeGcs } from './with-fake-gcs.ts'

const server = withFakeGcs()
const { test } = server
const BUCKET = 'uploads'
const PART = { method: 'PUT', url: /upload_id=/ }
const LIMIT = { timeout: 120_000 }
const MIB = 1 << 20

async function* pieces(count: number) {
  for (let i = 0; i < count; i++) yield new Uint8Array(MIB).fill(i + 1)
}

const expected = (count: number) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => new Uint8Array(MIB).fill(i + 1)))

async function opened() {
  const proxy = await FaultProxy.start({ target: server.fake.endpoint })
  const storage = await server.open({ endpoint: proxy.url })
  await storage.createBucket(BUCKET)
  proxy.clear()
  const close = async () => {
    for await (const { key } of storage.listObjects(BUCKET)) await storage.deleteObject(BUCKET, key)
    expect(server.fake.unfinishedUploads).toEqual([])
    await storage.close()
    await proxy.close()
  }
  return { proxy, storage, [Symbol.asyncDispose]: close }
}

test(
  'parts that fail once go on where the service has them',
  async () => {
    await using parts = await opened()
    const { proxy, storage } = parts
    const faults = [
      gcsFaults.slowDown(),
      cutRequest(5_000_000),
      loseAnswer(),
      refuse(),
      gcsFaults.throttled(0),
    ]
    const injected = faults.map(fault => proxy.inject(fault, PART))
    const { etag } = await storage.putObject(BUCKET, 'big', pieces(41))
    expect(injected.map(fault => fault.strikes)).toEqual([1, 1, 1, 1, 1])
    expect(await storage.headObject(BUCKET, 'big')).toMatchObject({ sizeBytes: 41 * MIB, etag })
    expect(Buffer.compare(await storage.getObject(BUCKET, 'big'), expected(41))).toBe(0)
    // the bytes that had arrived before the cut were not sent again
    const sent = proxy.requests.filter(({ method }) => method === 'PUT').map(({ sentBytes }) => sentBytes)
    expect(sent.reduce((a, b) => a + b, 0)).toBeLessThan(41 * MIB + 300_000)
  },
  LIMIT,
)

test(
  'an upload whose last answer is lost is done, and one with ifAbsent has won',
  async () => {
    await using parts = await opened()
    const { proxy, storage } = parts
    for (const ifAbsent of [false, true]) {
      const lost = proxy.inject(loseAnswer(), { ...PART, skip: 1 })
      expect((await storage.putObject(BUCKET, 'big', pieces(12), { ifAbsent })).created).toBe(true)
      expect(lost.strikes).toBe(1)
      await storage.deleteObject(BUCKET, 'big')
    }
  },
  LIMIT,
)

test(
  'one of several large writers with ifAbsent wins',
  async () => {
    await using parts = await opened()
    const { storage } = parts
    const writers = Array.from({ length: 4 }, () =>
      storage.putObject(BUCKET, 'lock', pieces(12), { ifAbsent: true }),
    )
    expect((await Promise.all(writers)).filter(({ created }) => created)).toHaveLength(1)
    expect((await storage.putObject(BUCKET, 'lock', pieces(12), { ifAbsent: true })).created).toBe(false)
  },
  LIMIT,
)

test(
  'an upload that fails for good is cancelled, and leaves the old object',
  async () => {
    await using parts = await opened()
    const { proxy, storage } = parts
    await storage.putObject(BUCKET, 'big', new Uint8Array(3))
    proxy.inject(gcsFaults.accessDenied(), { ...PART, skip: 1 })
    const error = await storage.putObject(BUCKET, 'big', pieces(30)).catch((reason: unknown) => reason)
    expect(StorageAccessError.isInstance(error), String(error)).toBe(true)
    expect(proxy.requests.at(-1)).toMatchObject({ method: 'DELETE', status: 499 })
    expect((await storage.headObject(BUCKET, 'big')).sizeBytes).toBe(3)
  },
  LIMIT,
)

test('a conditional write whose refusal does not say if it was done is tried again only if it was not', async () => {
  await using parts = await opened()
  const { proxy, storage } = parts
  await storage.putObject(BUCKET, 'there', new Uint8Array(1))
  const refused = proxy.inject(gcsFaults.slowDown(), { method: 'POST', url: /ifGenerationMatch=0/ })
  const put = storage.putObject(BUCKET, 'there', new Uint8Array(2), { ifAbsent: true })
  const error = await put.catch((reason: unknown) => reason)
  expect(StorageError.isInstance(error) && error.isRetryable, String(error)).toBe(true)
  expect(refused.strikes).toBe(1)
})

test('large objects are copied in several requests', async () => {
  await using parts = await opened()
  const { proxy, storage } = parts
  await storage.putObject(BUCKET, 'big', expected(10))
  await storage.copyObject?.({ bucket: BUCKET, key: 'big' }, { bucket: BUCKET, key: 'copy' })
  expect(proxy.requests.filter(({ url }) => url.includes('/rewriteTo/'))).toHaveLength(3)
  expect(Buffer.compare(await storage.getObject(BUCKET, 'copy'), expected(10))).toBe(0)
  const none = storage.copyObject?.({ bucket: BUCKET, key: 'none' }, { bucket: BUCKET, key: 'copy' })
  const error = await none?.catch((reason: unknown) => reason)
  expect(ObjectNotFoundError.isInstance(error), String(error)).toBe(true)
})

test('objects that others have compressed and labelled so are read as they are', async () => {
  await using parts = await opened()
  const { storage } = parts
  const packed = gzipSync(Buffer.from('labelled '.repeat(1000)))
  const file = (storage.client() as Storage).bucket(BUCKET).file('log.gz')
  await file.save(packed, { resumable: false, validation: false, metadata: { contentEncoding: 'gzip' } })
  expect(Buffer.compare(await storage.getObject(BUCKET, 'log.gz'), packed)).toBe(0)
  const range = { start: 2, end: 20 }
  expect(Buffer.from(await storage.getObject(BUCKET, 'log.gz', { range }))).toEqual(packed.subarray(2, 20))
})
