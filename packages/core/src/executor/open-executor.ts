import type { ComputeBackend, RuntimeSpec } from '../driver/compute-backend.ts'
import type { DriverLog } from '../driver/driver.ts'
import type { Monitor } from '../driver/monitor.ts'
import type { StorageBackend } from '../driver/storage-backend.ts'
import { InvocationError, MonitorError, NotSupportedError } from '../errors/index.ts'
import type { Invoker } from '../invoker/invoker.ts'
import type { JobSurroundings } from '../invoker/job-message.ts'
import type { Job } from '../job/job.ts'
import type { JobDefaults } from '../job/job-options.ts'
import { InternalStorage } from '../storage/internal-storage.ts'
import { Storage } from '../storage/storage.ts'
import type { JobHead, Location } from '../worker/protocol.ts'

/** A storage with the bucket that jobs use. */
export interface OpenStorage {
  readonly backend: StorageBackend
  readonly bucket: string
  /** File of its driver, for workers on this machine; undefined for what the worker brings. */
  readonly module?: string
  /** Nobody asked for it: a folder of this machine, for workers that see this machine's files. */
  readonly isDefault?: boolean
}

/** What the config came to: the parts of an executor, opened when they are first needed. */
export interface ExecutorParts {
  readonly jobDefaults: JobDefaults
  readonly runtime: Partial<RuntimeSpec>
  readonly log: DriverLog
  /** Ready at once for the embedded backend, later where a package must be loaded. */
  readonly backends: readonly ComputeBackend[] | Promise<readonly ComputeBackend[]>
  /** Backends that the program made itself: closing them is its business. */
  readonly injected: ReadonlySet<ComputeBackend>
  /** Undefined for `storage: storageless`. */
  readonly openStorage: () => OpenStorage | Promise<OpenStorage> | undefined
  /** Undefined for the direct way home. */
  readonly openMonitor: ((storage: OpenStorage | undefined) => Promise<Monitor>) | undefined
}

/** Larger results go to storage where they do not come with replies, or are for other workers. */
const INLINE_RESULT_BYTES = 64 * 1024

/** The surroundings of an executor's jobs: backends, storage and the way home. */
export class ExecutorSurroundings {
  readonly #parts: ExecutorParts
  readonly #invoker: Invoker
  readonly #executorId: string
  #backends: readonly ComputeBackend[] | undefined
  readonly #ready: Promise<readonly ComputeBackend[]>
  #storage: OpenStorage | Promise<OpenStorage> | undefined
  #internal: InternalStorage | undefined
  #monitor: Promise<Monitor> | undefined
  readonly #watches = new Map<Job, AbortController>()
  readonly #forgetting = new Set<Promise<void>>()
  /** Jobs may have left something in storage. */
  #usesStorage = false

  constructor(parts: ExecutorParts, invoker: Invoker, executorId: string) {
    this.#parts = parts
    this.#invoker = invoker
    this.#executorId = executorId
    if (parts.backends instanceof Promise) {
      this.#ready = parts.backends
      parts.backends.then(
        backends => this.#use(backends),
        error => invoker.fail(error),
      )
    } else {
      this.#use(parts.backends)
      this.#ready = Promise.resolve(parts.backends)
    }
  }

  backends(): Promise<readonly ComputeBackend[]> {
    return this.#ready
  }

  #use(backends: readonly ComputeBackend[]): void {
    this.#backends = backends
    this.#invoker.use(backends)
  }

  /** The user's view of the storage. */
  async storage(): Promise<Storage> {
    const storage = await this.#openStorage()
    if (storage === undefined) throw storageless()
    return new Storage(storage)
  }

  /** What a job's activations carry besides the job itself. Watches the job where results do not come with replies. */
  of(job: Job, directory: () => Promise<string>): JobSurroundings | Promise<JobSurroundings> {
    const storage = this.#storageOfJobs(this.#openStorage())
    if (storage === undefined && job.options.results === 'storage') throw storageless()
    const isDirect =
      this.#parts.openMonitor === undefined && this.#backends?.every(b => b.capabilities.synchronousReply)
    if (isDirect === true && !(storage instanceof Promise) && !this.#mayStoreResults(job, this.#backends))
      return { directory, ...this.#storageFor(job, storage) }
    return this.#surroundingsLater(job, directory, storage)
  }

  /** Workers may write results of the job into storage, its bucket must be there. */
  #mayStoreResults(job: Job, backends: readonly ComputeBackend[] = []): boolean {
    return (
      this.#inlineResultBytes(job) !== undefined ||
      backends.some(({ capabilities }) => Number.isFinite(capabilities.maxReplyBytes))
    )
  }

  #inlineResultBytes(job: Job): number | undefined {
    if (job.options.results === 'storage') return 0
    return job.feedsWorkers || this.#parts.openMonitor !== undefined ? INLINE_RESULT_BYTES : undefined
  }

  /** Workers that do not see this machine's files cannot use the storage that nobody asked for. */
  #storageOfJobs<S extends OpenStorage | Promise<OpenStorage> | undefined>(storage: S): S | undefined {
    if (storage === undefined || storage instanceof Promise || storage.isDefault !== true) return storage
    return this.#backends?.every(({ capabilities }) => capabilities.sharesFileSystem) ? storage : undefined
  }

  #storageFor(job: Job, storage: OpenStorage | undefined): Partial<JobSurroundings> {
    if (storage === undefined) return {}
    const inlineResultBytes = this.#inlineResultBytes(job)
    return {
      ...storageOf(storage),
      internalStorage: () => {
        this.#usesStorage = true
        return this.#internalOf(storage)
      },
      ...(inlineResultBytes === undefined ? {} : { inlineResultBytes }),
    }
  }

  async #surroundingsLater(
    job: Job,
    directory: () => Promise<string>,
    opening: OpenStorage | Promise<OpenStorage> | undefined,
  ): Promise<JobSurroundings> {
    const [opened, backends] = await Promise.all([opening, this.#ready])
    const storage = this.#storageOfJobs(opened)
    if (storage !== undefined && this.#mayStoreResults(job, backends)) {
      this.#usesStorage = true
      await this.#internalOf(storage).ensureBucket()
    }
    if (this.#parts.openMonitor === undefined) {
      const mute = backends.find(backend => !backend.capabilities.synchronousReply)
      if (mute === undefined) return { directory, ...this.#storageFor(job, storage) }
      throw new InvocationError(
        `${mute.name} does not answer with results. Name a monitor in the config: monitoring: storage, or monitoring: rabbitmq.`,
        { isRetryable: false, code: 'LITHOPS_NO_WAY_HOME' },
      )
    }
    this.#usesStorage = true
    this.#monitor ??= this.#parts.openMonitor(storage)
    const monitor = await this.#monitor
    const publisher = await monitor.publisherAddress(job.jobKey)
    const watch = new AbortController()
    this.#watches.set(job, watch)
    void this.#watch(job, monitor, watch.signal)
    return { directory, publisher, ...this.#storageFor(job, storage) }
  }

  async #watch(job: Job, monitor: Monitor, signal: AbortSignal): Promise<void> {
    try {
      const options = {
        signal,
        openCalls: () => (job.isSent ? job.openCount : 0),
        openBlocks: () => job.openBlocks,
      }
      for await (const frames of monitor.watch(job.jobKey, options)) {
        this.#invoker.readFrames(job, frames)
      }
      if (signal.aborted) return
      throw new MonitorError(
        `Monitor '${monitor.name}' ended its watching of job ${job.key} while calls were open.`,
      )
    } catch (error) {
      this.#invoker.stopJob(job, error)
    }
  }

  /** All calls of the job have ended: stops watching it and removes what it left on the way home. */
  jobEnded(job: Job): void {
    const watch = this.#watches.get(job)
    if (watch === undefined) return
    this.#watches.delete(job)
    watch.abort()
    const forgetting = this.#forget(job).finally(() => this.#forgetting.delete(forgetting))
    this.#forgetting.add(forgetting)
  }

  async #forget(job: Job): Promise<void> {
    try {
      await (await this.#monitor)?.forget(job.jobKey)
    } catch (error) {
      this.#parts.log.warn(`What job ${job.key} left could not be removed: ${String(error)}`)
    }
  }

  /** Reads a value that a worker left in storage. */
  async readLocation(location: Location): Promise<Uint8Array> {
    const storage = await this.#openStorage()
    if (location.kind !== 'object' || storage === undefined) throw storageless()
    const { bucket, key, start, end } = location
    const range = start === undefined ? {} : { range: end === undefined ? { start } : { start, end } }
    return this.#internalOf(storage).backend.getObject(bucket, key, range)
  }

  /** Removes what ended jobs left in storage. */
  async clean(): Promise<void> {
    await Promise.all(this.#forgetting)
    if (!this.#usesStorage) return
    await (await this.#internalStorage())?.cleanExecutor(this.#executorId)
  }

  /** Removes everything of this user; returns names. */
  async cleanAll(options: { readonly dryRun?: boolean }): Promise<readonly string[]> {
    const names: string[] = []
    for (const backend of await this.#ready) names.push(...(await backend.clean(options)))
    const storage = await this.#internalStorage()
    if (storage !== undefined) names.push(...(await storage.cleanAll(options)))
    return names
  }

  async close(): Promise<void> {
    for (const watch of this.#watches.values()) watch.abort()
    this.#watches.clear()
    await Promise.all(this.#forgetting)
    const backends = await this.#ready.catch(() => [])
    await Promise.all([
      ...backends.filter(backend => !this.#parts.injected.has(backend)).map(backend => backend.close()),
      this.#monitor?.then(
        monitor => monitor.close(),
        () => {},
      ),
    ])
    // an injected storage backend is not ours to close; the drivers' own are
    const storage = this.#storage
    if (storage !== undefined) await (await Promise.resolve(storage).catch(() => undefined))?.backend.close()
  }

  #openStorage(): OpenStorage | Promise<OpenStorage> | undefined {
    this.#storage ??= this.#parts.openStorage()
    return this.#storage
  }

  async #internalStorage(): Promise<InternalStorage | undefined> {
    const storage = await this.#openStorage()
    return storage === undefined ? undefined : this.#internalOf(storage)
  }

  #internalOf(storage: OpenStorage): InternalStorage {
    this.#internal ??= new InternalStorage(storage)
    return this.#internal
  }
}

function storageOf(storage: OpenStorage | undefined): { storage?: NonNullable<JobHead['storage']> } {
  if (storage === undefined) return {}
  const { backend, bucket, module } = storage
  const head = { name: backend.name, bucket, config: backend.workerConfig() }
  return { storage: module === undefined ? head : { ...head, module } }
}

function storageless(): NotSupportedError {
  return new NotSupportedError(
    'There is no storage: the config has `storage: storageless`. Name a storage in it, for instance `storage: localhost`.',
    { code: 'LITHOPS_STORAGELESS' },
  )
}
