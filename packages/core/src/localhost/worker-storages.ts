import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { StorageDriver } from '../driver/driver.ts'
import type { StorageBackend } from '../driver/storage-backend.ts'
import { NotSupportedError } from '../errors/index.ts'
import type { JobHead } from '../worker/protocol.ts'
import { localhostStorageDriver } from './localhost-storage.ts'

type StoragePlace = NonNullable<JobHead['storage']>

/** The storages that a worker process has opened, by what jobs say of theirs. */
export class WorkerStorages {
  readonly #opened = new Map<string, StorageBackend>()

  /** Where the job's storage is. Throws NotSupportedError when it has none. */
  place(head: JobHead): StoragePlace {
    if (head.storage !== undefined) return head.storage
    throw new NotSupportedError(
      'This job has no storage: the config has `storage: storageless`. Name a storage in it to use ctx.storage.',
      { code: 'LITHOPS_STORAGELESS' },
    )
  }

  /** The opened storage; `load` must have been awaited where it comes from a package. */
  of(head: JobHead): StorageBackend {
    const place = this.place(head)
    const opened = this.#opened.get(keyOf(place))
    if (opened !== undefined) return opened
    if (place.name !== 'localhost') {
      throw new NotSupportedError(`The storage '${place.name}' is not open in this worker.`)
    }
    return this.#keep(
      place,
      localhostStorageDriver.create(place.config as never, context()) as StorageBackend,
    )
  }

  /** Opens a storage that comes from a package. */
  async load(head: JobHead): Promise<void> {
    const { storage: place } = head
    if (place?.module === undefined || this.#opened.has(keyOf(place))) return
    const module = (await import(pathToFileURL(place.module).href)) as {
      storage?: StorageDriver
      default?: { storage?: StorageDriver }
    }
    const driver =
      module.storage ??
      module.default?.storage ??
      (createRequire(place.module)(place.module) as { storage: StorageDriver }).storage
    this.#keep(place, await driver.create(place.config as Record<string, unknown>, context()))
  }

  #keep(place: StoragePlace, backend: StorageBackend): StorageBackend {
    this.#opened.set(keyOf(place), backend)
    return backend
  }
}

function keyOf(place: StoragePlace): string {
  return JSON.stringify([place.name, place.config])
}

function context() {
  const silent = () => {}
  return {
    projectDirectory: process.cwd(),
    userName: process.env.USER ?? '',
    log: { debug: silent, info: silent, warn: (message: string) => console.warn(message) },
  }
}
