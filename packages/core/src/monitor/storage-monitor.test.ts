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

const setups = Object.entries(storages).flatMap(([name, open]) => [
  { name: `${name}, frames in objects`, open, maxKeyBytes: 0 },
  { name: `${name}, small frames in keys`, open, maxKeyBytes: 1024 },
])
for (const { name, open, maxKeyBytes } of setups) {
  describe(name, () => {
    monitorConformance({
      test,
      createMonitor: () => {
        const backend = open()
        return {
          monitor: new StorageMonitor({ backend, bucket: 'jobs', maxKeyBytes }),
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

test('many reads at the same time are no leak of listeners', async () => {
  const backend = new MemoryStorage()
  const monitor = new StorageMonitor({ backend, bucket: 'jobs', maxKeyBytes: 0 })
  const publisher = createStoragePublisher(await monitor.publisherAddress(job), backend)
  const get = backend.getObject.bind(backend)
  backend.getObject = async (bucket, key, options) => {
    const listener = () => {}
    options?.signal?.addEventListener('abort', listener)
    const body = await get(bucket, key, options)
    await new Promise(setImmediate)
    options?.signal?.removeEventListener('abort', listener)
    return body
  }
  for (let callId = 0; callId < 20; callId++)
    await publisher.publish(new Uint8Array([callId]), job, { callId, attempt: 0 })
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  const controller = new AbortController()
  let read = 0
  for await (const _ of monitor.watch(job, { signal: controller.signal, openCalls: () => 20 - read }))
    if (++read === 20) controller.abort()
  await new Promise(setImmediate)
  process.off('warning', note)
  expect(warnings).toEqual([])
})

test('a listing alone tells small frames, and blocks that have ended are not listed again', async () => {
  const backend = new MemoryStorage()
  const asked: string[] = []
  const list = backend.listObjects.bind(backend)
  backend.listObjects = (bucket, prefix, options) => {
    asked.push(`list ${prefix}`)
    return list(bucket, prefix, options)
  }
  const get = backend.getObject.bind(backend)
  backend.getObject = (bucket, key, options) => {
    asked.push(`get ${key}`)
    return get(bucket, key, options)
  }
  const monitor = new StorageMonitor({ backend, bucket: 'jobs', maxKeyBytes: 1024 })
  const publisher = createStoragePublisher(await monitor.publisherAddress(job), backend)
  for (let callId = 0; callId < 1200; callId++)
    await publisher.publish(new Uint8Array(100).fill(callId), job, { callId, attempt: 0 })
  const controller = new AbortController()
  let open = [0, 1, 2, 3, 4]
  const frames = monitor.watch(job, {
    signal: controller.signal,
    openCalls: () => 1,
    openBlocks: () => open,
  })
  for (let i = 0; i < 1200; i++) expect((await frames.next()).value).toHaveLength(100)
  expect(asked).toEqual(['list lithops.jobs/e-1/M001/status/'])
  open = [4]
  await publisher.publish(new Uint8Array(2000), job, { callId: 1200, attempt: 0 })
  expect((await frames.next()).value).toHaveLength(2000)
  expect(asked.slice(1)).toEqual([
    'list lithops.jobs/e-1/M001/status/4/',
    expect.stringMatching(/^get .*status\/4\/1200-1200-0-/),
  ])
  controller.abort()
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
