import type { JobKey } from '../driver/monitor.ts'
import type { ByteRange, StorageBackend } from '../driver/storage-backend.ts'
import { ObjectNotFoundError } from '../errors/index.ts'
import { type RetryPolicy, withRetries } from './retrying-storage.ts'

/** Everything that executors put into storage is below this. From: Lithops `lithops.jobs`. */
export const JOBS_PREFIX = 'lithops.jobs/'

/** Functions by content, put once and shared by all executors; only a clean of everything removes them. */
export const FUNCTIONS_PREFIX = 'lithops.functions/'

export function functionKey(hash: string): string {
  return `${FUNCTIONS_PREFIX}${hash}`
}

export function executorPrefix(executorId: string): string {
  return `${JOBS_PREFIX}${executorId}/`
}

export function jobPrefix(job: JobKey): string {
  return `${executorPrefix(job.executorId)}${job.jobId}/`
}

export function statusPrefix(job: JobKey): string {
  return `${jobPrefix(job)}status/`
}

interface CallKey {
  readonly callId: number
  readonly attempt: number
}

/** Where a worker puts a result that is too large for its way home. */
export function resultKey(job: JobKey, call: CallKey): string {
  return `${jobPrefix(job)}results/${call.callId}-${call.attempt}`
}

const DELETES_AT_ONCE_KEYS = 1000

/** What jobs keep in storage: functions, data, large results. Used by the client and by workers. */
export class InternalStorage {
  readonly backend: StorageBackend
  readonly bucket: string
  /** Keys that hold what their name says, or are being written. */
  readonly #known = new Map<string, Promise<string>>()
  #bucketReady: Promise<void> | undefined

  constructor(options: {
    readonly backend: StorageBackend
    readonly bucket: string
    readonly retry?: RetryPolicy
  }) {
    this.backend = withRetries(options.backend, options.retry)
    this.bucket = options.bucket
  }

  /** Makes the bucket if it is not there; asks the storage once. */
  ensureBucket(): Promise<void> {
    this.#bucketReady ??= this.#makeBucket().catch(error => {
      this.#bucketReady = undefined
      throw error
    })
    return this.#bucketReady
  }

  /**
   * Puts a function's bytes, unless they are there: by their hash, for all executors, ever. Returns the key. A bucket
   * that knows them is asked once per client and hash.
   */
  putFunction(hash: string, bytes: Uint8Array): Promise<string> {
    return this.#putOnce(functionKey(hash), async key => {
      await this.ensureBucket()
      if (!(await this.#exists(key))) await this.backend.putObject(this.bucket, key, bytes)
    })
  }

  /** Puts captured values by their hash, once for each executor however many jobs have them. Returns the key. */
  putShared(executorId: string, hash: string, bytes: Uint8Array): Promise<string> {
    return this.#putOnce(`${executorPrefix(executorId)}shared/${hash}`, key =>
      this.#put(key, bytes).then(() => {}),
    )
  }

  /** Puts input data of a job. `name` is unique within the job. Returns the key. */
  putData(job: JobKey, name: string, bytes: Uint8Array): Promise<string> {
    return this.#put(`${jobPrefix(job)}data/${name}`, bytes)
  }

  get(
    key: string,
    options: { readonly range?: ByteRange; readonly signal?: AbortSignal } = {},
  ): Promise<Uint8Array> {
    return this.backend.getObject(this.bucket, key, options)
  }

  /** Removes what one job left; the function stays, as other jobs of the executor may use it. */
  async cleanJob(job: JobKey): Promise<void> {
    await this.#cleanPrefix(jobPrefix(job))
  }

  /** Removes what an executor left. */
  async cleanExecutor(executorId: string): Promise<void> {
    await this.#cleanPrefix(executorPrefix(executorId))
    for (const key of this.#known.keys()) {
      if (key.startsWith(executorPrefix(executorId))) this.#known.delete(key)
    }
  }

  /**
   * Removes what all executors of this bucket left, and their functions. Returns the keys; with `dryRun` it only tells
   * them.
   */
  async cleanAll(options: { readonly dryRun?: boolean } = {}): Promise<readonly string[]> {
    if (!options.dryRun) this.#known.clear()
    return [
      ...(await this.#cleanPrefix(JOBS_PREFIX, options)),
      ...(await this.#cleanPrefix(FUNCTIONS_PREFIX, options)),
    ]
  }

  #putOnce(key: string, put: (key: string) => Promise<void>): Promise<string> {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const done = put(key).then(
      () => key,
      error => {
        this.#known.delete(key)
        throw error
      },
    )
    this.#known.set(key, done)
    return done
  }

  async #exists(key: string): Promise<boolean> {
    try {
      await this.backend.headObject(this.bucket, key)
      return true
    } catch (error) {
      if (ObjectNotFoundError.isInstance(error)) return false
      throw error
    }
  }

  async #makeBucket(): Promise<void> {
    if (!(await this.backend.bucketExists(this.bucket))) await this.backend.createBucket(this.bucket)
  }

  async #put(key: string, bytes: Uint8Array): Promise<string> {
    await this.ensureBucket()
    await this.backend.putObject(this.bucket, key, bytes)
    return key
  }

  async #cleanPrefix(prefix: string, { dryRun = false }: { readonly dryRun?: boolean } = {}) {
    const removed: string[] = []
    if (!(await this.backend.bucketExists(this.bucket))) return removed
    let batch: string[] = []
    const removeBatch = async () => {
      if (!dryRun) await this.backend.deleteObjects(this.bucket, batch)
      removed.push(...batch)
      batch = []
    }
    for await (const { key } of this.backend.listObjects(this.bucket, prefix)) {
      batch.push(key)
      if (batch.length === DELETES_AT_ONCE_KEYS) await removeBatch()
    }
    if (batch.length > 0) await removeBatch()
    return removed
  }
}
