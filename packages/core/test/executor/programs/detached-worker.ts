// detached-worker.ts PAYLOAD: runs one activation and ends, whatever becomes of the program that started it.
import { readFileSync } from 'node:fs'
import { LocalhostStorage } from '../../../src/localhost/localhost-storage.ts'
import { ActivationRunner, createStoragePublisher, Storage } from '../../../src/worker/index.ts'

const openStorage = (config: Readonly<Record<string, unknown>>) =>
  new LocalhostStorage({ root: String(config.root) })

const runner = new ActivationRunner({
  facts: () => ({
    workerId: String(process.pid),
    nodeVersion: process.version,
    lithopsVersion: '0.0.0-test',
    coldStart: true,
    initMs: 0,
  }),
  emit: () => {},
  importModule: async (_hash, _code, inline) =>
    (await import(`data:text/javascript;base64,${Buffer.from(inline).toString('base64')}`)).default,
  readLocation: async () => {
    throw new Error('no files here')
  },
  openStorage: head =>
    new Storage({ backend: openStorage(head.storage?.config ?? {}), bucket: head.storage?.bucket ?? '' }),
  openPublisher: async ({ publisher }) => {
    if (publisher === undefined) throw new Error('results must go to storage')
    return createStoragePublisher(publisher, openStorage(publisher.config as Record<string, unknown>))
  },
  poisoned: () => {},
})
await runner.run(readFileSync(process.argv[2] as string))
