import { ensureAsyncDispose } from '../async-dispose.ts'
import type { ByteRange, ObjectEntry, ObjectHead, StorageBackend } from '../driver/storage-backend.ts'
import { ObjectNotFoundError } from '../errors/index.ts'
import { type RetryPolicy, withRetries } from './retrying-storage.ts'

/** What an object can be written from. Text is stored as UTF-8. */
export type StorageValue = string | Uint8Array | AsyncIterable<Uint8Array | string>

export interface StorageOptions {
  readonly backend: StorageBackend
  /** The bucket of operations that name none. */
  readonly bucket: string
  readonly retry?: RetryPolicy
}

export interface StorageOperationOptions {
  /** Another bucket than the default one. */
  readonly bucket?: string
  readonly signal?: AbortSignal
}

export interface StoragePutOptions extends StorageOperationOptions {
  readonly contentType?: string
  /** Write only if there is no such object; the answer's `created` tells. */
  readonly ifAbsent?: boolean
}

export interface StorageGetOptions extends StorageOperationOptions {
  /** Bytes from `start` up to, not including, `end`. */
  readonly range?: ByteRange
  /** Default: 'bytes'. */
  readonly as?: 'bytes' | 'text' | 'stream'
}

/** Object storage for the user's program and for functions in workers: whichever service the config names. */
export class Storage implements AsyncDisposable {
  static {
    ensureAsyncDispose(this)
  }

  /** The bucket of operations that name none. */
  readonly bucket: string
  readonly #backend: StorageBackend

  constructor(options: StorageOptions) {
    this.bucket = options.bucket
    this.#backend = withRetries(options.backend, options.retry)
  }

  /** Config name of the service, e.g. 'aws_s3'. */
  get name(): string {
    return this.#backend.name
  }

  /** Writes a whole object. A stream is written as it comes and never held in memory as a whole. */
  put(
    key: string,
    value: StorageValue,
    options: StoragePutOptions = {},
  ): Promise<{ readonly created: boolean; readonly etag?: string }> {
    const { bucket = this.bucket, ...rest } = options
    return this.#backend.putObject(bucket, key, bodyOf(value), rest)
  }

  /** Reads an object or a range of it. Throws ObjectNotFoundError when there is none. */
  get(key: string, options?: StorageGetOptions & { readonly as?: 'bytes' }): Promise<Uint8Array>
  get(key: string, options: StorageGetOptions & { readonly as: 'text' }): Promise<string>
  get(key: string, options: StorageGetOptions & { readonly as: 'stream' }): Promise<AsyncIterable<Uint8Array>>
  async get(
    key: string,
    options: StorageGetOptions = {},
  ): Promise<Uint8Array | string | AsyncIterable<Uint8Array>> {
    const { bucket = this.bucket, as = 'bytes', ...rest } = options
    if (as === 'stream') return (await this.#backend.getObjectStream(bucket, key, rest)).body
    if (as !== 'bytes' && as !== 'text') {
      throw new TypeError(`Storage.get: 'as' is 'bytes', 'text' or 'stream', not ${JSON.stringify(as)}`)
    }
    const bytes = await this.#backend.getObject(bucket, key, rest)
    return as === 'text' ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes) : bytes
  }

  /** Size, ETag and time of an object. Throws ObjectNotFoundError when there is none. */
  head(key: string, options: StorageOperationOptions = {}): Promise<ObjectHead> {
    const { bucket = this.bucket, ...rest } = options
    return this.#backend.headObject(bucket, key, rest)
  }

  async exists(key: string, options: StorageOperationOptions = {}): Promise<boolean> {
    try {
      await this.head(key, options)
      return true
    } catch (error) {
      if (ObjectNotFoundError.isInstance(error)) return false
      throw error
    }
  }

  /** Removes one object or many. What is not there is no error. */
  delete(keys: string | readonly string[], options: StorageOperationOptions = {}): Promise<void> {
    const { bucket = this.bucket, ...rest } = options
    return typeof keys === 'string'
      ? this.#backend.deleteObject(bucket, keys, rest)
      : this.#backend.deleteObjects(bucket, keys, rest)
  }

  /** The objects whose keys begin with `prefix`, in the order of their keys, as they are listed. */
  list(prefix = '', options: StorageOperationOptions = {}): AsyncIterable<ObjectEntry> {
    const { bucket = this.bucket, ...rest } = options
    return this.#backend.listObjects(bucket, prefix, rest)
  }

  /** The keys that begin with `prefix`, all at once. */
  async listKeys(prefix = '', options: StorageOperationOptions = {}): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of this.list(prefix, options)) keys.push(key)
    return keys
  }

  /** Creates a bucket (the default one when none is given). No error if it is there. */
  createBucket(bucket = this.bucket, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#backend.createBucket(bucket, options)
  }

  bucketExists(bucket = this.bucket, options: { readonly signal?: AbortSignal } = {}): Promise<boolean> {
    return this.#backend.bucketExists(bucket, options)
  }

  /** The vendor's own client, for what this class does not cover; undefined where there is none. */
  client(): unknown {
    return this.#backend.client()
  }

  /** May be called twice. */
  close(): Promise<void> {
    return this.#backend.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function bodyOf(value: StorageValue): Uint8Array | AsyncIterable<Uint8Array> {
  if (typeof value === 'string') return new TextEncoder().encode(value)
  if (value instanceof Uint8Array) return value
  if (typeof value === 'object' && value !== null && Symbol.asyncIterator in value) return piecesOf(value)
  const what = value === null ? 'null' : typeof value
  throw new TypeError(`Storage.put takes a string, a Uint8Array or a stream, not ${what}`)
}

async function* piecesOf(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const piece of stream) yield typeof piece === 'string' ? encoder.encode(piece) : piece
}
