import { createHash, randomUUID } from 'node:crypto'
import type { StorageDriver } from '../driver/driver.ts'
import type {
  Body,
  GetOptions,
  ListOptions,
  ObjectEntry,
  ObjectHead,
  ObjectPlace,
  PutOptions,
  StorageBackend,
  StorageCallOptions,
} from '../driver/storage-backend.ts'
import {
  bucketNotFound,
  checkKey,
  objectChanged,
  objectNotFound,
  resolveRange,
  type StoragePlace,
  storageClosed,
} from '../driver/storage-checks.ts'
import { StorageError } from '../errors/index.ts'
import { compareKeys } from '../storage/key-order.ts'

interface StoredObject {
  readonly bytes: Uint8Array
  readonly etag: string
  readonly lastModified: Date
  readonly contentType?: string
}

type Buckets = Map<string, Map<string, StoredObject>>

/** Stores that are in use, for workers of this process, which know only their id. */
const stores = new Map<string, WeakRef<Store>>()

class Store {
  readonly id = randomUUID()
  readonly buckets: Buckets = new Map()

  constructor() {
    stores.set(this.id, new WeakRef(this))
  }
}

const MAX_KEY_BYTES = 1024
const STREAM_PIECE_BYTES = 64 * 1024

/** Objects in a Map: the shortest complete storage driver, and a storage for tests. */
export class MemoryStorage implements StorageBackend {
  readonly specVersion = 1
  readonly name = 'memory'
  readonly capabilities = {
    conditionalPut: true,
    presignedUrls: false,
    maxKeyBytes: MAX_KEY_BYTES,
    startsListings: true,
  }
  readonly #store: Store
  #isClosed = false

  constructor(store: Store = new Store()) {
    this.#store = store
  }

  async putObject(
    bucket: string,
    key: string,
    body: Body,
    options: PutOptions = {},
  ): Promise<{ readonly created: boolean; readonly etag?: string }> {
    const place = { operation: 'put', bucket, key }
    this.#open(place, options)
    checkKey(place, MAX_KEY_BYTES)
    const bytes = body instanceof Uint8Array ? body.slice() : await readAll(body, options.signal)
    const objects = this.#open(place, options)
    if (options.ifAbsent && objects.has(key)) return { created: false }
    const etag = createHash('sha256').update(bytes).digest('hex')
    const { contentType } = options
    objects.set(key, {
      bytes,
      etag,
      lastModified: new Date(),
      ...(contentType === undefined ? {} : { contentType }),
    })
    return { created: true, etag }
  }

  async getObject(bucket: string, key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const place = { operation: 'get', bucket, key }
    const object = this.#find(place, options)
    if (options.ifMatch !== undefined && options.ifMatch !== object.etag) throw objectChanged(place)
    const { start, end } = resolveRange(options.range, object.bytes.length)
    return object.bytes.slice(start, end)
  }

  async getObjectStream(
    bucket: string,
    key: string,
    options: GetOptions = {},
  ): Promise<ObjectHead & { readonly body: AsyncIterable<Uint8Array> }> {
    const head = headOf(this.#find({ operation: 'get', bucket, key }, options))
    const bytes = await this.getObject(bucket, key, options)
    return { ...head, body: inPieces(bytes, options.signal) }
  }

  async headObject(bucket: string, key: string, options: StorageCallOptions = {}): Promise<ObjectHead> {
    return headOf(this.#find({ operation: 'head', bucket, key }, options))
  }

  async copyObject(from: ObjectPlace, to: ObjectPlace, options: StorageCallOptions = {}) {
    checkKey({ operation: 'copy', ...to }, MAX_KEY_BYTES)
    const object = this.#find({ operation: 'copy', ...from }, options)
    this.#open({ operation: 'copy', ...to }, options).set(to.key, { ...object, lastModified: new Date() })
    return { etag: object.etag }
  }

  async deleteObject(bucket: string, key: string, options: StorageCallOptions = {}): Promise<void> {
    this.#open({ operation: 'delete', bucket, key }, options).delete(key)
  }

  async deleteObjects(bucket: string, keys: readonly string[], options: StorageCallOptions = {}) {
    const objects = this.#open({ operation: 'delete', bucket }, options)
    for (const key of keys) objects.delete(key)
  }

  async *listObjects(
    bucket: string,
    prefix = '',
    options: ListOptions = {},
  ): AsyncGenerator<ObjectEntry, void, undefined> {
    const objects = this.#open({ operation: 'list', bucket }, options)
    const { startAfter } = options
    const keys = [...objects.keys()]
      .filter(key => key.startsWith(prefix) && (startAfter === undefined || compareKeys(key, startAfter) > 0))
      .sort(compareKeys)
    for (const key of keys) {
      options.signal?.throwIfAborted()
      const object = objects.get(key)
      if (object !== undefined) yield { key, ...headOf(object) }
    }
  }

  async bucketExists(bucket: string, options: StorageCallOptions = {}): Promise<boolean> {
    this.#check({ operation: 'find', bucket }, options)
    return this.#store.buckets.has(bucket)
  }

  async createBucket(bucket: string, options: StorageCallOptions = {}): Promise<void> {
    this.#check({ operation: 'create', bucket }, options)
    if (!this.#store.buckets.has(bucket)) this.#store.buckets.set(bucket, new Map())
  }

  costOf(): number {
    return 0
  }

  workerConfig() {
    return { store: this.#store.id }
  }

  client(): undefined {
    return undefined
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #check(place: StoragePlace, options: StorageCallOptions): void {
    if (this.#isClosed) throw storageClosed(place)
    options.signal?.throwIfAborted()
  }

  #open(place: StoragePlace, options: StorageCallOptions): Map<string, StoredObject> {
    this.#check(place, options)
    const objects = this.#store.buckets.get(place.bucket)
    if (objects === undefined) throw bucketNotFound(place)
    return objects
  }

  #find(place: StoragePlace & { readonly key: string }, options: StorageCallOptions): StoredObject {
    const object = this.#open(place, options).get(place.key)
    if (object === undefined) throw objectNotFound(place)
    return object
  }
}

function headOf({ bytes, ...head }: StoredObject): ObjectHead {
  return { sizeBytes: bytes.length, ...head }
}

async function readAll(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) {
    signal?.throwIfAborted()
    pieces.push(piece.slice())
  }
  return new Uint8Array(Buffer.concat(pieces))
}

async function* inPieces(bytes: Uint8Array, signal: AbortSignal | undefined) {
  for (let at = 0; at < bytes.length; at += STREAM_PIECE_BYTES) {
    signal?.throwIfAborted()
    yield bytes.subarray(at, at + STREAM_PIECE_BYTES)
  }
}

/** A storage driver whose objects live as long as the driver object; its backends share them. */
export function memoryStorage(): StorageDriver {
  const store = new Store()
  return { specVersion: 1, name: 'memory', create: () => new MemoryStorage(store) }
}

/** Opens a storage of this process from what its `workerConfig()` said. */
export function openMemoryStorage(config: Readonly<Record<string, unknown>>): MemoryStorage {
  const store = stores.get(String(config.store))?.deref()
  if (store === undefined) {
    throw new StorageError('The memory storage is not in this process, or nobody uses it any more')
  }
  return new MemoryStorage(store)
}
