import type { JobKey } from '../driver/monitor.ts'
import type { ByteRange, StorageBackend } from '../driver/storage-backend.ts'
import { ensureBucket } from './ensure-bucket.ts'
import { type RetryPolicy, withRetries } from './retrying-storage.ts'
import { sweep } from './sweep.ts'

/** Everything that executors put into storage is below this. From: Lithops `lithops.jobs`. */
export const JOBS_PREFIX = 'lithops.jobs/'

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

/** Where a worker puts a result that is too large for the reply. */
export function resultKey(job: JobKey, call: CallKey): string {
  return `${jobPrefix(job)}results/${call.callId}-${call.attempt}`
}

/** What jobs keep in storage: functions, data, large results. Used by the client and by workers. */
export class InternalStorage {
  readonly backend: StorageBackend
  readonly bucket: string
  readonly #functions = new Map<string, Promise<string>>()

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
    return ensureBucket(this.backend, this.bucket)
  }

  /** Puts a function's bytes, once for each executor and hash however often it is asked. Returns the key. */
  putFunction(executorId: string, hash: string, bytes: Uint8Array): Promise<string> {
    const key = `${executorPrefix(executorId)}functions/${hash}`
    const known = this.#functions.get(key)
    if (known !== undefined) return known
    const put = this.#put(key, bytes).catch(error => {
      this.#functions.delete(key)
      throw error
    })
    this.#functions.set(key, put)
    return put
  }

  /** Puts input data of a job. `name` is unique within the job. Returns the key. */
  putData(job: JobKey, name: string, bytes: Uint8Array): Promise<string> {
    return this.#put(`${jobPrefix(job)}data/${name}`, bytes)
  }

  /** Puts a large result. Returns the key. */
  putResult(job: JobKey, call: CallKey, bytes: Uint8Array): Promise<string> {
    return this.#put(resultKey(job, call), bytes)
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
    for (const key of this.#functions.keys()) {
      if (key.startsWith(executorPrefix(executorId))) this.#functions.delete(key)
    }
  }

  /** Removes what all executors of this bucket left. Returns the keys; with `dryRun` it only tells them. */
  async cleanAll(options: { readonly dryRun?: boolean } = {}): Promise<readonly string[]> {
    if (!options.dryRun) this.#functions.clear()
    return this.#cleanPrefix(JOBS_PREFIX, options)
  }

  async #put(key: string, bytes: Uint8Array): Promise<string> {
    await this.ensureBucket()
    await this.backend.putObject(this.bucket, key, bytes)
    return key
  }

  async #cleanPrefix(prefix: string, options: { readonly dryRun?: boolean } = {}): Promise<string[]> {
    const removed: string[] = []
    await sweep(this.backend, this.bucket, prefix, { ...options, onBatch: keys => removed.push(...keys) })
    return removed
  }
}
