import { ensureAsyncDispose } from '../async-dispose.ts'
import type { ObjectEntry, ObjectHead, StorageBackend } from '../driver/storage-backend.ts'
import { NotSupportedError, ObjectNotFoundError } from '../errors/index.ts'
import type { CloudObjectOwner } from './cloud-object.ts'
import { copyObject } from './copy.ts'
import type { OpenStorage } from './open-storage.ts'
import { type RetryPolicy, withRetries } from './retrying-storage.ts'
import {
  bodyOf,
  decodeText,
  type PresignOptions,
  type StorageGetOptions,
  type StorageListOptions,
  type StorageOperationOptions,
  type StoragePlaceName,
  type StoragePutOptions,
  type StorageTransferOptions,
  type StorageUploadOptions,
  type StorageValue,
} from './storage-options.ts'
import { inBatches, sweep } from './sweep.ts'
import { downloadFile, keyOfFile, uploadFile } from './transfer.ts'

/** A storage as it is opened: at once, or when it is first used. */
export interface StorageParts {
  readonly backend: StorageBackend | (() => OpenStorage | Promise<OpenStorage>)
  /** The bucket of operations that name none. Needed with a backend object. */
  readonly bucket?: string
  /** Config name, where the backend is not open yet. */
  readonly name?: string
  /** `close()` closes the backend too. Default: only where it is opened here. */
  readonly ownsBackend?: boolean
  readonly retry?: RetryPolicy
  /** Who removes the cloud objects that are put here. */
  readonly owner?: CloudObjectOwner
}

interface Opened {
  readonly backend: StorageBackend
  readonly bucket: string
}

const PRESIGN_MS = 3_600_000

/**
 * What every storage does with objects, files and buckets; the backend is opened at the first use. Programs make a
 * `Storage`, which has cloud objects and a view like a file system besides.
 */
export class ObjectOperations implements AsyncDisposable {
  static {
    ensureAsyncDispose(this)
  }

  protected readonly parts: StorageParts
  #opening: Promise<OpenStorage> | undefined
  #opened: Opened | undefined

  constructor(parts: StorageParts) {
    this.parts = parts
    if (typeof parts.backend === 'function') return
    if (parts.bucket === undefined) throw new TypeError('A storage with a backend object needs a bucket.')
    this.#opened = { backend: withRetries(parts.backend, parts.retry), bucket: parts.bucket }
  }

  /** Config name of the service, e.g. 'aws_s3'. */
  get name(): string {
    return this.#opened?.backend.name ?? this.parts.name ?? ''
  }

  /** The bucket of operations that name none. Throws TypeError while only the driver could tell: see `ready`. */
  get bucket(): string {
    const bucket = this.#opened?.bucket ?? this.parts.bucket
    if (bucket !== undefined) return bucket
    throw new TypeError('The default bucket is not known before the storage is open: await storage.ready()')
  }

  /** Opens the storage, which its first operation does otherwise. Throws what is wrong with its config or package. */
  async ready(): Promise<this> {
    await this.#open()
    return this
  }

  /** Writes a whole object. A stream is written as it comes and never held in memory as a whole. */
  async put(
    key: string,
    value: StorageValue,
    options: StoragePutOptions = {},
  ): Promise<{ readonly created: boolean; readonly etag?: string }> {
    const body = bodyOf(value, 'Storage.put', options.signal)
    const { backend, bucket, rest } = await this.at(options)
    return backend.putObject(bucket, key, body, rest)
  }

  /** Reads an object or a range of it. Throws ObjectNotFoundError when there is none. */
  get(key: string, options?: StorageGetOptions & { readonly as?: 'bytes' }): Promise<Uint8Array>
  get(key: string, options: StorageGetOptions & { readonly as: 'text' }): Promise<string>
  get(key: string, options: StorageGetOptions & { readonly as: 'stream' }): Promise<AsyncIterable<Uint8Array>>
  get(key: string, options?: StorageGetOptions): Promise<Uint8Array | string | AsyncIterable<Uint8Array>>
  async get(
    key: string,
    options: StorageGetOptions = {},
  ): Promise<Uint8Array | string | AsyncIterable<Uint8Array>> {
    const { as = 'bytes', ...request } = options
    if (as !== 'bytes' && as !== 'text' && as !== 'stream') {
      throw new TypeError(`Storage.get: 'as' is 'bytes', 'text' or 'stream', not ${JSON.stringify(as)}`)
    }
    const { backend, bucket, rest } = await this.at(request)
    if (as === 'stream') return (await backend.getObjectStream(bucket, key, rest)).body
    const bytes = await backend.getObject(bucket, key, rest)
    return as === 'text' ? decodeText(bytes) : bytes
  }

  /** Size, ETag and time of an object. Throws ObjectNotFoundError when there is none. */
  async head(key: string, options: StorageOperationOptions = {}): Promise<ObjectHead> {
    const { backend, bucket, rest } = await this.at(options)
    return backend.headObject(bucket, key, rest)
  }

  /** There is such an object; for a name that ends with a slash, there is one below it. */
  async exists(key: string, options: StorageOperationOptions = {}): Promise<boolean> {
    if (key.endsWith('/')) {
      for await (const _ of this.list(key, options)) return true
      return false
    }
    try {
      await this.head(key, options)
      return true
    } catch (error) {
      if (ObjectNotFoundError.isInstance(error)) return false
      throw error
    }
  }

  /** Removes one object or any number of them. What is not there is no error. */
  async delete(
    keys: string | Iterable<string> | AsyncIterable<string>,
    options: StorageOperationOptions = {},
  ): Promise<void> {
    const { backend, bucket, rest } = await this.at(options)
    if (typeof keys === 'string') return backend.deleteObject(bucket, keys, rest)
    for await (const batch of inBatches(keys)) await backend.deleteObjects(bucket, batch, rest)
  }

  /**
   * Removes all objects whose keys begin with `prefix`. Returns how many; with `dryRun` it only counts them. `onBatch`
   * gets the keys of each group.
   */
  async deletePrefix(
    prefix: string,
    options: StorageOperationOptions & {
      readonly dryRun?: boolean
      readonly onBatch?: (keys: readonly string[]) => void
    } = {},
  ): Promise<number> {
    if (typeof prefix !== 'string') throw new TypeError(`deletePrefix takes a string, not ${typeof prefix}`)
    const { backend, bucket, rest } = await this.at(options)
    return sweep(backend, bucket, prefix, rest)
  }

  /** The objects whose keys begin with `prefix`, in the order of their keys, as they are listed. */
  async *list(prefix = '', options: StorageListOptions = {}): AsyncGenerator<ObjectEntry, void, undefined> {
    const { backend, bucket, rest } = await this.at(options)
    yield* backend.listObjects(bucket, prefix, rest)
  }

  /** The keys that begin with `prefix`, all at once. */
  async listKeys(prefix = '', options: StorageListOptions = {}): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of this.list(prefix, options)) keys.push(key)
    return keys
  }

  /** Writes a file as an object, named like the file unless told otherwise. */
  async uploadFile(
    file: string | URL,
    key: string = keyOfFile(file),
    options: StorageUploadOptions = {},
  ): Promise<{ readonly etag?: string }> {
    const { backend, bucket, rest } = await this.at(options)
    return uploadFile(backend, bucket, file, key, rest)
  }

  /**
   * Writes an object as a file, named like the last part of the key unless told otherwise. Folders on the way are made.
   * The file is there whole or not at all, and replaces what was there.
   */
  async downloadFile(
    key: string,
    file: string | URL = keyOfFile(key),
    options: StorageTransferOptions = {},
  ): Promise<ObjectHead> {
    const { backend, bucket, rest } = await this.at(options)
    return downloadFile(backend, bucket, key, file, rest)
  }

  /** Copies an object; within the service where that is possible, else through here. */
  async copy(
    from: StoragePlaceName,
    to: StoragePlaceName,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly etag?: string }> {
    const { backend, bucket } = await this.at({})
    const placeOf = (name: StoragePlaceName) =>
      typeof name === 'string' ? { bucket, key: name } : { bucket, ...name }
    return copyObject(backend, placeOf(from), placeOf(to), options)
  }

  /** Creates a bucket (the default one when none is given). No error if it is there. */
  async createBucket(bucket?: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const opened = await this.#open()
    return opened.backend.createBucket(bucket ?? opened.bucket, options)
  }

  async bucketExists(bucket?: string, options: { readonly signal?: AbortSignal } = {}): Promise<boolean> {
    const opened = await this.#open()
    return opened.backend.bucketExists(bucket ?? opened.bucket, options)
  }

  /** A URL with which anybody may read (or write) the object until it expires. */
  async presignUrl(key: string, options: PresignOptions = {}): Promise<string> {
    const { method = 'GET', expiresInMs = PRESIGN_MS } = options
    if (method !== 'GET' && method !== 'PUT') {
      throw new TypeError(`presignUrl: 'method' is 'GET' or 'PUT', not ${JSON.stringify(method)}`)
    }
    if (!(expiresInMs > 0))
      throw new TypeError(`presignUrl: expiresInMs is ${expiresInMs}, and must be above 0`)
    const { backend, bucket } = await this.at(options)
    if (backend.presignUrl === undefined) {
      throw new NotSupportedError(`The storage '${backend.name}' has no presigned URLs.`)
    }
    return backend.presignUrl(bucket, key, { method, expiresInMs })
  }

  /** The vendor's own client, for what this class does not cover; undefined where there is none. */
  async client(): Promise<unknown> {
    return (await this.#open()).backend.client()
  }

  /**
   * The backend that it came to, for jobs.
   * @internal
   */
  opened(): Promise<OpenStorage> {
    const { backend } = this.parts
    this.#opening ??= (async () => (typeof backend === 'function' ? backend() : (this.#opened as Opened)))()
    // what failed for want of a package or a key is tried anew
    this.#opening.catch(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  /** Ends the connections of a storage that was opened here, not those of one that was given. May be called twice. */
  async close(): Promise<void> {
    const { backend, ownsBackend = typeof backend === 'function' } = this.parts
    if (!ownsBackend || (this.#opened === undefined && this.#opening === undefined)) return
    await (await this.opened().catch(() => undefined))?.backend.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #open(): Promise<Opened> {
    if (this.#opened !== undefined) return this.#opened
    const { backend, bucket } = await this.opened()
    this.#opened ??= {
      backend: withRetries(backend, this.parts.retry),
      bucket: this.parts.bucket ?? bucket,
    }
    return this.#opened
  }

  /** What it came to, where that is known. */
  protected get openedAlready(): Opened | undefined {
    return this.#opened
  }

  /** Where an operation goes, and its options without the bucket. */
  protected async at<O extends { readonly bucket?: string }>(options: O) {
    const opened = this.#opened ?? (await this.#open())
    const { bucket = opened.bucket, ...rest } = options
    return { backend: opened.backend, bucket, rest }
  }
}
