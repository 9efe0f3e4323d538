import type { StorageRequests } from '../driver/storage-backend.ts'
import type { Job } from '../job/job.ts'
import { CountingStorage } from '../storage/counting-storage.ts'
import { JOBS_PREFIX } from '../storage/internal-storage.ts'
import type { OpenStorage } from '../storage/open-storage.ts'

/**
 * Counts what a client asks of storages for its jobs, by the keys. What several jobs share, such as functions and the
 * client's mark, counts for the one that was begun last.
 */
export class JobRequests {
  readonly #jobs = new Map<string, WeakRef<Job>>()
  readonly #gone = new FinalizationRegistry<string>(place => {
    if (this.#jobs.get(place)?.deref() === undefined) this.#jobs.delete(place)
  })
  readonly #counted = new WeakMap<OpenStorage, OpenStorage>()
  #last: WeakRef<Job> | undefined

  /** A job is begun. */
  begin(job: Job): void {
    const place = `${job.executorId}/${job.id}`
    const reference = new WeakRef(job)
    this.#jobs.set(place, reference)
    this.#gone.register(job, place)
    this.#last = reference
  }

  /** The same storage, of which all requests are counted. The same object each time. */
  counted(storage: OpenStorage): OpenStorage {
    let counted = this.#counted.get(storage)
    if (counted === undefined) {
      const { name } = storage.backend
      counted = {
        ...storage,
        backend: new CountingStorage(storage.backend, (requests, key) => this.#add(name, requests, key)),
      }
      this.#counted.set(storage, counted)
    }
    return counted
  }

  #add(name: string, requests: StorageRequests, key: string): void {
    this.#jobOf(key)?.storageUses.add(name, requests)
  }

  #jobOf(key: string): Job | undefined {
    if (key.startsWith(JOBS_PREFIX)) {
      const [executorId = '', jobId = ''] = key.slice(JOBS_PREFIX.length).split('/', 2)
      const job = this.#jobs.get(`${executorId}/${jobId}`)?.deref()
      if (job !== undefined) return job
    }
    return this.#last?.deref()
  }
}

/** The same for what one job alone asks for, such as its data. */
export function countedFor(job: Job, storage: OpenStorage): OpenStorage {
  const { backend } = storage
  job.storageUses.know(backend)
  return {
    ...storage,
    backend: new CountingStorage(backend, requests => job.storageUses.add(backend.name, requests)),
  }
}
