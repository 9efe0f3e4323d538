import { test } from 'vitest'
import { MemoryStorage, memoryStorage } from './memory-storage.ts'
import { storageConformance } from './storage-conformance.ts'

storageConformance({ test, createBackend: () => new MemoryStorage() })

test('backends of one memory driver share their objects', async ({ expect }) => {
  const driver = memoryStorage()
  const log = { debug() {}, info() {}, warn() {} }
  const context = { projectDirectory: '.', userName: 'anna', log }
  const one = await driver.create({}, context)
  const two = await driver.create({}, context)
  await one.createBucket('b')
  await one.putObject('b', 'k', new Uint8Array([1]))
  expect(await two.getObject('b', 'k')).toEqual(new Uint8Array([1]))
})
