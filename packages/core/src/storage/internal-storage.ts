import type { JobKey } from '../driver/monitor.ts'
import type { ByteRange, StorageBackend } from '../driver/storage-backend.ts'
import { ObjectNotFoundError, StorageError } from '../errors/index.ts'
import { ensureBucket } from './ensure-bucket.ts'
import { type RetryPolicy, withRetries } from './retrying-storage.ts'
import { sweep } from './sweep.ts'

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

/** Says that a client runs the executor's jobs, and whether it still does. */
export function clientKey(executorId: string): string {
  return `${executorPrefix(executorId)}client`
}

/** What another program must know of a job to attach to it. */
export function recordKey(job: JobKey): string {
  return `${jobPrefix(job)}job`
}

/** The job whose record the key is; undefined for other keys. */
export function jobOfRecordKey(key: string): JobKey | undefined {
  const [executorId, jobId, name, ...rest] = key.slice(JOBS_PREFIX.length).split('/')
  if (!key.startsWith(JOBS_PREFIX) || name !== 'job' || rest.length > 0) return undefined
  return executorId === undefined || jobId === undefined ? undefined : { executorId, jobId }
}

interface CallKey {
  readonly callId: number
  readonly attempt: number
}

/** Where a worker puts a result that is too large for its way home. */
export function resultKey(job: JobKey, call: CallKey): string {
  return `${jobPrefix(job)}results/${call.callId}-${call.attempt}`
}

/** What jobs keep in storage: functions, data, large results. Used by the client and by workers. */
export class InternalStorage {
  readonly backend: StorageBackend
  readonly bucket: string
  /** Keys that hold what their name says, or are being written. */
  readonly #known = new Map<string, Promise<string>>()

  readonly #underWay = new Set<Promise<unknown>>()
  #isStopped = false

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

  /**
   * Puts a function's bytes, unless they are there: by their hash, for all executors, ever. Returns the key. A bucket
   * that knows them is asked once per client and hash.
   */
  putFunction(hash: string, bytes: Uint8Array): Promise<string> {
    return this.#putOnce(functionKey(hash), async key => {
      await this.ensureBucket()
      if (!(await this.exists(key))) await this.#write(key, bytes)
    })
  }

  /** Puts captured values by their hash, once for each executor however many jobs have them. Returns the key. */
  putShared(executorId: string, hash: string, bytes: Uint8Array): Promise<string> {
    return this.#putOnce(`${executorPrefix(executorId)}shared/${hash}`, key =>
      this.#put(key, bytes).then(() => {}),
    )
  }

  /** Writes an object, making the bucket where it is missing. */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#put(key, bytes)
  }

  /** Writes an object also after `stopWriting`. */
  async putLast(key: string, bytes: Uint8Array): Promise<void> {
    await this.backend.putObject(this.bucket, key, bytes)
  }

  /** The client closes: what it is about to write is not written, so that nothing comes after its cleaning. */
  async stopWriting(): Promise<void> {
    this.#isStopped = true
    await Promise.allSettled(this.#underWay)
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

  /** Removes what an executor left, but for the keys that `keep` wants. */
  async cleanExecutor(
    executorId: string,
    { keep, isMarked = true }: { readonly keep?: (key: string) => boolean; readonly isMarked?: boolean } = {},
  ): Promise<void> {
    // first the mark: a worker that writes after this sees that it is gone, and removes what it wrote
    if (keep === undefined && isMarked) {
      await this.backend.deleteObject(this.bucket, clientKey(executorId)).catch(error => {
        if (!ObjectNotFoundError.isInstance(error)) throw error // there is no bucket
      })
    }
    await this.#cleanPrefix(executorPrefix(executorId), keep === undefined ? {} : { keep })
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

  async exists(key: string): Promise<boolean> {
    try {
      await this.backend.headObject(this.bucket, key)
      return true
    } catch (error) {
      if (ObjectNotFoundError.isInstance(error)) return false
      throw error
    }
  }

  async #put(key: string, bytes: Uint8Array): Promise<string> {
    await this.ensureBucket()
    await this.#write(key, bytes)
    return key
  }

  async #write(key: string, bytes: Uint8Array): Promise<void> {
    if (this.#isStopped) {
      throw new StorageError(`${key} is not written: the executor is closed.`, { code: 'LITHOPS_CLOSED' })
    }
    const put = this.backend.putObject(this.bucket, key, bytes)
    this.#underWay.add(put)
    await put.finally(() => this.#underWay.delete(put))
  }

  async #cleanPrefix(
    prefix: string,
    options: { readonly dryRun?: boolean; readonly keep?: (key: string) => boolean } = {},
  ): Promise<string[]> {
    const removed: string[] = []
    await sweep(this.backend, this.bucket, prefix, { ...options, onBatch: keys => removed.push(...keys) })
    return removed
  }
}
