import { expect, test } from 'vitest'
import type { ListOptions } from '../driver/storage-backend.ts'
import { MemoryStorage } from '../testing/memory-storage.ts'
import { keyOfFilePath, keyOfPath } from './file-view.ts'
import { linesOf } from './lines.ts'
import { Storage } from './storage.ts'

async function storageWith(keys: readonly string[], backend = new MemoryStorage()) {
  const storage = new Storage({ backend, bucket: 'data' })
  await storage.createBucket()
  for (const key of keys) await storage.put(key, `at ${key}`)
  return storage
}

test('paths are keys', () => {
  const keys = { '/a/b': 'a/b', 'a//b/': 'a/b', './a/./b': 'a/b', 'a/../b': 'b', '/': '', '': '', 'a.': 'a.' }
  for (const [path, key] of Object.entries(keys)) expect(keyOfPath(path)).toBe(key)
  for (const path of ['..', 'a/../../b']) expect(() => keyOfPath(path)).toThrow(/above the bucket/)
  for (const path of ['', '/', 'a/', 'a/.', '.', 'a/b/..'])
    expect(() => keyOfFilePath(path)).toThrow(/folder/)
  expect(keyOfFilePath('/logs/x..')).toBe('logs/x..')
})

test('folders are listed, walked and removed', async () => {
  await using storage = await storageWith(['a', 'a/x', 'a-b', 'a/y/z', 'b/', 'c/d/e/f', 'é'])
  const entries = await storage.ls()
  expect(entries.map(({ name, isFolder }) => (isFolder ? `${name}/` : name))).toEqual([
    'a',
    'a/',
    'a-b',
    'b/',
    'c/',
    'é',
  ])
  expect(entries[0]).toMatchObject({ path: 'a', sizeBytes: 4 })
  expect((await storage.ls('/a/')).map(entry => entry.path)).toEqual(['a/x', 'a/y'])
  expect(await storage.ls('b')).toEqual([])
  expect(await storage.ls('none')).toEqual([])
  const walked: unknown[] = []
  for await (const { path, folders, files } of storage.walk()) walked.push([path, folders, files])
  expect(walked).toEqual([
    ['', ['a', 'b', 'c'], ['a', 'a-b', 'é']],
    ['a', ['y'], ['x']],
    ['a/y', [], ['z']],
    ['b', [], []],
    ['c', ['d'], []],
    ['c/d', ['e'], []],
    ['c/d/e', [], ['f']],
  ])
  await storage.remove('a/x')
  await expect(storage.remove('a/x')).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_NOT_FOUND' })
  await expect(storage.remove('a/')).rejects.toThrow(/folder/)
  await storage.remove('a', { recursive: true })
  expect(await storage.listKeys()).toEqual(['a', 'a-b', 'b/', 'c/d/e/f', 'é'])
  await expect(storage.remove('/', { recursive: true })).rejects.toThrow(/top of a bucket/)
})

test('large folders are skipped, not read, where the storage can', async () => {
  let read = 0
  class Counting extends MemoryStorage {
    override async *listObjects(bucket: string, prefix?: string, options?: ListOptions) {
      for await (const entry of super.listObjects(bucket, prefix, options)) {
        read++
        yield entry
      }
    }
  }
  const keys = ['a', 'm', 'z'].flatMap(folder => Array.from({ length: 4000 }, (_, i) => `${folder}/${i}`))
  await using storage = await storageWith([...keys, 'm\u{10ffff}', 'n', 'z/\u{10ffff}/x'], new Counting())
  expect((await storage.ls()).map(entry => entry.name)).toEqual(['a', 'm', 'm\u{10ffff}', 'n', 'z'])
  expect(read).toBeLessThan(3100)
})

test('a file is written when it is closed, and not before', async () => {
  await using storage = await storageWith(['old'])
  const file = await storage.open('old', 'w')
  await file.write('new ')
  await file.write(new Uint8Array([0x21]))
  expect(await storage.get('old', { as: 'text' })).toBe('at old')
  await file.close()
  await file.close()
  expect(await storage.get('old', { as: 'text' })).toBe('new !')
  await expect(file.write('late')).rejects.toMatchObject({ code: 'LITHOPS_CLOSED' })
})

test('a file that is left without close is not written', async () => {
  await using storage = await storageWith(['old'])
  await expect(
    (async () => {
      await using file = await storage.open('old', 'w')
      await file.write('half of')
      throw new Error('in between')
    })(),
  ).rejects.toThrow('in between')
  const aborted = await storage.open('never', 'w')
  await aborted.write('x'.repeat(3_000_000).slice(0, 10))
  await aborted.abort()
  await expect(aborted.close()).rejects.toMatchObject({ code: 'LITHOPS_CLOSED' })
  expect(await storage.listKeys()).toEqual(['old'])
  expect(await storage.get('old', { as: 'text' })).toBe('at old')
})

test('large files are written piece by piece, and a buffer may be used again', async () => {
  await using storage = await storageWith([])
  const file = await storage.open('large', 'w')
  const buffer = new Uint8Array(700_000)
  for (let i = 0; i < 8; i++) {
    buffer.fill(i)
    await file.write(buffer)
  }
  await file.close()
  const bytes = await storage.get('large')
  expect(bytes.length).toBe(5_600_000)
  expect([0, 1, 7].map(i => bytes[i * 700_000])).toEqual([0, 1, 7])
})

test('a write that the storage refuses is told, by write or by close', async () => {
  const storage = new Storage({ backend: new MemoryStorage(), bucket: 'none' })
  const file = await storage.open('k', 'w')
  await expect(
    (async () => {
      for (let i = 0; i < 100; i++) await file.write(new Uint8Array(100_000))
      await file.close()
    })(),
  ).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_NOT_FOUND' })
})

test("mode 'x' writes only what is not there", async () => {
  await using storage = await storageWith(['old'])
  const file = await storage.open('old', 'x')
  await file.write('mine')
  await expect(file.close()).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_EXISTS' })
  expect(await storage.get('old', { as: 'text' })).toBe('at old')
  const fresh = await storage.open('fresh', 'xb')
  await fresh.close()
  expect(await storage.get('fresh', { as: 'text' })).toBe('')
  for (const mode of ['a', 'r+', 'w+', 'ab']) {
    await expect(storage.open('old', mode as never)).rejects.toMatchObject({ code: 'LITHOPS_NOT_SUPPORTED' })
  }
  await expect(storage.open('old', 'q' as never)).rejects.toThrow(TypeError)
})

test('a file is read in parts, from anywhere, and line by line', async () => {
  await using storage = await storageWith([])
  await storage.put('f', 'one\r\ntwo\n\nvier ä€😀\nlast')
  await using file = await storage.open('/f')
  expect(file.sizeBytes).toBe(29)
  expect(Buffer.from(await file.read(5)).toString()).toBe('one\r\n')
  expect(file.position).toBe(5)
  const lines: string[] = []
  for await (const line of file) lines.push(line)
  expect(lines).toEqual(['two', '', 'vier ä€😀', 'last'])
  expect(await file.read(1)).toEqual(new Uint8Array())
  expect(await file.seek(-4)).toBe(25)
  expect(await file.readText()).toBe('last')
  await file.seek(0)
  expect((await file.read()).length).toBe(29)
  expect(await file.seek(100)).toBe(100)
  expect((await file.read()).length).toBe(0)
  await expect(file.read(-1)).rejects.toThrow(TypeError)
  await file.close()
  await expect(file.read(1)).rejects.toMatchObject({ code: 'LITHOPS_CLOSED' })
  await expect(storage.open('none')).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_NOT_FOUND' })
})

test('a file that was written anew since it was opened is not read as a mixture', async () => {
  await using storage = await storageWith([])
  await storage.put('f', 'x'.repeat(100))
  const file = await storage.open('f')
  await storage.put('f', 'y'.repeat(100))
  await expect(file.read(10)).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_CHANGED' })
})

test('lines are the same however the bytes are cut', async () => {
  const text = 'a\r\nbé€😀\n\r\n\rc\r\n\nlast\r'
  const bytes = Buffer.from(text)
  for (let size = 1; size <= bytes.length; size++) {
    async function* pieces() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    const lines: string[] = []
    for await (const line of linesOf(pieces())) lines.push(line)
    expect(lines).toEqual(['a', 'bé€😀', '', '\rc', '', 'last\r'])
  }
})
