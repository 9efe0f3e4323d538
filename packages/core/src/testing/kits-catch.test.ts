/** The kits are tested by what they catch: small deliberate mistakes, each of which must fail the case named for it. */
import { describe, test } from 'vitest'
import { casesOf, mustFail } from '../../test/kits/harness.ts'
import type { Activation, DeployOptions, InvokeOptions, RuntimeSpec } from '../driver/compute-backend.ts'
import type { JobKey, Monitor, PublisherAddress, StatusPublisher, WatchOptions } from '../driver/monitor.ts'
import type {
  Body,
  GetOptions,
  ListOptions,
  ObjectEntry,
  PutOptions,
  StorageCallOptions,
} from '../driver/storage-backend.ts'
import { StorageMonitor } from '../monitor/storage-monitor.ts'
import { createStoragePublisher } from '../worker/storage-publisher.ts'
import { computeConformance } from './compute-conformance.ts'
import { MemoryCompute } from './memory-compute.ts'
import { MemoryMonitor, openMemoryPublisher } from './memory-monitor.ts'
import { MemoryStorage } from './memory-storage.ts'
import { monitorConformance } from './monitor-conformance.ts'
import { storageConformance } from './storage-conformance.ts'

describe('the storage kit catches a storage that', () => {
  const mistakes: Record<string, { readonly Storage: new () => MemoryStorage; readonly fails: string }> = {
    'loses the last byte of a range': {
      fails: 'reads ranges whose end is not part of them',
      Storage: class extends MemoryStorage {
        override async getObject(bucket: string, key: string, options: GetOptions = {}) {
          const bytes = await super.getObject(bucket, key, options)
          return options.range?.end === undefined ? bytes : bytes.slice(0, -1)
        }
      },
    },
    'takes the end of a range as part of it': {
      fails: 'reads ranges whose end is not part of them',
      Storage: class extends MemoryStorage {
        override getObject(bucket: string, key: string, options: GetOptions = {}) {
          const { range } = options
          if (range?.end === undefined) return super.getObject(bucket, key, options)
          return super.getObject(bucket, key, { ...options, range: { ...range, end: range.end + 1 } })
        }
      },
    },
    'refuses a range beyond the end': {
      fails: 'reads ranges that begin or end beyond the object',
      Storage: class extends MemoryStorage {
        override async getObject(bucket: string, key: string, options: GetOptions = {}) {
          const { sizeBytes } = await this.headObject(bucket, key)
          if ((options.range?.start ?? -1) >= sizeBytes) throw new Error('416 Range Not Satisfiable')
          return super.getObject(bucket, key, options)
        }
      },
    },
    'shows a secret in what workers are told': {
      fails: 'keeps secrets out of the configuration for workers',
      Storage: class extends MemoryStorage {
        workerSecrets() {
          return { password: this.workerConfig().store }
        }
      },
    },
    'copies nothing': {
      fails: 'copies an object within the service',
      Storage: class extends MemoryStorage {
        override async copyObject() {
          return { etag: '' }
        }
      },
    },
    'begins a listing one key late': {
      fails: 'a listing after a key has every key that follows',
      Storage: class extends MemoryStorage {
        override async *listObjects(bucket: string, prefix?: string, options: ListOptions = {}) {
          let skipped = options.startAfter === undefined
          for await (const entry of super.listObjects(bucket, prefix, options)) {
            if (skipped) yield entry
            skipped = true
          }
        }
      },
    },
    'lists its first page only': {
      fails: 'lists all keys of several pages in order',
      Storage: class extends MemoryStorage {
        override async *listObjects(bucket: string, prefix?: string, options?: StorageCallOptions) {
          let count = 0
          for await (const entry of super.listObjects(bucket, prefix, options)) {
            if (count++ === 1000) return
            yield entry
          }
        }
      },
    },
    'removes its first page only': {
      fails: 'removes any number of objects at once',
      Storage: class extends MemoryStorage {
        override deleteObjects(bucket: string, keys: readonly string[], options?: StorageCallOptions) {
          return super.deleteObjects(bucket, keys.slice(0, 1000), options)
        }
      },
    },
    'lists in the order of UTF-16': {
      fails: 'lists in the order of UTF-8 bytes',
      Storage: class extends MemoryStorage {
        override async *listObjects(bucket: string, prefix?: string, options?: StorageCallOptions) {
          const entries: ObjectEntry[] = []
          for await (const entry of super.listObjects(bucket, prefix, options)) entries.push(entry)
          yield* entries.sort((a, b) => (a.key < b.key ? -1 : 1))
        }
      },
    },
    'takes a prefix for a folder, and its siblings too': {
      fails: 'lists by prefix, and not its siblings',
      Storage: class extends MemoryStorage {
        override listObjects(bucket: string, prefix = '', options?: StorageCallOptions) {
          return super.listObjects(bucket, prefix.replace(/\/$/, ''), options)
        }
      },
    },
    'throws a plain Error for a missing key': {
      fails: 'a missing object is an ObjectNotFoundError with its bucket and key',
      Storage: class extends MemoryStorage {
        override async headObject(bucket: string, key: string, options?: StorageCallOptions) {
          try {
            return await super.headObject(bucket, key, options)
          } catch {
            throw new Error('NoSuchKey')
          }
        }
      },
    },
    'reads + in a key as a space': {
      fails: 'keeps odd keys as they are',
      Storage: class extends MemoryStorage {
        override putObject(bucket: string, key: string, body: Body, options?: PutOptions) {
          return super.putObject(bucket, key.replaceAll('+', ' '), body, options)
        }
      },
    },
    'normalises the segments of a key': {
      fails: 'keeps odd keys as they are',
      Storage: class extends MemoryStorage {
        override putObject(bucket: string, key: string, body: Body, options?: PutOptions) {
          return super.putObject(bucket, key.replaceAll('/./', '/'), body, options)
        }
      },
    },
    'lets every writer win': {
      fails: 'one of several writers with ifAbsent wins',
      Storage: class extends MemoryStorage {
        override putObject(bucket: string, key: string, body: Body, options: PutOptions = {}) {
          return super.putObject(bucket, key, body, { ...options, ifAbsent: false })
        }
      },
    },
    'writes the whole buffer of a view': {
      fails: 'writes a view of a buffer, not the whole buffer',
      Storage: class extends MemoryStorage {
        override putObject(bucket: string, key: string, body: Body, options?: PutOptions) {
          const whole = body instanceof Uint8Array ? new Uint8Array(body.buffer) : body
          return super.putObject(bucket, key, whole, options)
        }
      },
    },
    'shows half of a write': {
      fails: 'readers see the old or the new object, never a mixture',
      Storage: class extends MemoryStorage {
        override async putObject(bucket: string, key: string, body: Body, options?: PutOptions) {
          if (body instanceof Uint8Array) {
            await super.putObject(bucket, key, body.subarray(0, body.length / 2), options)
            await new Promise(resolve => setTimeout(resolve, 5))
          }
          return super.putObject(bucket, key, body, options)
        }
      },
    },
    'leaves an object when its stream broke': {
      fails: 'a stream that fails writes nothing, and its error comes back',
      Storage: class extends MemoryStorage {
        override async putObject(bucket: string, key: string, body: Body, options?: PutOptions) {
          await super.putObject(bucket, key, new Uint8Array(), options)
          return super.putObject(bucket, key, body, options)
        }
      },
    },
    'does not look at the signal': {
      fails: 'an aborted signal ends every operation',
      Storage: class extends MemoryStorage {
        override deleteObject(bucket: string, key: string) {
          return super.deleteObject(bucket, key)
        }
      },
    },
    'cannot be closed twice': {
      fails: 'can be closed twice, and refuses work afterwards',
      Storage: class extends MemoryStorage {
        #closes = 0
        override async close() {
          if (++this.#closes === 2) throw new Error('not connected')
          await super.close()
        }
      },
    },
    'works on after it was closed': {
      fails: 'can be closed twice, and refuses work afterwards',
      Storage: class extends MemoryStorage {
        override async close() {}
      },
    },
    'forgets the ETag': {
      fails: 'refuses to read an object that is another than expected',
      Storage: class extends MemoryStorage {
        override getObject(bucket: string, key: string, { range, signal }: GetOptions = {}) {
          return super.getObject(bucket, key, { ...(range && { range }), ...(signal && { signal }) })
        }
      },
    },
  }
  for (const [mistake, { Storage, fails }] of Object.entries(mistakes)) {
    test(mistake, () =>
      mustFail(
        kitTest => storageConformance({ test: kitTest, createBackend: () => new Storage() }),
        `storage: ${fails}`,
      ),
    )
  }
})

describe('the monitor kit catches a monitor that', () => {
  class Wrapped implements Monitor {
    readonly specVersion = 1
    readonly name = 'wrapped'
    constructor(protected readonly inner: Monitor) {}
    watch(job: JobKey, options: WatchOptions): AsyncIterable<Uint8Array> {
      return this.inner.watch(job, options)
    }
    publisherAddress(job: JobKey): Promise<PublisherAddress> {
      return this.inner.publisherAddress(job)
    }
    forget(job: JobKey): Promise<void> {
      return this.inner.forget(job)
    }
    close(): Promise<void> {
      return this.inner.close()
    }
  }
  const timing = { deliveryMs: 500, manyCalls: 50 }
  const mistakes: Record<
    string,
    {
      readonly fails: string
      readonly Monitor?: new (inner: Monitor) => Monitor
      readonly publisher?: (inner: StatusPublisher) => StatusPublisher
    }
  > = {
    'loses one frame': {
      fails: 'delivers what many workers publish at once, none lost',
      Monitor: class extends Wrapped {
        override async *watch(job: JobKey, options: WatchOptions) {
          let count = 0
          for await (const frames of super.watch(job, options)) if (++count !== 17) yield frames
        }
      },
    },
    'cuts large frames': {
      fails: 'delivers what a worker publishes, byte by byte',
      Monitor: class extends Wrapped {
        override async *watch(job: JobKey, options: WatchOptions) {
          for await (const frames of super.watch(job, options)) yield frames.subarray(0, 65_536)
        }
      },
    },
    'never ends when its signal is aborted': {
      fails: 'an aborted signal ends the watching without an error',
      Monitor: class extends Wrapped {
        override watch(job: JobKey, options: WatchOptions) {
          return super.watch(job, { ...options, signal: new AbortController().signal })
        }
      },
    },
    'throws when its signal is aborted': {
      fails: 'an aborted signal ends the watching without an error',
      Monitor: class extends Wrapped {
        override async *watch(job: JobKey, options: WatchOptions) {
          yield* super.watch(job, options)
          options.signal.throwIfAborted()
        }
      },
    },
    'leaves objects when it forgets': {
      fails: 'forget leaves nothing, and may be called twice or for nothing',
      Monitor: class extends Wrapped {
        override async forget() {}
      },
    },
    'mixes jobs up': {
      fails: 'keeps jobs apart whose names begin alike',
      Monitor: class extends Wrapped {
        override async *watch(job: JobKey, options: WatchOptions) {
          yield* super.watch({ ...job, jobId: job.jobId.slice(0, 2) }, options)
        }
      },
    },
    'sends no address that can travel': {
      fails: "a publisher's address is plain JSON with a kind",
      Monitor: class extends Wrapped {
        override async publisherAddress(job: JobKey) {
          return { ...(await super.publisherAddress(job)), open: () => {} }
        }
      },
    },
    'keeps the last publishing of a call only': {
      fails: 'delivers several publishings of one call, and of its attempts',
      publisher: inner => {
        const published = new Set<string>()
        return {
          async publish(frames, job, call) {
            const name = `${call.callId}-${call.attempt}`
            if (!published.has(name)) await inner.publish(frames, job, call)
            published.add(name)
          },
          close: () => inner.close(),
        }
      },
    },
  }
  for (const [
    mistake,
    { fails, Monitor: Broken = Wrapped, publisher = (inner: StatusPublisher) => inner },
  ] of Object.entries(mistakes)) {
    test(mistake, () =>
      mustFail(
        kitTest =>
          monitorConformance({
            test: kitTest,
            timing,
            createMonitor: () => {
              const backend = new MemoryStorage()
              return {
                monitor: new Broken(new StorageMonitor({ backend, bucket: 'jobs' })),
                openPublisher: address => publisher(createStoragePublisher(address, backend)),
                leftovers: async job => {
                  const keys: string[] = []
                  const prefix = `lithops.jobs/${job.executorId}/`
                  for await (const { key } of backend.listObjects('jobs', prefix)) keys.push(key)
                  return keys
                },
              }
            },
          }),
        `monitor: ${fails}`,
      ),
    )
  }

  test('delivers twice, and lets it pass', async () => {
    class Twice extends MemoryMonitor {
      override deliver(job: JobKey, frames: Uint8Array) {
        super.deliver(job, frames)
        super.deliver(job, frames)
      }
    }
    const cases = casesOf(kitTest =>
      monitorConformance({
        test: kitTest,
        timing,
        createMonitor: () => ({ monitor: new Twice(), openPublisher: openMemoryPublisher }),
      }),
    )
    for (const run of cases.values()) await run()
  })
})

describe('the compute kit catches a backend that', () => {
  const timing = { callMs: 3_000, stopMs: 300, manyCalls: 40 }
  const mistakes: Record<string, { readonly fails: string; readonly Compute: new () => MemoryCompute }> = {
    'drops a reply': {
      fails: 'a map gives every result once, in the order of its items',
      Compute: class extends MemoryCompute {
        #activations = 0
        override invoke(activation: Activation, options: InvokeOptions) {
          const isDropped = ++this.#activations === 7
          return super.invoke(activation, isDropped ? { ...options, onReply: () => {} } : options)
        }
      },
    },
    'cuts a reply': {
      fails: 'gives values as they are: empty, odd and large',
      Compute: class extends MemoryCompute {
        override invoke(activation: Activation, options: InvokeOptions) {
          const onReply = (frames: Uint8Array) => options.onReply(frames.subarray(0, 65_536))
          return super.invoke(activation, { ...options, onReply })
        }
      },
    },
    'ignores the signal': {
      fails: 'a cancelled call ends its activation, and the next call works',
      Compute: class extends MemoryCompute {
        override invoke(activation: Activation, { onReply }: InvokeOptions) {
          return super.invoke(activation, { onReply })
        }
      },
    },
    'begins although the signal is aborted': {
      fails: 'an aborted signal ends deployRuntime and invoke before they begin',
      Compute: class extends MemoryCompute {
        override deployRuntime(runtime: Parameters<MemoryCompute['deployRuntime']>[0]) {
          return super.deployRuntime(runtime)
        }
      },
    },
    'shows a secret in its listing': {
      fails: 'places secrets where functions and listings do not show them',
      Compute: class extends MemoryCompute {
        #secrets = ''
        override deployRuntime(runtime: RuntimeSpec, options: DeployOptions = {}) {
          this.#secrets = JSON.stringify(options.secrets ?? [])
          return super.deployRuntime(runtime, options)
        }
        override async listRuntimes() {
          return (await super.listRuntimes()).map(runtime => ({ ...runtime, workerName: this.#secrets }))
        }
      },
    },
    'lets functions see a secret': {
      fails: 'places secrets where functions and listings do not show them',
      Compute: class extends MemoryCompute {
        override async deployRuntime(runtime: RuntimeSpec, options: DeployOptions = {}) {
          for (const { values } of options.secrets ?? []) Object.assign(process.env, values)
          return super.deployRuntime(runtime, options)
        }
        override async close() {
          delete process.env.password
          await super.close()
        }
      },
    },
    'resolves before the results': {
      fails: 'invoke ends after the last reply of its calls',
      Compute: class extends MemoryCompute {
        override async invoke(activation: Activation, options: InvokeOptions) {
          super.invoke(activation, options).catch(() => {})
          return {}
        }
      },
    },
    'ends no activation when it is closed': {
      fails: 'close ends activations under way',
      Compute: class extends MemoryCompute {
        override async close() {}
      },
    },
    'takes activations after it was closed': {
      fails: 'can be closed twice, and refuses activations afterwards',
      Compute: class extends MemoryCompute {
        override async close() {}
        override async invoke() {
          return {}
        }
      },
    },
    'lets no two calls run together': {
      fails: 'runs calls at the same time',
      Compute: class extends MemoryCompute {
        #last: Promise<unknown> = Promise.resolve()
        override invoke(activation: Activation, options: InvokeOptions) {
          const run = this.#last.then(() => super.invoke(activation, options))
          this.#last = run.catch(() => {})
          return run
        }
      },
    },
    'cleans in a dry run': {
      fails: 'clean leaves nothing, and a dry run leaves everything',
      Compute: class extends MemoryCompute {
        override clean() {
          return super.clean()
        }
      },
    },
    'leaves what it deployed': {
      fails: 'clean leaves nothing, and a dry run leaves everything',
      Compute: class extends MemoryCompute {
        override clean() {
          return super.clean({ dryRun: true })
        }
      },
    },
    'does not list what it deployed': {
      fails: 'lists a deployed runtime, and removes it however often it is asked',
      Compute: class extends MemoryCompute {
        override async listRuntimes() {
          return []
        }
      },
    },
    'takes less than it says': {
      fails: 'a payload of exactly the limit is taken',
      Compute: class extends MemoryCompute {
        override async invoke(activation: Activation, options: InvokeOptions) {
          const { maxPayloadBytes } = this.capabilities
          if (activation.payload.length > maxPayloadBytes - 1024) throw new Error('413 Payload Too Large')
          return super.invoke(activation, options)
        }
      },
    },
  }
  for (const [mistake, { Compute, fails }] of Object.entries(mistakes)) {
    test(mistake, () =>
      mustFail(
        kitTest => computeConformance({ test: kitTest, timing, createBackend: () => new Compute() }),
        `compute: ${fails}`,
      ),
    )
  }

  test('delivers every reply twice, and lets it pass', { timeout: 60_000 }, async () => {
    class Twice extends MemoryCompute {
      override invoke(activation: Activation, options: InvokeOptions) {
        const onReply = (frames: Uint8Array) => {
          options.onReply(frames)
          options.onReply(frames)
        }
        return super.invoke(activation, { ...options, onReply })
      }
    }
    const cases = casesOf(kitTest =>
      computeConformance({
        test: kitTest,
        timing: { manyCalls: 40, stopMs: 500 },
        createBackend: () => new Twice(),
      }),
    )
    for (const [name, run] of cases) {
      await run().catch(cause => {
        throw new Error(`case '${name}'`, { cause })
      })
    }
  })
})
