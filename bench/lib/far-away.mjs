import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds that an object storage of a cloud takes from a client in the same region. */
const LATENCY_MS = { put: 25, get: 15, head: 12, list: 35, delete: 25 }
const KEYS_PER_LISTING = 1000

/** A storage in memory that answers as slowly as one of a cloud, and counts requests as one would bill them. */
export async function farStorage() {
  const { MemoryStorage } = await import('@lithops/core/testing')
  const inner = new MemoryStorage()
  const requests = { put: 0, get: 0, head: 0, list: 0, delete: 0 }
  const slow =
    (kind, method) =>
    async (...args) => {
      requests[kind]++
      await sleep(LATENCY_MS[kind])
      return inner[method](...args)
    }
  const backend = {
    specVersion: 1,
    name: 'far',
    capabilities: inner.capabilities,
    putObject: slow('put', 'putObject'),
    getObject: slow('get', 'getObject'),
    getObjectStream: slow('get', 'getObjectStream'),
    headObject: slow('head', 'headObject'),
    deleteObject: slow('delete', 'deleteObject'),
    deleteObjects: slow('delete', 'deleteObjects'),
    async *listObjects(bucket, prefix, options) {
      let keys = 0
      const page = async () => {
        requests.list++
        await sleep(LATENCY_MS.list)
      }
      await page()
      for await (const entry of inner.listObjects(bucket, prefix, options)) {
        if (keys++ === KEYS_PER_LISTING) {
          await page()
          keys = 1
        }
        yield entry
      }
    },
    bucketExists: slow('head', 'bucketExists'),
    createBucket: slow('put', 'createBucket'),
    workerConfig: () => ({}),
    client: () => undefined,
    close: async () => {},
  }
  return { backend, requests, driver: { specVersion: 1, name: 'far', create: () => backend } }
}

/** A platform with so many workers at once, in this process; results come home through the storage alone. */
export async function farBackend({ workers, storage }) {
  const { ActivationRunner, createStoragePublisher, LITHOPS_VERSION, PROTOCOL_VERSION, Storage } = {
    ...(await import('@lithops/core')),
    ...(await import('@lithops/core/worker')),
  }
  let nextWorker = 0
  const newWorker = () => {
    const workerId = `far-${nextWorker++}`
    return new ActivationRunner({
      facts: () => ({
        workerId,
        nodeVersion: process.version,
        lithopsVersion: LITHOPS_VERSION,
        coldStart: false,
        initMs: 0,
      }),
      emit: () => {},
      importModule: async (_hash, _code, inline) =>
        (await import(`data:text/javascript;base64,${Buffer.from(inline).toString('base64')}`)).default,
      readLocation: async () => {
        throw new Error('no files here')
      },
      openStorage: head => new Storage({ backend: storage, bucket: head.storage.bucket }),
      openPublisher: async head => createStoragePublisher(head.publisher, storage),
      poisoned: () => {},
    })
  }
  const idle = []
  return {
    specVersion: 1,
    name: 'far',
    kind: 'faas',
    capabilities: {
      synchronousReply: true,
      streamsReplies: false,
      maxPayloadBytes: 6 * 1024 * 1024,
      maxReplyBytes: 6 * 1024 * 1024,
      maxTimeoutMs: 900_000,
      maxActivations: workers,
      callsAtOnce: 1,
      sharesFileSystem: false,
      killsBusyCalls: true,
      freshWorkers: false,
    },
    defaultRuntime: { name: 'far' },
    deployRuntime: async () => ({
      lithopsVersion: LITHOPS_VERSION,
      protocolVersion: PROTOCOL_VERSION,
      nodeVersion: process.version,
      platform: process.platform,
      arch: process.arch,
    }),
    listRuntimes: async () => [],
    deleteRuntime: async () => {},
    async invoke({ payload }) {
      const worker = idle.pop() ?? newWorker()
      await worker.run(payload)
      idle.push(worker)
      return {}
    },
    clean: async () => [],
    close: async () => {},
  }
}
