import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StorageBackend } from '../driver/storage-backend.ts'
import { ConfigError, MonitorError, StorageError } from '../errors/index.ts'
import { LocalhostStorage } from '../localhost/localhost-storage.ts'
import { MemoryStorage } from '../testing/memory-storage.ts'
import { monitorConformance } from '../testing/monitor-conformance.ts'
import { createStoragePublisher } from '../worker/storage-publisher.ts'
import { StorageMonitor, storageMonitorDriver } from './storage-monitor.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lithops-monitor-test-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const storages: Record<string, () => StorageBackend> = {
  localhost: () => new LocalhostStorage({ root }),
  memory: () => new MemoryStorage(),
}

for (const [name, open] of Object.entries(storages)) {
  describe(name, () => {
    monitorConformance({
      test,
      createMonitor: () => {
        const backend = open()
        return {
          monitor: new StorageMonitor({ backend, bucket: 'jobs' }),
          openPublisher: address => createStoragePublisher(address, backend),
          leftovers: async job => {
            const keys: string[] = []
            for await (const { key } of backend.listObjects('jobs', `lithops.jobs/${job.executorId}/`))
              keys.push(key)
            return keys
          },
          close: () => backend.close(),
        }
      },
    })
  })
}

const job = { executorId: 'e-1', jobId: 'M001' }

test('a frame is home within some milliseconds', async () => {
  const backend = new MemoryStorage()
  const monitor = new StorageMonitor({ backend, bucket: 'jobs' })
  const publisher = createStoragePublisher(await monitor.publisherAddress(job), backend)
  const controller = new AbortController()
  const frames = monitor.watch(job, { signal: controller.signal, openCalls: () => 1 })
  const first = frames.next()
  await publisher.publish(new Uint8Array([1]), job, { callId: 0, attempt: 0 })
  const begun = performance.now()
  await first
  expect(performance.now() - begun).toBeLessThan(100)
  controller.abort()
  expect((await frames.next()).done).toBe(true)
})

test('a storage that is broken for good ends the watching with a MonitorError', async () => {
  const backend = new MemoryStorage()
  await backend.createBucket('jobs')
  const broken = new StorageError('disk on fire')
  backend.listObjects = () => {
    throw broken
  }
  const monitor = new StorageMonitor({ backend, bucket: 'jobs' })
  const frames = monitor.watch(job, { signal: new AbortController().signal, openCalls: () => 1 })
  await expect(frames.next()).rejects.toSatisfy(
    error => MonitorError.isInstance(error) && error.cause === broken,
  )
})

test('the driver refuses a job without storage', () => {
  const log = { debug() {}, info() {}, warn() {} }
  const context = { projectDirectory: '.', userName: 'anna', log, storage: undefined }
  expect(() => storageMonitorDriver.create({}, context)).toThrow(ConfigError)
})
