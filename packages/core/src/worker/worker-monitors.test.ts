import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { PublisherContext, PublisherDriver } from '../driver/monitor.ts'
import { publisherHead } from '../monitor/publisher-head.ts'
import { MemoryStorage } from '../testing/memory-storage.ts'
import type { JobHead } from './protocol.ts'
import { WorkerMonitors } from './worker-monitors.ts'
import { WorkerStorages } from './worker-storages.ts'

const job = { executorId: 'e-1', jobId: 'M001' }
const calls = { callId: 3, attempt: 0 }
const headOf = (fields: Partial<JobHead>) => ({ ...job, ...fields }) as JobHead

/** A driver that notes what it opens and what is published over it. */
function noted(fails = false) {
  const seen: { opened: PublisherContext[]; published: number; flushed: number; closed: number } = {
    opened: [],
    published: 0,
    flushed: 0,
    closed: 0,
  }
  const driver: PublisherDriver = {
    specVersion: 1,
    kind: 'queue',
    open: (_address, context) => {
      seen.opened.push(context)
      return {
        isRealTime: true,
        publish: async () => {
          if (fails) throw new Error('the queue is gone')
          seen.published++
        },
        flush: async () => {
          seen.flushed++
        },
        close: async () => {
          seen.closed++
        },
      }
    },
  }
  return { seen, driver }
}

const storages = () =>
  new WorkerStorages({ drivers: [{ specVersion: 1, name: 'memory', create: () => new MemoryStorage() }] })

test('a publisher is opened once for all activations, with the secrets that were placed', async () => {
  const { seen, driver } = noted()
  const monitors = new WorkerMonitors({ storages: storages(), drivers: [driver] })
  const monitor = { name: 'queue', workerSecrets: () => ({ password: 'P' }) }
  const { publisher, secrets } = publisherHead(monitor as never, { kind: 'queue', place: 'here' })
  expect(JSON.stringify(publisher)).not.toContain('P"')
  monitors.addSecrets(secrets === undefined ? [] : [secrets])
  for (let activation = 0; activation < 3; activation++) {
    const opened = await monitors.open(headOf({ publisher }))
    expect(opened.isRealTime).toBe(true)
    await opened.publish(new Uint8Array(1), job, calls)
    await opened.close()
  }
  expect(seen).toMatchObject({
    opened: [{ secrets: { password: 'P' } }],
    published: 3,
    flushed: 3,
    closed: 0,
  })
  monitors.addSecrets([
    { storageId: secrets?.storageId ?? '', storageName: 'queue', values: { password: 'Q' } },
  ])
  await monitors.open(headOf({ publisher }))
  expect(seen.opened).toEqual([{ secrets: { password: 'P' } }, { secrets: { password: 'Q' } }])
  await monitors.close()
  expect(seen.closed).toBe(2)
})

test('where workers share the disk the module is imported, as ES module and as CommonJS', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lithops-publisher-'))
  const text =
    'publisher = { specVersion: 1, kind: "queue", open: () => ({ publish: async () => {}, close: async () => {} }) }'
  for (const [name, source] of [
    ['half.mjs', `export const ${text}`],
    ['half.cjs', `exports.${text}`],
  ] as const) {
    const module = join(folder, name)
    await writeFile(module, source)
    const opened = await new WorkerMonitors({ storages: storages() }).open(
      headOf({ publisher: { kind: 'queue', module } }),
    )
    await opened.publish(new Uint8Array(1), job, calls)
  }
  await rm(folder, { recursive: true })
})

test('a worker without the half says so, and one of another version', async () => {
  const { driver } = noted()
  const monitors = new WorkerMonitors({
    storages: storages(),
    drivers: [{ ...driver, specVersion: 2 as never }],
  })
  const elsewhere = headOf({ publisher: { kind: 'pigeon', module: '/nowhere/pigeon.mjs' } })
  await expect(monitors.open(elsewhere)).rejects.toMatchObject({
    code: 'LITHOPS_NOT_SUPPORTED',
    message: expect.stringContaining("'pigeon'"),
  })
  await expect(monitors.open(headOf({ publisher: { kind: 'queue' } }))).rejects.toThrow(/specVersion 2/)
})

test('what the first way does not take goes to the storage, and what comes after it at once', async () => {
  const { driver } = noted(true)
  const backend = new MemoryStorage()
  await backend.createBucket('b')
  const ofWorker = new WorkerStorages({
    drivers: [{ specVersion: 1, name: 'memory', create: () => backend }],
  })
  const monitors = new WorkerMonitors({ storages: ofWorker, drivers: [driver] })
  const fallback = { kind: 'storage', storage: 'memory', config: {}, bucket: 'b' }
  const publisher = { kind: 'queue', fallback }
  const opened = await monitors.open(
    headOf({ publisher, storage: { name: 'memory', bucket: 'b', config: {} } }),
  )
  expect(opened.isRealTime).toBe(true)
  await opened.publish(new Uint8Array(5), job, calls)
  expect(opened.isRealTime).toBe(false)
  await opened.publish(new Uint8Array(6), job, calls)
  await opened.close()
  const sizes: number[] = []
  for await (const { sizeBytes } of backend.listObjects('b', 'lithops.jobs/e-1/M001/status/'))
    sizes.push(sizeBytes)
  expect(sizes.sort()).toEqual([5, 6])
})
