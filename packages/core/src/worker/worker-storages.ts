import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { WorkerSecrets } from '../driver/compute-backend.ts'
import type { DriverContext, StorageDriver } from '../driver/driver.ts'
import type { StorageBackend, StorageRequests } from '../driver/storage-backend.ts'
import { NotSupportedError } from '../errors/index.ts'
import { CountingStorage } from '../storage/counting-storage.ts'
import { withRetries } from '../storage/retrying-storage.ts'
import { Storage } from '../storage/storage.ts'
import type { JobHead, Location, StorageHead } from './protocol.ts'
import type { RequestsByStorage } from './reply-frames.ts'

/** What is looked at of a job's head. */
type StorageNeeds = Pick<JobHead, 'storage' | 'storages'>

/** What a worker can open without a file of this machine. */
export interface WorkerStoragesOptions {
  /** Drivers that the runtime brings. */
  readonly drivers?: readonly StorageDriver<unknown>[]
}

/**
 * The storages that a worker process has opened, by what jobs say of theirs. Each is opened once, with the fields that
 * travelled and the secrets that were placed; it stays open for further jobs.
 */
export class WorkerStorages {
  readonly #drivers: readonly StorageDriver<unknown>[]
  readonly #opened = new Map<string, StorageBackend>()
  /** Being opened, so that activations that run at once open a storage once. */
  readonly #opening = new Map<string, Promise<void>>()
  readonly #secrets = new Map<string, Readonly<Record<string, string>>>()
  /** Requests that nobody was told of, by config name; negative where they were told ahead. */
  readonly #requests = new Map<string, { writes: number; reads: number }>()

  constructor(options: WorkerStoragesOptions = {}) {
    this.#drivers = options.drivers ?? []
  }

  /** Takes secrets that the backend placed. Storages that are open with older ones are opened anew for the next job. */
  addSecrets(secrets: readonly WorkerSecrets[]): void {
    for (const { storageId, values } of secrets) {
      if (isSame(this.#secrets.get(storageId), values)) continue
      this.#secrets.set(storageId, values)
      // not closed: a call that is under way may be using it
      for (const key of this.#opened.keys()) if (key.startsWith(`${storageId}\n`)) this.#opened.delete(key)
    }
  }

  /** Where a storage of the job is. Throws NotSupportedError when it has none, or none of that name. */
  place(head: StorageNeeds, name?: string): StorageHead {
    const place = name === undefined ? head.storage : head.storages?.[name]
    if (place !== undefined) return place
    if (name !== undefined) {
      throw new NotSupportedError(
        `This job has no storage '${name}'; it has: ${Object.keys(head.storages ?? {}).join(', ') || 'none by name'}.`,
      )
    }
    throw new NotSupportedError(
      'This job has no storage: the config has `storage: storageless`. Name a storage in it to use ctx.storage.',
      { code: 'LITHOPS_STORAGELESS' },
    )
  }

  /** The opened storage, with retries; `load` must have been awaited where opening takes time. */
  of(head: StorageNeeds, name?: string): StorageBackend {
    const place = this.place(head, name)
    const opened = this.#opened.get(keyOf(place))
    if (opened !== undefined) return opened
    const backend = this.#driverOf(place)?.create(this.#configOf(place), context())
    if (backend === undefined || backend instanceof Promise) {
      throw new NotSupportedError(
        `The storage '${place.name}' is not open in this worker: its runtime does not bring the driver.`,
      )
    }
    return this.#keep(place, backend)
  }

  /** The same for functions. */
  open(head: StorageNeeds, name?: string): Storage {
    return new Storage({ backend: this.of(head, name), bucket: this.place(head, name).bucket })
  }

  /** Reads what lies in a storage of the job. */
  read(head: StorageNeeds, location: Location & { readonly kind: 'object' }): Promise<Uint8Array> {
    return this.of(head, location.storage).getObject(location.bucket, location.key)
  }

  /** Opens all storages of the job. Quick when they are open. */
  async load(head: StorageNeeds): Promise<void> {
    const places = head.storages === undefined ? [] : Object.values(head.storages)
    if (head.storage !== undefined) places.push(head.storage)
    for (const place of places) if (!this.#opened.has(keyOf(place))) await this.#loadOnce(place)
  }

  /**
   * Requests since it was last asked, by config name; those without any are left out. `ahead`: requests to the job's own
   * storage that are still to come, which then are not given again.
   */
  takeRequests({ storage }: JobHead, ahead: StorageRequests): RequestsByStorage {
    const taken: Record<string, StorageRequests> = {}
    const take = (
      name: string,
      counts: { writes: number; reads: number },
      { writes, reads }: StorageRequests,
    ) => {
      const told = { writes: Math.max(0, counts.writes) + writes, reads: Math.max(0, counts.reads) + reads }
      if (told.writes + told.reads === 0) return
      taken[name] = told
      counts.writes -= told.writes
      counts.reads -= told.reads
    }
    if (storage !== undefined) take(storage.name, this.#countsOf(storage.name), ahead)
    for (const [name, counts] of this.#requests)
      if (name !== storage?.name) take(name, counts, { writes: 0, reads: 0 })
    return taken
  }

  #count(name: string, { writes, reads }: StorageRequests): void {
    const counts = this.#countsOf(name)
    counts.writes += writes
    counts.reads += reads
  }

  #countsOf(name: string): { writes: number; reads: number } {
    let counts = this.#requests.get(name)
    if (counts === undefined) {
      counts = { writes: 0, reads: 0 }
      this.#requests.set(name, counts)
    }
    return counts
  }

  /** Ends the connections of all storages. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#opening.values())
    const opened = [...this.#opened.values()]
    this.#opened.clear()
    await Promise.all(opened.map(backend => backend.close()))
  }

  #loadOnce(place: StorageHead): Promise<void> {
    const key = keyOf(place)
    const opening = this.#opening.get(key) ?? this.#load(place).finally(() => this.#opening.delete(key))
    this.#opening.set(key, opening)
    return opening
  }

  async #load(place: StorageHead): Promise<void> {
    const driver =
      this.#driverOf(place) ?? (place.module === undefined ? undefined : await importDriver(place.module))
    // what cannot be opened fails the calls that ask for it, and no others
    if (driver !== undefined) this.#keep(place, await driver.create(this.#configOf(place), context()))
  }

  #driverOf(place: StorageHead): StorageDriver<unknown> | undefined {
    return this.#drivers.find(driver => driver.name === place.name)
  }

  #configOf(place: StorageHead): Record<string, unknown> {
    const secrets = place.secretsId === undefined ? undefined : this.#secrets.get(place.secretsId)
    return { ...place.config, ...secrets }
  }

  #keep(place: StorageHead, backend: StorageBackend): StorageBackend {
    const kept = withRetries(new CountingStorage(backend, requests => this.#count(place.name, requests)))
    this.#opened.set(keyOf(place), kept)
    return kept
  }
}

async function importDriver(file: string): Promise<StorageDriver> {
  const module = (await import(pathToFileURL(file).href)) as {
    storage?: StorageDriver
    default?: { storage?: StorageDriver }
  }
  return (
    module.storage ??
    module.default?.storage ??
    (createRequire(file)(file) as { storage: StorageDriver }).storage
  )
}

function keyOf(place: StorageHead): string {
  return `${place.secretsId ?? ''}\n${JSON.stringify([place.name, place.config])}`
}

function isSame(a: Readonly<Record<string, string>> | undefined, b: Readonly<Record<string, string>>) {
  return JSON.stringify(a) === JSON.stringify(b)
}

function context(): DriverContext {
  const silent = () => {}
  return {
    projectDirectory: process.cwd(),
    userName: process.env.USER ?? '',
    log: { debug: silent, info: silent, warn: (message: string) => console.warn(message) },
  }
}
