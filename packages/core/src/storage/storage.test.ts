import { Readable } from 'node:stream'
import { expect, expectTypeOf, test } from 'vitest'
import { ObjectNotFoundError } from '../errors/index.ts'
import { MemoryStorage } from '../testing/memory-storage.ts'
import { Storage } from './storage.ts'

async function newStorage() {
  const storage = new Storage({ backend: new MemoryStorage(), bucket: 'data' })
  await storage.createBucket()
  return storage
}

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
  expect(await storage.exists('a')).toBe(true)
  expect((await storage.head('b/1')).sizeBytes).toBe(3)
  await storage.delete('a')
  await storage.delete(['b/1', 'b/2'])
  expect(await storage.exists('a')).toBe(false)
  expect(await storage.listKeys()).toEqual([])
  await expect(storage.get('a')).rejects.toSatisfy(error => ObjectNotFoundError.isInstance(error))
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
  expect(() => storage.put('k', 5 as never)).toThrow(TypeError)
})
