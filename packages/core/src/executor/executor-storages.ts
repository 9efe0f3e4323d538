import type { WorkerDriver, WorkerSecrets } from '../driver/compute-backend.ts'
import { ConfigError } from '../errors/index.ts'
import type { JobSurroundings } from '../invoker/job-message.ts'
import type { Job } from '../job/job.ts'
import { InternalStorage } from '../storage/internal-storage.ts'
import { type OpenStorage, secretsOf, storageHead } from '../storage/open-storage.ts'
import { Storage } from '../storage/storage.ts'
import type { Location } from '../worker/protocol.ts'
import { countedFor, JobRequests } from './job-requests.ts'
import { storageless } from './needs-storage.ts'

/** How the storages of the config are opened. */
export interface StorageOpeners {
  /** Undefined for `storage: storageless`. */
  readonly openStorage: () => OpenStorage | Promise<OpenStorage> | undefined
  /** A storage beside that one, by its config name. */
  readonly openNamedStorage: (name: string) => Promise<OpenStorage>
}

/** The storages of an executor, opened when they are first needed: its own, and those that its jobs name beside it. */
export class ExecutorStorages {
  readonly #openers: StorageOpeners
  readonly #executorId: string
  #own: OpenStorage | Promise<OpenStorage> | undefined
  #internal: InternalStorage | undefined
  readonly #named = new Map<string, Promise<OpenStorage>>()
  readonly #wanted = new Map<Job, readonly string[]>()
  /** Jobs may have left something in the executor's own, and functions or the program cloud objects. */
  isUsed = false

  /** What is asked of them for the jobs. */
  readonly requests = new JobRequests()

  constructor(openers: StorageOpeners, executorId: string) {
    this.#openers = openers
    this.#executorId = executorId
  }

  /** The executor's own; at once where it was opened before, or needs no package to be loaded. */
  open(): OpenStorage | Promise<OpenStorage> | undefined {
    this.#own ??= this.#openers.openStorage()
    return this.#own
  }

  /** The same for what must have one. Throws NotSupportedError, code LITHOPS_STORAGELESS. */
  async opened(): Promise<OpenStorage> {
    const storage = await this.open()
    if (storage === undefined) throw storageless()
    return storage
  }

  /**
   * The user's view of the own storage; with a name, of the one that has it in the config. With a job, what is asked of it
   * counts for the job.
   */
  async viewOf(name: string | undefined, job?: Job): Promise<Storage> {
    const own = await this.open()
    const storage = name === undefined || name === own?.backend.name ? own : await this.#openNamed(name)
    if (storage === undefined) throw storageless()
    this.isUsed = true
    return new Storage({
      backend: () => (job === undefined ? storage : countedFor(job, storage)),
      name: storage.backend.name,
      ownsBackend: false,
      owner: { executorId: this.#executorId },
    }).ready()
  }

  /** What is kept for jobs in a storage. */
  internalOf(storage: OpenStorage): InternalStorage {
    this.#internal ??= new InternalStorage(this.requests.counted(storage))
    return this.#internal
  }

  /** Undefined for `storage: storageless`. */
  async internal(): Promise<InternalStorage | undefined> {
    const storage = await this.open()
    return storage === undefined ? undefined : this.internalOf(storage)
  }

  /** Nothing is put into the own storage any more, once what is under way has ended. */
  async stopWriting(): Promise<void> {
    await this.#internal?.stopWriting()
  }

  /** Reads a value that a worker left in storage. */
  async readLocation(location: Location): Promise<Uint8Array> {
    const storage = await this.opened()
    if (location.kind !== 'object') throw storageless()
    const { bucket, key, start, end } = location
    const range = start === undefined ? {} : { range: end === undefined ? { start } : { start, end } }
    return this.internalOf(storage).backend.getObject(bucket, key, range)
  }

  /** The job's workers will need these storages, by their config names, besides the own. */
  want(job: Job, names: readonly string[]): void {
    if (names.length > 0) this.#wanted.set(job, names)
  }

  hasWanted(job: Job): boolean {
    return this.#wanted.has(job)
  }

  /** Opens what `want` has named, for the job to carry it. */
  async openWanted(job: Job, own: OpenStorage | undefined): Promise<void> {
    const names = this.#wanted.get(job) ?? []
    this.#wanted.delete(job)
    for (const name of names) {
      if (name !== own?.backend.name) job.storages.set(name, await this.#openNamed(name))
    }
  }

  #openNamed(name: string): Promise<OpenStorage> {
    let opened = this.#named.get(name)
    if (opened === undefined) {
      opened = this.#openers.openNamedStorage(name)
      this.#named.set(name, opened)
      opened.catch(() => this.#named.delete(name))
    }
    return opened
  }

  /** Closes what was opened. A storage backend that the program made itself is its own to close: its driver knows. */
  async close(): Promise<void> {
    const opened = [this.#own, ...this.#named.values()].map(storage =>
      Promise.resolve(storage).catch(() => undefined),
    )
    for (const storage of await Promise.all(opened)) await storage?.backend.close()
  }
}

/** What the job's workers are told of its storages, and what must be placed for them. */
export function storagesOf(
  job: Job,
  own: OpenStorage | undefined,
): Pick<JobSurroundings, 'storage' | 'storages' | 'secrets' | 'drivers'> {
  const all = [...(own === undefined ? [] : [own]), ...job.storages.values()]
  const drivers = driversOf(all)
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
    ...(drivers.length === 0 ? {} : { drivers }),
  }
}

/** The modules that open these storages in workers, each once. */
export function driversOf(storages: readonly OpenStorage[]): WorkerDriver[] {
  const drivers = new Map<string, WorkerDriver>()
  for (const { backend, module } of storages) {
    if (module !== undefined) drivers.set(module, { kind: 'storage', name: backend.name, module })
  }
  return [...drivers.values()]
}
