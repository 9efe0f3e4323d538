import { expect, test } from 'vitest'
import { StorageError } from '../errors/index.ts'
import { MemoryStorage } from '../testing/memory-storage.ts'
import { storageConformance } from '../testing/storage-conformance.ts'
import { RetryingStorage } from './retrying-storage.ts'

const busy = () => new StorageError('slow down', { isRetryable: true })

function retrying(backend: MemoryStorage) {
  const pauses: number[] = []
  const sleep = async (ms: number) => {
    pauses.push(ms)
  }
  return { storage: new RetryingStorage(backend, { sleep, random: () => 1, maxAttempts: 4 }), pauses }
}

async function newBackend(failures: number, error = busy()) {
  const backend = new MemoryStorage()
  await backend.createBucket('b')
  const get = backend.getObject.bind(backend)
  const put = backend.putObject.bind(backend)
  const list = backend.listObjects.bind(backend)
  const fail = () => {
    if (failures-- > 0) throw error
  }
  backend.getObject = async (...args) => {
    fail()
    return get(...args)
  }
  backend.putObject = async (...args) => {
    fail()
    return put(...args)
  }
  backend.listObjects = async function* (...args) {
    let given = 0
    for await (const entry of list(...args)) {
      if (given++ === 2) fail()
      yield entry
    }
  }
  await put('b', 'k', new Uint8Array([1]))
  return { backend, put }
}

test('tries again with growing pauses', async () => {
  const { backend } = await newBackend(3)
  const { storage, pauses } = retrying(backend)
  expect(await storage.getObject('b', 'k')).toEqual(new Uint8Array([1]))
  expect(pauses).toEqual([50, 100, 200])
})

test('gives up after its tries, and at once on what is not retryable', async () => {
  const error = busy()
  const { storage, pauses } = retrying((await newBackend(4, error)).backend)
  await expect(storage.getObject('b', 'k')).rejects.toBe(error)
  expect(pauses).toHaveLength(3)
  const final = new StorageError('no')
  const other = retrying((await newBackend(1, final)).backend)
  await expect(other.storage.getObject('b', 'k')).rejects.toBe(final)
  expect(other.pauses).toEqual([])
})

test('waits as long as the service asks to, within reason', async () => {
  for (const [askedMs, pause] of [
    [10, 50],
    [7_000, 7_000],
    [3_600_000, 60_000],
  ]) {
    const error = new StorageError('slow down', { isRetryable: true, details: { retryAfterMs: askedMs } })
    const { storage, pauses } = retrying((await newBackend(1, error)).backend)
    await storage.getObject('b', 'k')
    expect(pauses).toEqual([pause])
  }
})

test('writes streams and conditional objects once', async () => {
  const { storage } = retrying((await newBackend(2)).backend)
  async function* stream() {
    yield new Uint8Array(1)
  }
  await expect(storage.putObject('b', 's', stream())).rejects.toThrow('slow down')
  await expect(storage.putObject('b', 'c', new Uint8Array(1), { ifAbsent: true })).rejects.toThrow('slow')
  expect((await storage.putObject('b', 'p', new Uint8Array(1))).created).toBe(true)
})

test('goes on with a listing where it broke', async () => {
  const { backend, put } = await newBackend(3)
  for (const key of ['a', 'c', 'd']) await put('b', key, new Uint8Array(0))
  const { storage } = retrying(backend)
  const keys: string[] = []
  for await (const { key } of storage.listObjects('b')) keys.push(key)
  expect(keys).toEqual(['a', 'c', 'd', 'k'])
})

// what every driver must do, core's wrapper does too
storageConformance({
  test,
  createBackend: () => new RetryingStorage(new MemoryStorage()),
  timing: { manyKeys: 1_200 },
})
