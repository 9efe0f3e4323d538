import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { MemoryStorage, memoryStorage } from '../testing/memory-storage.ts'
import { FunctionExecutor } from './function-executor.ts'
import { Storage } from './named-storage.ts'

const newRoot = () => temporaryFolder('lithops-test-named-')

test('a storage is opened by its name in the config', async () => {
  const config = { localhost: { storage_folder: newRoot(), storage_bucket: 'mine' } }
  await using storage = new Storage({ backend: 'localhost', config })
  expect(storage.name).toBe('localhost')
  await storage.put('k', 'v')
  expect(storage.bucket).toBe('mine')
  await using same = new Storage({ config: { ...config, lithops: { storage: 'localhost' } } })
  expect(await same.get('k', { as: 'text' })).toBe('v')
  await using other = new Storage({ config, bucket: 'other' })
  expect(other.bucket).toBe('other')
  await expect(other.get('k')).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_NOT_FOUND' })
})

test('a driver or an opened backend does too', async () => {
  const driver = memoryStorage()
  await using storage = new Storage({ backend: driver, config: {} })
  await storage.createBucket()
  await storage.put('k', 'v')
  expect(storage.bucket).toBe('storage')
  await using given = new Storage({ backend: new MemoryStorage(), bucket: 'b' })
  await given.createBucket()
  expect(await given.listKeys()).toEqual([])
})

test('what is wrong is said before anything is opened, or by the first operation', async () => {
  expect(() => new Storage({ buckett: 'x' } as never)).toThrow(/no option of Storage 'buckett'.*bucket/)
  expect(() => new Storage({ backend: 5 } as never)).toThrow(/name, a driver or a backend/)
  expect(() => new Storage({ bucket: '' })).toThrow(/name of a bucket/)
  expect(() => new Storage(null as never)).toThrow(/must be an object/)
  expect(() => new Storage({ config: { lithops: { storage: 'storageless' } } })).toThrow(/storageless/)
  expect(() => new Storage({ config: { lithopps: {} } })).toThrow(/no section 'lithopps'/)
  const missing = new Storage({ backend: 'aws_s33', config: {} })
  expect(missing.name).toBe('aws_s33')
  await expect(missing.listKeys()).rejects.toMatchObject({ code: 'LITHOPS_DRIVER_NOT_FOUND' })
  await missing.close()
})

test('the storage of an executor is a Storage, and closing it leaves the executor its own', async () => {
  await using fexec = new FunctionExecutor({ config: { localhost: { storage_folder: newRoot() } } })
  const storage = await fexec.storage()
  expect(storage).toBeInstanceOf(Storage)
  expect({}).not.toBeInstanceOf(Storage)
  await storage.close()
  await storage.put('k', 'v')
  expect(await storage.get('k', { as: 'text' })).toBe('v')
})
