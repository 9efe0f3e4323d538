import { expect, test } from 'vitest'
import { MemoryStorage } from '../testing/memory-storage.ts'
import { InternalStorage } from './internal-storage.ts'

async function keysOf(backend: MemoryStorage) {
  const keys: string[] = []
  for await (const { key } of backend.listObjects('jobs')) keys.push(key)
  return keys
}

test('puts a function once, and cleans by job and by executor', async () => {
  const backend = new MemoryStorage()
  let puts = 0
  const put = backend.putObject.bind(backend)
  backend.putObject = (...args) => {
    puts++
    return put(...args)
  }
  const storage = new InternalStorage({ backend, bucket: 'jobs' })
  const keys = await Promise.all([1, 2, 3].map(() => storage.putFunction('abc', new Uint8Array([7]))))
  expect(new Set(keys)).toEqual(new Set(['lithops.functions/abc']))
  expect(puts).toBe(1)
  const job = { executorId: 'e-1', jobId: 'M1' }
  await storage.putData(job, 'all', new Uint8Array(3))
  await storage.putData({ ...job, jobId: 'M10' }, 'all', new Uint8Array(3))
  await storage.putShared('e-1', 'values', new Uint8Array(3))
  await storage.putData({ executorId: 'e-10', jobId: 'M1' }, 'all', new Uint8Array(3))
  await storage.cleanJob(job)
  expect(await keysOf(backend)).toEqual([
    'lithops.functions/abc',
    'lithops.jobs/e-1/M10/data/all',
    'lithops.jobs/e-1/shared/values',
    'lithops.jobs/e-10/M1/data/all',
  ])
  await storage.cleanExecutor('e-1')
  expect(await storage.cleanAll({ dryRun: true })).toEqual([
    'lithops.jobs/e-10/M1/data/all',
    'lithops.functions/abc',
  ])
  await storage.cleanAll()
  expect(await keysOf(backend)).toEqual([])
  await storage.putFunction('abc', new Uint8Array([7]))
  expect(await storage.get('lithops.functions/abc')).toEqual(new Uint8Array([7]))
})

test('a function that is there is not put again, by whichever client', async () => {
  const backend = new MemoryStorage()
  await new InternalStorage({ backend, bucket: 'jobs' }).putFunction('abc', new Uint8Array([7]))
  backend.putObject = async () => {
    throw new Error('put again')
  }
  const other = new InternalStorage({ backend, bucket: 'jobs' })
  expect(await other.putFunction('abc', new Uint8Array([7]))).toBe('lithops.functions/abc')
})

test('a function whose putting failed is put again', async () => {
  const backend = new MemoryStorage()
  const put = backend.putObject.bind(backend)
  backend.putObject = async () => {
    throw new Error('once')
  }
  const storage = new InternalStorage({ backend, bucket: 'jobs' })
  await expect(storage.putFunction('h', new Uint8Array(1))).rejects.toThrow('once')
  backend.putObject = put
  expect(await storage.putFunction('h', new Uint8Array(1))).toBe('lithops.functions/h')
})
