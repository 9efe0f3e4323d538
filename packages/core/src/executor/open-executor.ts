import type { ComputeBackend, RuntimeSpec, WorkerSecrets } from '../driver/compute-backend.ts'
import type { DriverLog } from '../driver/driver.ts'
import type { Monitor } from '../driver/monitor.ts'
import { ConfigError, InvocationError, NotSupportedError } from '../errors/index.ts'
import type { Invoker } from '../invoker/invoker.ts'
import type { JobSurroundings } from '../invoker/job-message.ts'
import type { Job } from '../job/job.ts'
import type { JobDefaults } from '../job/job-options.ts'
import { LocalhostBackend } from '../localhost/localhost-backend.ts'
import { InternalStorage } from '../storage/internal-storage.ts'
import { type OpenStorage, secretsOf, storageHead } from '../storage/open-storage.ts'
import { Storage } from '../storage/storage.ts'
import type { Location } from '../worker/protocol.ts'

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
  /** A storage beside that one, by its config name. */
  readonly openNamedStorage: (name: string) => Promise<OpenStorage>
  /** Undefined for the direct way home. */
  readonly openMonitor: (() => Promise<Monitor>) | undefined
}

/** The surroundings of an executor's jobs: backends, storage and the way home. */
export class ExecutorSurroundings {
  readonly #parts: ExecutorParts
  readonly #invoker: Invoker
  readonly #executorId: string
  #backends: readonly ComputeBackend[] | undefined
  readonly #ready: Promise<readonly ComputeBackend[]>
  #storage: OpenStorage | Promise<OpenStorage> | undefined
  #internal: InternalStorage | undefined
  /** Functions or the program may have put cloud objects. */
  #usesStorage = false
  readonly #named = new Map<string, Promise<OpenStorage>>()
  readonly #wantedStorages = new Map<Job, readonly string[]>()
  #monitor: Promise<Monitor> | undefined
  readonly #watches = new Map<Job, AbortController>()
  readonly #forgetting = new Set<Promise<void>>()

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

  /** Removes a folder also when this program ends without `close`, where a backend on this machine can. */
  removeAtEnd(folder: string): void {
    for (const backend of this.#backends ?? []) {
      if (backend instanceof LocalhostBackend) return backend.removeAtEnd(folder)
    }
  }

  /** The user's view of the storage; with a name, of the one that has it in the config. */
  async storage(name?: string): Promise<Storage> {
    const own = await this.#openStorage()
    const storage = name === undefined || name === own?.backend.name ? own : await this.#openNamed(name)
    if (storage === undefined) throw storageless()
    this.#usesStorage = true
    return new Storage({
      backend: () => storage,
      name: storage.backend.name,
      ownsBackend: false,
      owner: { executorId: this.#executorId },
    }).ready()
  }

  /** The job's workers will need these storages, by their config names, besides its own. Called before `of`. */
  wantStorages(job: Job, names: readonly string[]): void {
    if (names.length > 0) this.#wantedStorages.set(job, names)
  }

  #openNamed(name: string): Promise<OpenStorage> {
    let opened = this.#named.get(name)
    if (opened === undefined) {
      opened = this.#parts.openNamedStorage(name)
      this.#named.set(name, opened)
      opened.catch(() => this.#named.delete(name))
    }
    return opened
  }

  async #openWanted(job: Job, own: OpenStorage | undefined): Promise<void> {
    const names = this.#wantedStorages.get(job) ?? []
    this.#wantedStorages.delete(job)
    for (const name of names) {
      if (name !== own?.backend.name) job.storages.set(name, await this.#openNamed(name))
    }
  }

  /** What a job's activations carry besides the job itself. Watches the job where results do not come with replies. */
  of(job: Job, directory: () => Promise<string>): JobSurroundings | Promise<JobSurroundings> {
    const storage = this.#openStorage()
    if (storage !== undefined) this.#usesStorage = true
    const isDirect =
      this.#parts.openMonitor === undefined && this.#backends?.every(b => b.capabilities.synchronousReply)
    if (
      isDirect === true &&
      !(storage instanceof Promise) &&
      job.storages.size === 0 &&
      !this.#wantedStorages.has(job)
    )
      return { directory, ...storagesOf(job, storage) }
    return this.#monitored(job, directory, storage)
  }

  async #monitored(
    job: Job,
    directory: () => Promise<string>,
    opening: OpenStorage | Promise<OpenStorage> | undefined,
  ): Promise<JobSurroundings> {
    const [storage, backends] = await Promise.all([opening, this.#ready])
    await this.#openWanted(job, storage)
    if (this.#parts.openMonitor === undefined) {
      const mute = backends.find(backend => !backend.capabilities.synchronousReply)
      if (mute === undefined) return { directory, ...storagesOf(job, storage) }
      throw new InvocationError(
        `${mute.name} does not answer with results. Name a monitor in the config: monitoring: storage, or monitoring: rabbitmq.`,
        { isRetryable: false, code: 'LITHOPS_NO_WAY_HOME' },
      )
    }
    this.#monitor ??= this.#parts.openMonitor()
    const monitor = await this.#monitor
    const publisher = await monitor.publisherAddress(job.jobKey)
    const watch = new AbortController()
    this.#watches.set(job, watch)
    void this.#watch(job, monitor, watch.signal)
    return { directory, publisher, ...storagesOf(job, storage) }
  }

  async #watch(job: Job, monitor: Monitor, signal: AbortSignal): Promise<void> {
    try {
      for await (const frames of monitor.watch(job.jobKey, { signal, openCalls: () => job.openCount })) {
        this.#invoker.readFrames(job, frames)
      }
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
    return storage.backend.getObject(location.bucket, location.key)
  }

  /** Removes what ended jobs left in storage. */
  async clean(): Promise<void> {
    await Promise.all(this.#forgetting)
    if (this.#monitor === undefined && !this.#usesStorage) return
    try {
      await (await this.#internalStorage())?.cleanExecutor(this.#executorId)
    } catch (error) {
      if (this.#monitor !== undefined) throw error
      // results came without storage: that it cannot be had does not make them fail now
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
    const storage = await this.#internalStorage()
    if (storage !== undefined) names.push(...(await storage.cleanAll(options)))
    return names
  }

  async close(): Promise<void> {
    for (const watch of this.#watches.values()) watch.abort()
    this.#watches.clear()
    await Promise.all(this.#forgetting)
    await Promise.all([
      this.stopWorkers(),
      this.#monitor?.then(
        monitor => monitor.close(),
        () => {},
      ),
    ])
    // an injected storage backend is not ours to close; the drivers' own are
    const opened = [this.#storage, ...this.#named.values()].map(storage =>
      Promise.resolve(storage).catch(() => undefined),
    )
    for (const storage of await Promise.all(opened)) await storage?.backend.close()
  }

  #openStorage(): OpenStorage | Promise<OpenStorage> | undefined {
    this.#storage ??= this.#parts.openStorage()
    return this.#storage
  }

  async #internalStorage(): Promise<InternalStorage | undefined> {
    const storage = await this.#openStorage()
    if (storage === undefined) return undefined
    this.#internal ??= new InternalStorage(storage)
    return this.#internal
  }
}

/** What the job's workers are told of its storages, and what must be placed for them. */
function storagesOf(
  job: Job,
  own: OpenStorage | undefined,
): Pick<JobSurroundings, 'storage' | 'storages' | 'secrets'> {
  const all = [...(own === undefined ? [] : [own]), ...job.storages.values()]
  const secrets = new Map<string, WorkerSecrets>()
  for (const { backend } of all) {
    const secret = secretsOf(backend)
    if (secret === undefined) continue
    const other = secrets.get(secret.storageId)
    if (other !== undefined && JSON.stringify(other.values) !== JSON.stringify(secret.values)) {
      throw new ConfigError(
        `Two storages '${secret.storageName}' of job ${job.key} differ in nothing but their secrets, so workers cannot ` +
          'tell them apart. Use the same secrets, or name the user or the key id in their config.',
      )
    }
    secrets.set(secret.storageId, secret)
  }
  return {
    ...(own === undefined ? {} : { storage: storageHead(own) }),
    ...(job.storages.size === 0
      ? {}
      : { storages: Object.fromEntries([...job.storages].map(([name, open]) => [name, storageHead(open)])) }),
    ...(secrets.size === 0 ? {} : { secrets: [...secrets.values()] }),
  }
}

function storageless(): NotSupportedError {
  return new NotSupportedError(
    'There is no storage: the config has `storage: storageless`. Name a storage in it, for instance `storage: localhost`.',
    { code: 'LITHOPS_STORAGELESS' },
  )
}
