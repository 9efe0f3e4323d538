import type { StorageBackend, StorageRequests } from '../driver/storage-backend.ts'

/** What a job has asked of one storage so far. */
export interface StorageUse {
  /** Undefined where only workers have it open. */
  readonly backend: StorageBackend | undefined
  readonly requests: StorageRequests
}

/** Requests of a job to storages, of its workers and of the client, by config name. */
export class StorageUses {
  readonly #backends = new Map<string, StorageBackend>()
  readonly #requests = new Map<string, { writes: number; reads: number }>()

  /** A storage of the job: it knows its prices. */
  know(backend: StorageBackend): void {
    this.#backends.set(backend.name, backend)
  }

  add(name: string, { writes, reads }: StorageRequests): void {
    const sum = this.#requests.get(name)
    if (sum === undefined) this.#requests.set(name, { writes, reads })
    else {
      sum.writes += writes
      sum.reads += reads
    }
  }

  /** Storages without requests are left out. */
  entries(): (readonly [string, StorageUse])[] {
    return [...this.#requests].map(([name, requests]) => [
      name,
      { backend: this.#backends.get(name), requests },
    ])
  }
}
