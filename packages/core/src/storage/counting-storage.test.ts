import { expect, test } from 'vitest'
import { StorageError } from '../errors/index.ts'
import { MemoryStorage } from '../testing/memory-storage.ts'
import { storageConformance } from '../testing/storage-conformance.ts'
import { CountingStorage } from './counting-storage.ts'
import { RetryingStorage } from './retrying-storage.ts'

function counting(backend = new MemoryStorage()) {
  const sum = { writes: 0, reads: 0 }
  const storage = new CountingStorage(backend, ({ writes, reads }) => {
    sum.writes += writes
    sum.reads += reads
  })
  return { storage, sum }
}

test('writing and listing is of one class, reading of the other, removing of none', async () => {
  const { storage, sum } = counting()
  await storage.createBucket('b')
  await storage.putObject('b', 'k', new Uint8Array([1]))
  for await (const _ of storage.listObjects('b'));
  expect(sum).toEqual({ writes: 3, reads: 0 })
  await storage.getObject('b', 'k')
  await storage.headObject('b', 'k')
  for await (const _ of (await storage.getObjectStream('b', 'k')).body);
  await storage.bucketExists('b')
  expect(sum).toEqual({ writes: 3, reads: 4 })
  await storage.deleteObjects('b', ['k'])
  await storage.deleteObject('b', 'k')
  expect(sum).toEqual({ writes: 3, reads: 4 })
})

test('each page of a listing is a request', async () => {
  const backend = new MemoryStorage()
  await backend.createBucket('b')
  for (let i = 0; i < 1001; i++) await backend.putObject('b', `k${i}`, new Uint8Array())
  const { storage, sum } = counting(backend)
  for await (const _ of storage.listObjects('b'));
  expect(sum.writes).toBe(2)
})

test('a request that fails is one, and so is each try', async () => {
  const backend = new MemoryStorage()
  backend.getObject = async () => {
    throw new StorageError('slow down', { isRetryable: true })
  }
  const { storage, sum } = counting(backend)
  const retrying = new RetryingStorage(storage, { sleep: async () => {}, maxAttempts: 4 })
  await expect(retrying.getObject('b', 'k')).rejects.toThrow('slow down')
  expect(sum.reads).toBe(4)
})

// what every driver must do, core's wrapper does too
storageConformance({ test, createBackend: () => counting().storage, timing: { manyKeys: 1_200 } })
