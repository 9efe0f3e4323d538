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
  StorageRequests,
} from '../driver/storage-backend.ts'

/** A request lists so many keys at every service that we know. */
const KEYS_PER_LISTING = 1000

/** What of a storage was asked: requests of each kind, and the key or prefix that they were about; '' for a bucket. */
export type OnRequests = (requests: StorageRequests, key: string) => void

/**
 * Tells of every request to a storage, as price lists count them: before each one, so that those that fail are in it.
 * Below the retries, so that each try counts. An upload that a driver sends in parts counts as one; removing is free at
 * every service that we know.
 */
export class CountingStorage implements StorageBackend {
  readonly specVersion = 1
  readonly name: string
  readonly capabilities: StorageCapabilities
  readonly defaultBucket?: string
  readonly presignUrl?: NonNullable<StorageBackend['presignUrl']>
  readonly copyObject?: NonNullable<StorageBackend['copyObject']>
  readonly costOf?: NonNullable<StorageBackend['costOf']>
  readonly #backend: StorageBackend
  readonly #onRequests: OnRequests

  constructor(backend: StorageBackend, onRequests: OnRequests) {
    this.#backend = backend
    this.#onRequests = onRequests
    this.name = backend.name
    this.capabilities = backend.capabilities
    if (backend.defaultBucket !== undefined) this.defaultBucket = backend.defaultBucket
    if (backend.presignUrl !== undefined) this.presignUrl = backend.presignUrl.bind(backend)
    if (backend.costOf !== undefined) this.costOf = backend.costOf.bind(backend)
    const copy = backend.copyObject?.bind(backend)
    if (copy !== undefined) {
      this.copyObject = (from: ObjectPlace, to: ObjectPlace, options?: StorageCallOptions) => {
        this.#wrote(to.key)
        return copy(from, to, options)
      }
    }
  }

  putObject(bucket: string, key: string, body: Body, options?: PutOptions) {
    this.#wrote(key)
    return this.#backend.putObject(bucket, key, body, options)
  }

  getObject(bucket: string, key: string, options?: GetOptions) {
    this.#read(key)
    return this.#backend.getObject(bucket, key, options)
  }

  getObjectStream(bucket: string, key: string, options?: GetOptions) {
    this.#read(key)
    return this.#backend.getObjectStream(bucket, key, options)
  }

  headObject(bucket: string, key: string, options?: StorageCallOptions) {
    this.#read(key)
    return this.#backend.headObject(bucket, key, options)
  }

  deleteObject(bucket: string, key: string, options?: StorageCallOptions) {
    return this.#backend.deleteObject(bucket, key, options)
  }

  deleteObjects(bucket: string, keys: readonly string[], options?: StorageCallOptions) {
    return this.#backend.deleteObjects(bucket, keys, options)
  }

  async *listObjects(
    bucket: string,
    prefix = '',
    options?: ListOptions,
  ): AsyncGenerator<ObjectEntry, void, undefined> {
    let given = 0
    this.#wrote(prefix)
    for await (const entry of this.#backend.listObjects(bucket, prefix, options)) {
      if (given > 0 && given % KEYS_PER_LISTING === 0) this.#wrote(prefix)
      given++
      yield entry
    }
  }

  bucketExists(bucket: string, options?: StorageCallOptions) {
    this.#read('')
    return this.#backend.bucketExists(bucket, options)
  }

  createBucket(bucket: string, options?: StorageCallOptions) {
    this.#wrote('')
    return this.#backend.createBucket(bucket, options)
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

  #wrote(key: string): void {
    this.#onRequests({ writes: 1, reads: 0 }, key)
  }

  #read(key: string): void {
    this.#onRequests({ writes: 0, reads: 1 }, key)
  }
}
