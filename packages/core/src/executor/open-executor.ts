import type { ComputeBackend, RuntimeSpec, WorkerDriver } from '../driver/compute-backend.ts'
import type { DriverLog } from '../driver/driver.ts'
import type { Monitor } from '../driver/monitor.ts'
import { ConfigError, InvocationError, MonitorError } from '../errors/index.ts'
import type { Invoker } from '../invoker/invoker.ts'
import type { JobSurroundings } from '../invoker/job-message.ts'
import type { WorkerNeeds } from '../invoker/lane.ts'
import type { Call } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import type { JobDefaults } from '../job/job-options.ts'
import { LocalhostBackend } from '../localhost/localhost-backend.ts'
import { publisherHead } from '../monitor/publisher-head.ts'
import { clientKey, type InternalStorage, jobPrefix } from '../storage/internal-storage.ts'
import { type OpenStorage, secretsOf } from '../storage/open-storage.ts'
import type { Storage } from '../storage/storage.ts'
import type { Location } from '../worker/protocol.ts'
import type { BakedFunction } from './baked-function.ts'
import { DurableJobs, type DurableJobsHost, keepsJobs } from './durable-jobs.ts'
import { driversOf, ExecutorStorages, type StorageOpeners, storagesOf } from './executor-storages.ts'
import { cloudObjectIn, storageless, usesContextStorage } from './needs-storage.ts'

/** What the config came to: the parts of an executor, opened when they are first needed. */
export interface ExecutorParts extends StorageOpeners {
  readonly jobDefaults: JobDefaults
  readonly runtime: Partial<RuntimeSpec>
  /** What the runtime has, by the config; undefined: functions are sent. */
  readonly bakedFunction: BakedFunction | undefined
  readonly log: DriverLog
  /** Ready at once for the embedded backend, later where a package must be loaded. */
  readonly backends: readonly ComputeBackend[] | Promise<readonly ComputeBackend[]>
  /** Backends that the program made itself: closing them is its business. */
  readonly injected: ReadonlySet<ComputeBackend>
  /** `storage: storageless`, or none for a remote backend. */
  readonly isStorageless: boolean
  /** The storage monitor, for durable jobs of an executor whose results come the direct way. */
  readonly openStorageMonitor: (storage: OpenStorage) => Promise<Monitor>
  /** Undefined where none is named: results come with replies, and from backends that do not reply by the storage monitor. */
  readonly openMonitor: ((storage: OpenStorage | undefined) => Promise<Monitor>) | undefined
  /** `monitoring: direct`: no other way home is taken. */
  readonly wantsReplies: boolean
}

/** Larger results go to storage where they do not come with replies, or are for other workers. */
const INLINE_RESULT_BYTES = 64 * 1024

const NO_JOB = 'D000'

/** The surroundings of an executor's jobs: backends, storage and the way home. */
export class ExecutorSurroundings {
  readonly #parts: ExecutorParts
  readonly #invoker: Invoker
  readonly #executorId: string
  #backends: readonly ComputeBackend[] | undefined
  readonly #ready: Promise<readonly ComputeBackend[]>
  readonly #storages: ExecutorStorages
  #monitor: Promise<Monitor> | undefined
  readonly #watches = new Map<Job, AbortController>()
  readonly #forgetting = new Set<Promise<void>>()
  readonly #host: DurableJobsHost
  /** By executor: this one's own jobs, and those of others that were attached to. */
  readonly #durable = new Map<string, DurableJobs>()
  #storageMonitor: Promise<Monitor> | undefined

  constructor(
    parts: ExecutorParts,
    invoker: Invoker,
    executorId: string,
    host: Omit<DurableJobsHost, 'backendNames'>,
  ) {
    this.#parts = parts
    this.#host = { ...host, backendNames: () => (this.#backends ?? []).map(({ name }) => name) }
    this.#invoker = invoker
    this.#executorId = executorId
    this.#storages = new ExecutorStorages(parts, executorId)
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

  /** What workers need for the storage and the monitor of the config, to deploy a runtime as its jobs will. */
  async workerNeeds(): Promise<WorkerNeeds> {
    const [opened] = await Promise.all([this.#storages.open(), this.#ready])
    const storage = this.#storageOfJobs(opened)
    const monitor = await this.#monitorNeeds(storage).catch(error => {
      if (!MonitorError.isInstance(error)) throw error
      this.#parts.log.warn(
        `What the monitor needs is not deployed now, but by the first job: ${error.message}`,
      )
      return { drivers: [], secrets: [] }
    })
    const secret = storage === undefined ? undefined : secretsOf(storage.backend)
    const drivers = [...driversOf(storage === undefined ? [] : [storage]), ...monitor.drivers]
    const secrets = [...(secret === undefined ? [] : [secret]), ...monitor.secrets]
    return {
      ...(drivers.length === 0 ? {} : { drivers }),
      ...(secrets.length === 0 ? {} : { secrets }),
    }
  }

  /** Workers find a monitor's secrets by its address, which is asked for a job that never comes. */
  async #monitorNeeds(storage: OpenStorage | undefined): Promise<Required<WorkerNeeds>> {
    const { openMonitor } = this.#parts
    if (openMonitor === undefined) return { drivers: [], secrets: [] }
    this.#monitor ??= openMonitor(
      storage === undefined ? undefined : this.#storages.requests.counted(storage),
    )
    const monitor = await this.#monitor
    const { name, workerModule } = monitor
    if (workerModule === undefined) return { drivers: [], secrets: [] }
    const job = { executorId: this.#executorId, jobId: NO_JOB }
    const { secrets } = publisherHead(monitor, await monitor.publisherAddress(job))
    await monitor.forget(job)
    return {
      drivers: [driverOfMonitor(name, workerModule)],
      secrets: secrets === undefined ? [] : [secrets],
    }
  }

  #use(backends: readonly ComputeBackend[]): void {
    this.#backends = backends
    this.#invoker.use(backends)
  }

  /** Throws NotSupportedError, code LITHOPS_STORAGELESS, when the function is seen to need a storage that is not there. */
  checkStorageless(fn: Function, extraArgs: readonly unknown[] = []): void {
    if (!this.#parts.isStorageless || !usesContextStorage(fn, 1 + extraArgs.length)) return
    throw storageless(`Function '${fn.name === '' ? '(anonymous)' : fn.name}' uses context.storage, which`)
  }

  /** The same for items of which any may be a cloud object. */
  checkItems(items: Iterable<unknown>): void {
    const found = this.#parts.isStorageless ? cloudObjectIn(items) : undefined
    if (found !== undefined) throw storageless(`The cloud object ${found} among the items`)
  }

  /** Removes a folder also when this program ends without `close`, where a backend on this machine can. */
  removeAtEnd(folder: string): void {
    for (const backend of this.#backends ?? []) {
      if (backend instanceof LocalhostBackend) return backend.removeAtEnd(folder)
    }
  }

  /**
   * The user's view of the storage; with a name, of the one that has it in the config. With a job, what is asked of it
   * counts for the job.
   */
  storage(name?: string, job?: Job): Promise<Storage> {
    return this.#storages.viewOf(name, job)
  }

  /** The job's workers will need these storages, by their config names, besides its own. Called before `of`. */
  wantStorages(job: Job, names: readonly string[]): void {
    this.#storages.want(job, names)
  }

  /** What a job's activations carry besides the job itself. Watches the job where results do not come with replies. */
  of(job: Job, directory: () => Promise<string>): JobSurroundings | Promise<JobSurroundings> {
    this.#storages.requests.begin(job)
    const storage = this.#storageOfJobs(this.#storages.open())
    if (storage !== undefined) this.#storages.isUsed = true
    if (storage === undefined && job.options.results === 'storage') throw storageless("results: 'storage'")
    if (storage === undefined && job.options.durable) throw storageless('A durable job')
    const isDirect =
      this.#parts.openMonitor === undefined &&
      !job.options.durable &&
      this.#backends?.every(b => b.capabilities.synchronousReply)
    if (
      isDirect === true &&
      !(storage instanceof Promise) &&
      job.storages.size === 0 &&
      !this.#storages.hasWanted(job) &&
      !this.#mayStoreResults(job, this.#backends)
    )
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

  #inlineResultBytes(job: Job, monitor?: Monitor): number | undefined {
    if (job.options.results === 'storage') return 0
    if (monitor?.inlineResultBytes !== undefined && !job.feedsWorkers) return monitor.inlineResultBytes
    const isWatched = monitor !== undefined || this.#parts.openMonitor !== undefined
    return job.feedsWorkers || job.options.durable || isWatched ? INLINE_RESULT_BYTES : undefined
  }

  /** Workers that do not see this machine's files cannot use the storage that nobody asked for. */
  #storageOfJobs<S extends OpenStorage | Promise<OpenStorage> | undefined>(storage: S): S | undefined {
    if (storage === undefined || storage instanceof Promise || storage.isDefault !== true) return storage
    return this.#backends?.every(({ capabilities }) => capabilities.sharesFileSystem) ? storage : undefined
  }

  #storageFor(job: Job, storage: OpenStorage | undefined, monitor?: Monitor): Partial<JobSurroundings> {
    for (const { backend } of job.storages.values()) job.storageUses.know(backend)
    if (storage === undefined) return storagesOf(job, undefined)
    job.storageUses.know(storage.backend)
    const inlineResultBytes = this.#inlineResultBytes(job, monitor)
    return {
      ...storagesOf(job, storage),
      ...(this.#durable.get(job.executorId)?.isMarked ? { clientMark: clientKey(job.executorId) } : {}),
      internalStorage: () => {
        this.#storages.isUsed = true
        return this.#storages.internalOf(storage)
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
    await this.#storages.openWanted(job, storage)
    const isWatched = this.#parts.openMonitor !== undefined || job.options.durable
    const mute = isWatched ? undefined : backends.find(({ capabilities }) => !capabilities.synchronousReply)
    if (mute !== undefined && (storage === undefined || this.#parts.wantsReplies))
      throw new InvocationError(
        `${mute.name} does not answer with results. Name a storage, or a monitor, in the config: storage: ..., or monitoring: rabbitmq.`,
        { isRetryable: false, code: 'LITHOPS_NO_WAY_HOME' },
      )
    if (storage !== undefined && (mute !== undefined || this.#mayStoreResults(job, backends))) {
      this.#storages.isUsed = true
      await this.#storages.internalOf(storage).ensureBucket()
      if (!job.isAdopted) await this.#durableOf(job.executorId, storage).mark()
    }
    if (!isWatched && mute === undefined) return { directory, ...this.#storageFor(job, storage) }
    const monitor = await this.#monitorOf(job, storage)
    const { publisher, secrets } = publisherHead(monitor, await monitor.publisherAddress(job.jobKey))
    if (monitor.name === 'storage' && storage !== undefined && !job.isAdopted) {
      await this.#durableOf(job.executorId, storage).record(job)
    }
    const watch = new AbortController()
    this.#watches.set(job, watch)
    void this.#watch(job, monitor, watch.signal)
    const own = this.#storageFor(job, storage, monitor)
    const { publishPatienceMs } = monitor
    return {
      directory,
      publisher,
      ...(publishPatienceMs === undefined ? {} : { publishPatienceMs }),
      ...(monitor.unheard === undefined ? {} : { unheard: monitor.unheard.bind(monitor) }),
      ...own,
      ...(secrets === undefined ? {} : { secrets: [...(own.secrets ?? []), secrets] }),
      ...(monitor.workerModule === undefined
        ? {}
        : { drivers: [...(own.drivers ?? []), driverOfMonitor(monitor.name, monitor.workerModule)] }),
    }
  }

  async #monitorOf(job: Job, storage: OpenStorage | undefined): Promise<Monitor> {
    const { openMonitor, openStorageMonitor } = this.#parts
    this.#storages.isUsed = true
    if (openMonitor === undefined) {
      if (storage === undefined) throw storageless()
      this.#storageMonitor ??= openStorageMonitor(this.#storages.requests.counted(storage))
      return this.#storageMonitor
    }
    this.#monitor ??= openMonitor(
      storage === undefined ? undefined : this.#storages.requests.counted(storage),
    )
    const monitor = await this.#monitor
    if (!job.options.durable || monitor.name === 'storage') return monitor
    throw new ConfigError(
      `A durable job keeps its results in storage, and the config has monitoring: ${monitor.name}. Use monitoring: storage.`,
    )
  }

  /** Those jobs of an executor that others may attach to. */
  #durableOf(executorId: string, storage: OpenStorage): DurableJobs {
    let durable = this.#durable.get(executorId)
    if (durable === undefined) {
      const isOwner = executorId === this.#executorId
      durable = new DurableJobs(executorId, this.#storages.internalOf(storage), this.#host, { isOwner })
      this.#durable.set(executorId, durable)
    }
    return durable
  }

  /** The storage of jobs, for what is kept there beyond this program. */
  async jobStorage(): Promise<InternalStorage> {
    const [storage] = await Promise.all([this.#storages.opened(), this.#ready])
    return this.#storages.internalOf(storage)
  }

  /** Jobs of another program that this one attaches to. */
  async durableJobs(executorId: string): Promise<DurableJobs> {
    const storage = await this.#storages.opened()
    return this.#durableOf(executorId, storage)
  }

  /** The outcome of a call was given to the program. */
  markRead(call: Call): void {
    this.#durable.get(call.job.executorId)?.markRead(call)
  }

  async #watch(job: Job, monitor: Monitor, signal: AbortSignal): Promise<void> {
    try {
      await new Promise(setImmediate) // the invoker must know the job before anything of it arrives
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
    const durable = this.#durable.get(job.executorId)
    try {
      if (durable?.isKept(job)) return
      await (await this.#monitor)?.forget(job.jobKey)
      await durable?.ended(job)
    } catch (error) {
      this.#parts.log.warn(`What job ${job.key} left could not be removed: ${String(error)}`)
    }
  }

  /** Reads a value that a worker left in storage. */
  readLocation(location: Location): Promise<Uint8Array> {
    return this.#storages.readLocation(location)
  }

  /** Removes what ended jobs left in storage. */
  async clean(): Promise<void> {
    await Promise.all(this.#forgetting)
    if (!this.#storages.isUsed) return
    const kept = [
      ...this.#host.openJobs(),
      ...[...this.#durable.values()].flatMap(durable => durable.keptJobs),
    ].map(job => jobPrefix(job.jobKey))
    await this.#sparing(async storage => {
      const isMarked = this.#durable.has(this.#executorId)
      const keep = kept.length === 0 ? {} : { keep: keepsJobs(this.#executorId, kept) }
      await storage.cleanExecutor(this.#executorId, { isMarked, ...keep })
      if (kept.length === 0) this.#durable.clear()
    })
  }

  /** The executor is about to cancel what it has: durable jobs stay as they are now. */
  freeze(): void {
    for (const durable of this.#durable.values()) durable.freeze()
  }

  /** Removes what jobs left in storage, except for those that others are to read. */
  async #cleanAtEnd(): Promise<void> {
    await Promise.all(this.#forgetting)
    if (!this.#storages.isUsed) return
    await this.#storages.stopWriting()
    for (const durable of this.#durable.values()) await durable.close()
    if (this.#durable.has(this.#executorId)) return
    await this.#sparing(storage => storage.cleanExecutor(this.#executorId, { isMarked: false }))
  }

  /** Where results came without storage, that it cannot be had does not make the jobs fail now. */
  async #sparing(clean: (storage: InternalStorage) => Promise<void>): Promise<void> {
    // one that could not be opened holds nothing of ours, and the jobs have told why
    const storage = await this.#storages.internal().catch(() => undefined)
    if (storage === undefined) return
    try {
      await clean(storage)
    } catch (error) {
      if (this.#monitor !== undefined || this.#durable.size > 0) throw error
      this.#parts.log.warn(
        `What executor ${this.#executorId} left in storage could not be removed: ${String(error)}`,
      )
    }
  }

  /** Ends what runs, so that nothing is put into storage after it was cleaned. */
  async stopWorkers(): Promise<void> {
    const backends = await this.#ready.catch(() => [])
    await Promise.all(
      backends.filter(backend => !this.#parts.injected.has(backend)).map(backend => backend.close()),
    )
  }

  /** Removes everything of this user; returns names. */
  async cleanAll(options: { readonly dryRun?: boolean }): Promise<readonly string[]> {
    const names: string[] = []
    for (const backend of await this.#ready) names.push(...(await backend.clean(options)))
    const storage = await this.#storages.internal()
    if (storage !== undefined) names.push(...(await storage.cleanAll(options)))
    return names
  }

  async close(): Promise<void> {
    for (const watch of this.#watches.values()) watch.abort()
    this.#watches.clear()
    await Promise.all(this.#forgetting)
    let failure: { readonly error: unknown } | undefined
    await this.#cleanAtEnd().catch(error => {
      failure = { error }
    })
    await Promise.all([
      this.stopWorkers(),
      ...[this.#monitor, this.#storageMonitor].map(opening =>
        opening?.then(
          monitor => monitor.close(),
          () => {},
        ),
      ),
    ])
    await this.#storages.close()
    if (failure !== undefined) throw failure.error
  }
}

function driverOfMonitor(name: string, module: string): WorkerDriver {
  return { kind: 'monitor', name, module }
}
