import { expect, test } from 'vitest'
import type { GetOptions, ObjectHead } from '../driver/storage-backend.ts'
import { StorageError } from '../errors/index.ts'
import { patternBytes } from '../testing/kit.ts'
import { MemoryStorage } from '../testing/memory-storage.ts'
import { RetryingStorage } from './retrying-storage.ts'

const BYTES = patternBytes(1_000_000)
const PIECE = 10_000

interface CutOptions {
  /** Every so many pieces the connection is cut. */
  readonly every: number
  /** How a cut looks: an error, or an end that comes too early. */
  readonly as?: 'error' | 'end'
  /** Called at each cut. */
  readonly onCut?: (storage: CuttingStorage) => unknown
  readonly head?: (head: ObjectHead) => ObjectHead
}

/** A storage whose connections break while objects are read. */
class CuttingStorage extends MemoryStorage {
  readonly opened: GetOptions[] = []
  left = 0
  #pieces = 0
  readonly #cut: CutOptions

  constructor(cut: CutOptions) {
    super()
    this.#cut = cut
  }

  override async getObjectStream(bucket: string, key: string, options: GetOptions = {}) {
    this.opened.push(options)
    const { etag, sizeBytes, lastModified } = await super.getObjectStream(bucket, key, options)
    const bytes = await this.getObject(bucket, key, options)
    const { head = (given: ObjectHead) => given } = this.#cut
    return { ...head({ etag, sizeBytes, lastModified }), body: this.#inPieces(bytes) }
  }

  async *#inPieces(bytes: Uint8Array) {
    const { every, as = 'error', onCut } = this.#cut
    try {
      for (let at = 0; at < bytes.length; at += PIECE) {
        if (++this.#pieces % every === 0) {
          await onCut?.(this)
          if (as === 'end') return
          throw new StorageError('the connection was reset', { isRetryable: true })
        }
        yield bytes.subarray(at, at + PIECE)
      }
    } finally {
      this.left++
    }
  }
}

async function readAll(cut: CutOptions, options?: GetOptions, maxAttempts = 6) {
  const cutting = new CuttingStorage(cut)
  await cutting.createBucket('b')
  await cutting.putObject('b', 'k', BYTES)
  const storage = new RetryingStorage(cutting, { maxAttempts, sleep: async () => {} })
  const { body } = await storage.getObjectStream('b', 'k', options)
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return { read: new Uint8Array(Buffer.concat(pieces)), cutting }
}

for (const as of ['error', 'end'] as const) {
  test(`a stream that breaks at every tenth read (${as}) goes on where it stopped`, async () => {
    const { read, cutting } = await readAll({ every: 10, as })
    expect(Buffer.compare(read, BYTES)).toBe(0)
    expect(cutting.opened.length).toBeGreaterThan(10)
    const [first, second] = cutting.opened
    expect(first?.range).toBeUndefined()
    expect(second).toMatchObject({ range: { start: 9 * PIECE, end: BYTES.length } })
    expect(second?.ifMatch).toBe((await cutting.headObject('b', 'k')).etag)
    expect(cutting.left).toBe(cutting.opened.length)
  })

  test(`a range that breaks (${as}) ends where it should`, async () => {
    const range = { start: 12_345, end: 678_901 }
    const { read } = await readAll({ every: 7, as }, { range })
    expect(Buffer.compare(read, BYTES.subarray(range.start, range.end))).toBe(0)
  })
}

test('a stream that gives no byte any more ends with its error', async () => {
  await expect(readAll({ every: 1 })).rejects.toThrow('the connection was reset')
  await expect(readAll({ every: 2 }, undefined, 1)).rejects.toThrow('the connection was reset')
  const { read } = await readAll({ every: 2 }, undefined, 2)
  expect(read.length).toBe(BYTES.length)
})

test('an object that changed meanwhile is an error, not a mixture', async () => {
  const onCut = (storage: CuttingStorage) => storage.putObject('b', 'k', patternBytes(1_000_000, 5))
  await expect(readAll({ every: 10, onCut })).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_CHANGED' })
  const head = ({ sizeBytes, lastModified }: ObjectHead): ObjectHead => ({
    sizeBytes,
    ...(lastModified === undefined ? {} : { lastModified }),
  })
  const later = async (storage: CuttingStorage) => {
    await new Promise(resolve => setTimeout(resolve, 5))
    await onCut(storage)
  }
  await expect(readAll({ every: 10, onCut: later, head })).rejects.toMatchObject({
    code: 'LITHOPS_OBJECT_CHANGED',
  })
  const { read } = await readAll({ every: 10, head })
  expect(Buffer.compare(read, BYTES)).toBe(0)
})

test('where nothing tells versions apart, a broken stream is not gone on with', async () => {
  const head = ({ sizeBytes }: ObjectHead): ObjectHead => ({ sizeBytes })
  await expect(readAll({ every: 10, head })).rejects.toThrow('the connection was reset')
})

test('an object that was removed meanwhile is not found', async () => {
  const onCut = (storage: CuttingStorage) => storage.deleteObject('b', 'k')
  await expect(readAll({ every: 10, onCut })).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_NOT_FOUND' })
})

test('a stream that is left early is left below too, also before its first byte', async () => {
  const cutting = new CuttingStorage({ every: 1000 })
  await cutting.createBucket('b')
  await cutting.putObject('b', 'k', BYTES)
  const storage = new RetryingStorage(cutting)
  for await (const _ of (await storage.getObjectStream('b', 'k')).body) break
  expect(cutting.left).toBe(1)
  const { body } = await storage.getObjectStream('b', 'k')
  const pieces = body[Symbol.asyncIterator]()
  await pieces.return?.()
  expect(await pieces.next()).toEqual({ done: true, value: undefined })
})
