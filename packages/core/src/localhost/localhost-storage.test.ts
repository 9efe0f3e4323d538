import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { StorageError } from '../errors/index.ts'
import { storageConformance } from '../testing/storage-conformance.ts'
import { LocalhostStorage, localhostStorageDriver } from './localhost-storage.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lithops-storage-test-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

storageConformance({ test, createBackend: () => new LocalhostStorage({ root }) })

test('a usual object is the file of that name', async () => {
  const storage = new LocalhostStorage({ root })
  await storage.putObject('storage', 'photos/2026/day one.txt', Buffer.from('hello'))
  expect(await readFile(join(root, 'storage', 'photos', '2026', 'day one.txt'), 'utf8')).toBe('hello')
})

test('removing the last object of folders removes them, and no unfinished file stays', async () => {
  const storage = new LocalhostStorage({ root, defaultBucket: 'gone' })
  await storage.putObject('gone', 'a/b/c/d.txt', new Uint8Array(1))
  await storage.deleteObject('gone', 'a/b/c/d.txt')
  expect(await readdir(join(root, 'gone'))).toEqual(['%tmp'])
  expect(await readdir(join(root, 'gone', '%tmp'))).toEqual([])
})

test('no key leaves the root', async () => {
  const storage = new LocalhostStorage({ root: join(root, 'inner'), defaultBucket: '..' })
  for (const key of ['../../escaped.txt', '/etc/escaped.txt', '..', 'a/../../../escaped.txt']) {
    await storage.putObject('..', key, new Uint8Array(1))
  }
  expect(await readdir(root)).not.toContain('escaped.txt')
  expect(await readdir(join(root, 'inner'))).toHaveLength(1)
})

test('refuses keys that are no text', async () => {
  const storage = new LocalhostStorage({ root })
  for (const key of ['a\0b', 'half \ud800', '']) {
    await expect(storage.putObject('storage', key, new Uint8Array(1))).rejects.toSatisfy(error =>
      StorageError.isInstance(error),
    )
  }
})

test('files are for their user only', async () => {
  const storage = new LocalhostStorage({ root })
  await storage.putObject('storage', 'secret/of.txt', new Uint8Array(1))
  expect((await stat(join(root, 'storage', 'secret', 'of.txt'))).mode & 0o077).toBe(0)
  expect((await stat(join(root, 'storage', 'secret'))).mode & 0o077).toBe(0)
})

test('the driver puts buckets into a folder named after the user', async () => {
  const log = { debug() {}, info() {}, warn() {} }
  const backend = await localhostStorageDriver.create({}, { projectDirectory: '.', userName: 'ann/a', log })
  expect(backend.workerConfig()).toEqual({
    root: join(tmpdir(), 'lithops-ann%2Fa'),
    storage_bucket: 'storage',
  })
  await backend.close()
})
