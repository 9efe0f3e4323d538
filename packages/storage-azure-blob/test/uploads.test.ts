/** Uploads in blocks, and what others have put there. */
import { gzipSync } from 'node:zlib'
import type { BlobServiceClient } from '@azure/storage-blob'
import { StorageAccessError, StorageError } from '@lithops/core/driver'
import { azureFaults, cutRequest, FaultProxy, loseAnswer, refuse } from '@lithops/fake-clouds/fault-proxy'
import { azurite, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'
import { openStorage } from './open-storage.ts'

const server = withRealPart(azurite)
const LIMIT = { timeout: 120_000 }
const BUCKET = 'uploads'
const BLOCK = { url: /comp=block&/ }
const COMMIT = { url: /comp=blocklist/ }
const PIECE = new Uint8Array(1 << 20).fill(7)

async function* pieces(count: number) {
  for (let i = 0; i < count; i++) yield PIECE
}

/** The storage through a proxy, with a bucket. */
async function opened() {
  const proxy = await FaultProxy.start({ target: server.part.endpoint })
  const storage = await openStorage(proxy.url, server.part)
  await storage.createBucket(BUCKET)
  proxy.clear()
  const close = async () => {
    await storage.close()
    await proxy.close()
  }
  return { proxy, storage, [Symbol.asyncDispose]: close }
}

server.test(
  'blocks that fail once are sent again',
  async () => {
    await using parts = await opened()
    const { proxy, storage } = parts
    const faults = [azureFaults.slowDown(), cutRequest(2_000_000), loseAnswer(), refuse()].map(fault =>
      proxy.inject(fault, BLOCK),
    )
    const { etag } = await storage.putObject(BUCKET, 'big', pieces(40))
    expect(faults.map(fault => fault.strikes)).toEqual([1, 1, 1, 1])
    const head = await storage.headObject(BUCKET, 'big')
    expect(head).toMatchObject({ sizeBytes: 40 << 20, etag })
    await storage.deleteObject(BUCKET, 'big')
  },
  LIMIT,
)

server.test(
  'small streams go in one request',
  async () => {
    await using parts = await opened()
    const { proxy, storage } = parts
    await storage.putObject(BUCKET, 'small', pieces(8))
    expect(proxy.requests.map(({ method }) => method)).toEqual(['PUT'])
    await storage.deleteObject(BUCKET, 'small')
  },
  LIMIT,
)

server.test(
  'a commit whose answer is lost has committed; one that fails for good leaves the old object',
  async () => {
    await using parts = await opened()
    const { proxy, storage } = parts
    const lost = proxy.inject(loseAnswer(), COMMIT)
    expect((await storage.putObject(BUCKET, 'big', pieces(20))).created).toBe(true)
    expect(lost.strikes).toBe(1)
    proxy.inject(azureFaults.accessDenied(), { ...COMMIT, times: Number.POSITIVE_INFINITY })
    const put = storage.putObject(BUCKET, 'big', pieces(30))
    const error = await put.catch((reason: unknown) => reason)
    expect(StorageAccessError.isInstance(error), String(error)).toBe(true)
    expect((await storage.headObject(BUCKET, 'big')).sizeBytes).toBe(20 << 20)
    await storage.deleteObject(BUCKET, 'big')
  },
  LIMIT,
)

server.test(
  'one of several large writers with ifAbsent wins, and a lost answer is no defeat',
  async () => {
    await using parts = await opened()
    const { proxy, storage } = parts
    const writers = Array.from({ length: 4 }, () =>
      storage.putObject(BUCKET, 'lock', pieces(12), { ifAbsent: true }),
    )
    const won = (await Promise.all(writers)).filter(({ created }) => created)
    expect(won).toHaveLength(1)
    await storage.deleteObject(BUCKET, 'lock')
    proxy.inject(loseAnswer(), COMMIT)
    const error = await storage
      .putObject(BUCKET, 'lock', pieces(12), { ifAbsent: true })
      .catch((reason: unknown) => reason)
    expect(StorageError.isInstance(error) && error.isRetryable, String(error)).toBe(true)
    await storage.deleteObject(BUCKET, 'lock')
  },
  LIMIT,
)

server.test(
  'blocks of an upload that failed are in no listing, and in no way of the next upload',
  async () => {
    await using parts = await opened()
    const { proxy, storage } = parts
    proxy.inject(azureFaults.accessDenied(), { ...BLOCK, skip: 2, times: Number.POSITIVE_INFINITY })
    await expect(storage.putObject(BUCKET, 'half', pieces(40))).rejects.toThrow('put')
    for await (const { key } of storage.listObjects(BUCKET)) expect(key).toBe('nothing')
    proxy.clear()
    await storage.putObject(BUCKET, 'half', new Uint8Array(3))
    expect((await storage.getObject(BUCKET, 'half')).length).toBe(3)
    await storage.deleteObject(BUCKET, 'half')
  },
  LIMIT,
)

server.test(
  'a container that is being removed may be there soon',
  async () => {
    await using parts = await opened()
    parts.proxy.inject(azureFaults.beingDeleted(), { method: 'PUT' })
    await expect(parts.storage.createBucket('again')).rejects.toMatchObject({ isRetryable: true })
  },
  LIMIT,
)

server.test(
  'objects that others have compressed and labelled so are read as they are',
  async () => {
    await using parts = await opened()
    const { storage } = parts
    const bytes = gzipSync(Buffer.from('labelled '.repeat(1000)))
    const container = (storage.client() as BlobServiceClient).getContainerClient(BUCKET)
    const blobHTTPHeaders = { blobContentEncoding: 'gzip' }
    await container.getBlockBlobClient('log.gz').upload(bytes, bytes.length, { blobHTTPHeaders })
    expect(Buffer.compare(await storage.getObject(BUCKET, 'log.gz'), bytes)).toBe(0)
    const range = { start: 2, end: 20 }
    expect(Buffer.from(await storage.getObject(BUCKET, 'log.gz', { range }))).toEqual(bytes.subarray(2, 20))
    await storage.deleteObject(BUCKET, 'log.gz')
  },
  LIMIT,
)
