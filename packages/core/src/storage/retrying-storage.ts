import type {
  Body,
  GetOptions,
  ListOptions,
  ObjectEntry,
  ObjectPlace,
  PutOptions,
  StorageBackend,
  StorageCallOptions,
  StorageCapabilities,
} from '../driver/storage-backend.ts'
import { StorageError } from '../errors/index.ts'
import { compareKeys } from './key-order.ts'
import { isRepeatable } from './repeatable-body.ts'
import { ResumingBody } from './resuming-body.ts'
import { sleep } from './sleep.ts'

export interface RetryPolicy {
  /** How often an operation is tried in all. Default: 6. */
  readonly maxAttempts?: number
  /** Longest pause before the second try; it doubles with each further one. Default: 50. */
  readonly firstPauseMs?: number
  /** Longest pause of all. Default: 5,000. */
  readonly maxPauseMs?: number
  /** For tests: waits; rejects with the signal's reason when it is aborted. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>
  /** For tests: a number from 0 to 1. */
  readonly random?: () => number
}

/** A service may ask for a pause longer than `maxPauseMs` (Retry-After), but not for one that looks like a job that hangs. */
const MAX_ASKED_PAUSE_MS = 60_000

/**
 * Repeats what failed with a retryable StorageError, after pauses that grow and are spread at random, so that many
 * workers that were refused together do not come back together. A stream that breaks while it is read goes on where it
 * stopped. A stream is written once unless it can be read again, and so is a write with `ifAbsent`: a second try could
 * not tell its own object from a rival's.
 */
export class RetryingStorage implements StorageBackend {
  readonly specVersion = 1
  readonly name: string
  readonly capabilities: StorageCapabilities
  readonly defaultBucket?: string
  readonly presignUrl?: NonNullable<StorageBackend['presignUrl']>
  readonly copyObject?: NonNullable<StorageBackend['copyObject']>
  readonly costOf?: NonNullable<StorageBackend['costOf']>
  readonly #backend: StorageBackend
  readonly #policy: Required<RetryPolicy>

  constructor(backend: StorageBackend, policy: RetryPolicy = {}) {
    this.#backend = backend
    this.name = backend.name
    this.capabilities = backend.capabilities
    if (backend.defaultBucket !== undefined) this.defaultBucket = backend.defaultBucket
    if (backend.presignUrl !== undefined) this.presignUrl = backend.presignUrl.bind(backend)
    if (backend.costOf !== undefined) this.costOf = backend.costOf.bind(backend)
    const copy = backend.copyObject?.bind(backend)
    if (copy !== undefined) {
      this.copyObject = (from: ObjectPlace, to: ObjectPlace, options: StorageCallOptions = {}) =>
        this.#retry(() => copy(from, to, options), options)
    }
    this.#policy = {
      maxAttempts: 6,
      firstPauseMs: 50,
      maxPauseMs: 5_000,
      sleep,
      random: Math.random,
      ...policy,
    }
  }

  putObject(bucket: string, key: string, body: Body, options: PutOptions = {}) {
    const put = () => this.#backend.putObject(bucket, key, body, options)
    const mayRepeat = isRepeatable(body) && !options.ifAbsent
    return mayRepeat ? this.#retry(put, options) : put()
  }

  getObject(bucket: string, key: string, options: GetOptions = {}) {
    return this.#retry(() => this.#backend.getObject(bucket, key, options), options)
  }

  async getObjectStream(bucket: string, key: string, options: GetOptions = {}) {
    const open = (wanted: GetOptions) =>
      this.#retry(() => this.#backend.getObjectStream(bucket, key, wanted), options)
    const first = await open(options)
    const body = new ResumingBody(first, {
      place: { operation: 'get', bucket, key },
      options,
      open,
      pauseOrThrow: (error, attempt) => this.#pauseOrThrow(error, attempt, options.signal),
    })
    return { ...first, body }
  }

  headObject(bucket: string, key: string, options: StorageCallOptions = {}) {
    return this.#retry(() => this.#backend.headObject(bucket, key, options), options)
  }

  deleteObject(bucket: string, key: string, options: StorageCallOptions = {}) {
    return this.#retry(() => this.#backend.deleteObject(bucket, key, options), options)
  }

  deleteObjects(bucket: string, keys: readonly string[], options: StorageCallOptions = {}) {
    return this.#retry(() => this.#backend.deleteObjects(bucket, keys, options), options)
  }

  /**
   * A listing that breaks is begun again after the last key that was given. Keys up to `startAfter` are left out here
   * too, as a driver may ignore it.
   */
  async *listObjects(
    bucket: string,
    prefix = '',
    options: ListOptions = {},
  ): AsyncGenerator<ObjectEntry, void, undefined> {
    let lastKey = options.startAfter
    for (let attempt = 1; ; attempt++) {
      try {
        let isPast = lastKey === undefined
        const after = lastKey === undefined ? options : { ...options, startAfter: lastKey }
        for await (const entry of this.#backend.listObjects(bucket, prefix, after)) {
          isPast ||= compareKeys(entry.key, lastKey as string) > 0
          if (!isPast) continue
          lastKey = entry.key
          attempt = 1
          yield entry
        }
        return
      } catch (error) {
        await this.#pauseOrThrow(error, attempt, options.signal)
      }
    }
  }

  bucketExists(bucket: string, options: StorageCallOptions = {}) {
    return this.#retry(() => this.#backend.bucketExists(bucket, options), options)
  }

  createBucket(bucket: string, options: StorageCallOptions = {}) {
    return this.#retry(() => this.#backend.createBucket(bucket, options), options)
  }

  workerConfig() {
    return this.#backend.workerConfig()
  }

  workerSecrets() {
    return this.#backend.workerSecrets?.() ?? {}
  }

  client(): unknown {
    return this.#backend.client()
  }

  close(): Promise<void> {
    return this.#backend.close()
  }

  async #retry<T>(act: () => Promise<T>, { signal }: StorageCallOptions): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await act()
      } catch (error) {
        await this.#pauseOrThrow(error, attempt, signal)
      }
    }
  }

  async #pauseOrThrow(error: unknown, attempt: number, signal: AbortSignal | undefined): Promise<void> {
    const { maxAttempts, firstPauseMs, maxPauseMs, random } = this.#policy
    if (!StorageError.isInstance(error) || !error.isRetryable || attempt >= maxAttempts) throw error
    const pauseMs = random() * Math.min(maxPauseMs, firstPauseMs * 2 ** (attempt - 1))
    const askedMs = Number(error.details.retryAfterMs ?? 0)
    await this.#policy.sleep(Math.max(pauseMs, Math.min(askedMs, MAX_ASKED_PAUSE_MS)), signal)
  }
}

/** The backend with retries; one that has them already is given back as it is. */
export function withRetries(backend: StorageBackend, policy?: RetryPolicy): StorageBackend {
  return backend instanceof RetryingStorage ? backend : new RetryingStorage(backend, policy)
}
