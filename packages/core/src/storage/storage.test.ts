import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { expect, expectTypeOf, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import type { Body, ObjectPlace, PutOptions } from '../driver/storage-backend.ts'
import { NotSupportedError, ObjectNotFoundError, StorageError } from '../errors/index.ts'
import { patternBytes } from '../testing/kit.ts'
import { MemoryStorage } from '../testing/memory-storage.ts'
import { isCloudObject } from './cloud-object.ts'
import { Storage } from './storage.ts'

async function newStorage(backend = new MemoryStorage()) {
  const storage = new Storage({ backend, bucket: 'data', retry: { sleep: async () => {} } })
  await storage.createBucket()
  return storage
}

const newFolder = () => temporaryFolder('lithops-test-storage-')

test('keeps text, bytes and streams', async () => {
  await using storage = await newStorage()
  await storage.put('text', 'grüße')
  await storage.put('bytes', new Uint8Array([1, 2, 3]))
  await storage.put('stream', Readable.from(['one ', Buffer.from('two')]))
  await storage.put('web', new Blob(['web']).stream())
  const text = await storage.get('text', { as: 'text' })
  expectTypeOf(text).toEqualTypeOf<string>()
  expect(text).toBe('grüße')
  expect(await storage.get('bytes')).toEqual(new Uint8Array([1, 2, 3]))
  expect(await storage.get('stream', { as: 'text' })).toBe('one two')
  expect(await storage.get('web', { as: 'text' })).toBe('web')
  const pieces: Uint8Array[] = []
  for await (const piece of await storage.get('text', { as: 'stream', range: { start: 0, end: 2 } }))
    pieces.push(piece)
  expect(Buffer.concat(pieces).toString()).toBe('gr')
})

test('lists, finds and removes', async () => {
  await using storage = await newStorage()
  for (const key of ['b/2', 'a', 'b/1']) await storage.put(key, key)
  expect(await storage.listKeys('b/')).toEqual(['b/1', 'b/2'])
  expect(await storage.listKeys('', { startAfter: 'b/1' })).toEqual(['b/2'])
  expect(await storage.exists('a')).toBe(true)
  expect(await storage.exists('b')).toBe(false)
  expect(await storage.exists('b/')).toBe(true)
  expect((await storage.head('b/1')).sizeBytes).toBe(3)
  await storage.delete('a')
  await storage.delete(['b/1', 'b/2'])
  expect(await storage.exists('a')).toBe(false)
  expect(await storage.listKeys()).toEqual([])
  await expect(storage.get('a')).rejects.toSatisfy(error => ObjectNotFoundError.isInstance(error))
})

test('removes any number of keys as they come, and all below a prefix', async () => {
  const groups: number[] = []
  class Counting extends MemoryStorage {
    override deleteObjects(bucket: string, keys: readonly string[]) {
      groups.push(keys.length)
      return super.deleteObjects(bucket, keys)
    }
  }
  await using storage = await newStorage(new Counting())
  for (let i = 0; i < 2500; i++) await storage.put(`many/${i}`, '')
  await storage.put('many', 'not below')
  expect(await storage.deletePrefix('many/', { dryRun: true })).toBe(2500)
  expect((await storage.listKeys()).length).toBe(2501)
  async function* keys() {
    for (let i = 0; i < 1500; i++) yield `many/${i}`
  }
  await storage.delete(keys())
  const seen: string[] = []
  expect(await storage.deletePrefix('many/', { onBatch: batch => seen.push(...batch) })).toBe(1000)
  expect(seen.length).toBe(1000)
  expect(groups).toEqual([1000, 500, 1000])
  expect(await storage.listKeys()).toEqual(['many'])
  expect(await storage.deletePrefix('', { bucket: 'no such bucket' })).toBe(0)
})

test('works in other buckets', async () => {
  await using storage = await newStorage()
  expect(await storage.bucketExists('other')).toBe(false)
  await storage.createBucket('other')
  await storage.put('k', 'v', { bucket: 'other' })
  expect(await storage.exists('k')).toBe(false)
  expect(await storage.get('k', { bucket: 'other', as: 'text' })).toBe('v')
})

test('refuses what is no object', async () => {
  await using storage = await newStorage()
  await expect(storage.put('k', 5 as never)).rejects.toThrow(TypeError)
  await expect(storage.put('k', Readable.from([1]) as never)).rejects.toThrow(
    /pieces of text or bytes, not number/,
  )
  expect(await storage.exists('k')).toBe(false)
  await expect(storage.get('k', { as: 'json' as never })).rejects.toThrow(/'as' is/)
  await expect(storage.deletePrefix(undefined as never)).rejects.toThrow(TypeError)
})

test('copies within the service, and through here where that is impossible', async () => {
  const copies: ObjectPlace[] = []
  class Copying extends MemoryStorage {
    override async copyObject(from: ObjectPlace, to: ObjectPlace) {
      copies.push(from)
      if (from.key.startsWith('far')) throw new NotSupportedError('another region')
      return super.copyObject(from, to)
    }
  }
  await using storage = await newStorage(new Copying())
  await storage.createBucket('other')
  for (const key of ['near', 'far']) {
    await storage.put(key, `from ${key}`, { contentType: 'text/x-mine' })
    const { etag } = await storage.copy(key, { bucket: 'other', key: 'copy' })
    expect(await storage.get('copy', { bucket: 'other', as: 'text' })).toBe(`from ${key}`)
    expect(await storage.head('copy', { bucket: 'other' })).toMatchObject({
      etag,
      contentType: 'text/x-mine',
    })
    await storage.copy({ bucket: 'other', key: 'copy' }, `${key} again`)
    expect(await storage.get(`${key} again`, { as: 'text' })).toBe(`from ${key}`)
  }
  expect(copies.map(place => place.key)).toEqual(['near', 'copy', 'far', 'copy'])
  for (const key of ['missing', 'far missing']) {
    await expect(storage.copy(key, 'copy')).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_NOT_FOUND' })
  }
})

for (const length of [0, 1, 10_000_000]) {
  test(`files of ${length} bytes go up and come down`, async () => {
    await using storage = await newStorage()
    const folder = newFolder()
    const bytes = patternBytes(length)
    await writeFile(join(folder, 'here.bin'), bytes)
    const up: number[] = []
    await storage.uploadFile(join(folder, 'here.bin'), undefined, {
      onProgress: ({ doneBytes, totalBytes }) => {
        expect(totalBytes).toBe(length)
        up.push(doneBytes)
      },
    })
    expect(up.at(-1)).toBe(length)
    expect(up).toEqual([...up].sort((a, b) => a - b))
    const down: number[] = []
    const target = pathToFileURL(join(folder, 'new', 'folder', 'there 100%.bin'))
    const head = await storage.downloadFile('here.bin', target, { onProgress: p => down.push(p.doneBytes) })
    expect(head.sizeBytes).toBe(length)
    expect(down.at(-1)).toBe(length)
    expect(Buffer.compare(await readFile(target), bytes)).toBe(0)
    expect(await readdir(join(folder, 'new', 'folder'))).toEqual(['there 100%.bin'])
  })
}

test('an upload that broke is made again from its beginning', async () => {
  let tries = 0
  class Breaking extends MemoryStorage {
    override async putObject(bucket: string, key: string, body: Body, options?: PutOptions) {
      if (++tries < 3) {
        if (!(body instanceof Uint8Array)) for await (const _ of body) break
        throw new StorageError('the connection was reset', { isRetryable: true })
      }
      return super.putObject(bucket, key, body, options)
    }
  }
  await using storage = await newStorage(new Breaking())
  const file = join(newFolder(), 'large')
  await writeFile(file, patternBytes(5_000_000))
  await storage.uploadFile(file)
  expect(tries).toBe(3)
  expect(Buffer.compare(await storage.get('large'), patternBytes(5_000_000))).toBe(0)
})

test('a download that fails leaves the old file and nothing else', async () => {
  class Failing extends MemoryStorage {
    override async getObjectStream(bucket: string, key: string) {
      const head = await this.headObject(bucket, key)
      async function* body() {
        yield patternBytes(10)
        throw new StorageError('forbidden by now')
      }
      return { ...head, body: body() }
    }
  }
  await using storage = await newStorage(new Failing())
  await storage.put('k', patternBytes(100))
  const folder = newFolder()
  await writeFile(join(folder, 'k'), 'old')
  await expect(storage.downloadFile('k', join(folder, 'k'))).rejects.toThrow('forbidden by now')
  await expect(storage.downloadFile('none', join(folder, 'none'))).rejects.toThrow(ObjectNotFoundError)
  const controller = new AbortController()
  const aborted = storage.downloadFile('k', join(folder, 'k'), {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('enough')),
  })
  await expect(aborted).rejects.toThrow('enough')
  expect(await readdir(folder)).toEqual(['k'])
  expect(await readFile(join(folder, 'k'), 'utf8')).toBe('old')
})

test('a folder cannot be uploaded as a file', async () => {
  await using storage = await newStorage()
  await expect(storage.uploadFile(newFolder())).rejects.toThrow(/is a folder/)
  await expect(storage.uploadFile('/no/such/file')).rejects.toMatchObject({ code: 'ENOENT' })
})

test('presigned URLs, where there are any', async () => {
  await using storage = await newStorage()
  await expect(storage.presignUrl('k')).rejects.toMatchObject({ code: 'LITHOPS_NOT_SUPPORTED' })
  class Presigning extends MemoryStorage {
    presignUrl(
      bucket: string,
      key: string,
      { method, expiresInMs }: { method: string; expiresInMs: number },
    ) {
      return Promise.resolve(`${method} ${bucket}/${key} ${expiresInMs}`)
    }
  }
  await using able = await newStorage(new Presigning())
  expect(await able.presignUrl('k')).toBe('GET data/k 3600000')
  expect(await able.presignUrl('k', { method: 'PUT', expiresInMs: 5, bucket: 'b' })).toBe('PUT b/k 5')
  await expect(able.presignUrl('k', { expiresInMs: -1 })).rejects.toThrow(TypeError)
  await expect(able.presignUrl('k', { method: 'HEAD' as never })).rejects.toThrow(TypeError)
})

test('cloud objects are plain data under names of their own', async () => {
  await using storage = await newStorage()
  const owned = storage.ownedBy({ executorId: 'e1', jobId: 'M000', callId: 3, attempt: 1 })
  const one = await owned.putCloudobject('one')
  const two = await owned.putCloudobject(new Uint8Array([2]))
  expect(one.key).toMatch(/^lithops\.jobs\/e1\/cloudobjects\/M000\/3-1-[0-9a-f]{16}$/)
  expect(one.key).not.toBe(two.key)
  const travelled = JSON.parse(JSON.stringify(one))
  expect(travelled).toEqual(one)
  expect(isCloudObject(travelled)).toBe(true)
  expect(isCloudObject({ ...one, key: '' })).toBe(false)
  expect(await storage.getCloudobject(travelled, { as: 'text' })).toBe('one')
  expect(await storage.getCloudobject(one, { range: { start: 1 } })).toEqual(new Uint8Array([110, 101]))
  const kept = [
    await owned.putCloudobject('kept', { keep: true }),
    await storage.putCloudobject('of nobody'),
    await owned.putCloudobject('named', { key: 'my/key' }),
  ]
  expect(kept.map(object => object.key.startsWith('lithops.jobs/'))).toEqual([false, false, false])
  await storage.deleteCloudobject(one)
  await storage.deleteCloudobject(one)
  await expect(storage.getCloudobject(one)).rejects.toThrow(ObjectNotFoundError)
  await storage.deleteCloudobjects([two, ...kept])
  expect(await storage.listKeys()).toEqual([])
})

test('cloud objects of another storage, and what is none, are refused', async () => {
  await using storage = await newStorage()
  const object = await storage.putCloudobject('x')
  await expect(storage.getCloudobject({ ...object, storage: 'aws_s3' })).rejects.toThrow(
    /in storage 'aws_s3', and this is 'memory'/,
  )
  await expect(storage.getCloudobject({ key: 'x' } as never)).rejects.toThrow(TypeError)
  await expect(storage.deleteCloudobjects([object, 5 as never])).rejects.toThrow(TypeError)
  expect(await storage.getCloudobject(object, { as: 'text' })).toBe('x')
})

test('a cloud object makes the bucket of jobs when it is the first thing in it', async () => {
  await using storage = new Storage({ backend: new MemoryStorage(), bucket: 'fresh' })
  expect(await storage.getCloudobject(await storage.putCloudobject('x'), { as: 'text' })).toBe('x')
})

test('a storage that is given stays open, one that is opened here is closed', async () => {
  const backend = new MemoryStorage()
  await (await newStorage(backend)).close()
  expect(await backend.bucketExists('data')).toBe(true)
  let opened = 0
  const storage = new Storage({
    backend: () => {
      opened++
      return { backend, bucket: 'data' }
    },
  })
  expect(opened).toBe(0)
  expect(() => storage.bucket).toThrow(/await storage.ready\(\)/)
  await Promise.all([storage.put('a', ''), storage.put('b', '')])
  expect([opened, storage.bucket, storage.name]).toEqual([1, 'data', 'memory'])
  await storage.close()
  await storage.close()
  await expect(storage.get('a')).rejects.toMatchObject({ code: 'LITHOPS_CLOSED' })
})

test('opening that failed is tried anew by the next operation', async () => {
  let opened = 0
  const storage = new Storage({
    backend: async () => {
      if (++opened === 1) throw new Error('not installed yet')
      return { backend: new MemoryStorage(), bucket: 'data' }
    },
  })
  await expect(storage.createBucket()).rejects.toThrow('not installed yet')
  await storage.createBucket()
  expect(opened).toBe(2)
})
