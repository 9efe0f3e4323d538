import { NotSupportedError } from '../errors/index.ts'
import { type CloudObject, type CloudObjectOwner, cloudObjectKey, isCloudObject } from './cloud-object.ts'
import { ensureBucket } from './ensure-bucket.ts'
import {
  modeOf,
  StorageReader,
  type StorageReadMode,
  type StorageWriteMode,
  StorageWriter,
} from './file-handles.ts'
import {
  folderPrefix,
  keyOfFilePath,
  listFolder,
  type StorageEntry,
  type WalkedFolder,
  walk,
} from './file-view.ts'
import { ObjectOperations } from './object-operations.ts'
import {
  bodyOf,
  type CloudObjectPutOptions,
  type StorageGetOptions,
  type StorageOperationOptions,
  type StoragePutOptions,
  type StorageValue,
} from './storage-options.ts'

/** Why a storage is not copied into a function, for the one who captured it (codec/refusal.ts). */
const STAYS = Symbol.for('lithops.stays')

/** A storage of any copy of this package: a worker's function may bring its own. */
export function isStorage(value: unknown): boolean {
  return typeof value === 'object' && value !== null && STORAGE in value
}

const STORAGE = Symbol.for('lithops.storage')

/**
 * Object storage for the user's program and for functions in workers: whichever service the config names. What a
 * passing fault broke is tried again; a stream that breaks goes on where it stopped.
 */
export class Storage extends ObjectOperations {
  static {
    Object.defineProperty(this.prototype, STORAGE, { value: true })
    const words = 'it is a Storage (use context.storage in the function, or make one there)'
    Object.defineProperty(this.prototype, STAYS, { value: words })
  }

  /**
   * Puts an object under a name that nobody else has, and returns the reference to it. It is removed when its executor
   * is cleaned or closed, unless `keep` is true, a `key` or another bucket is given, or the storage is of no executor.
   */
  async putCloudobject(value: StorageValue, options: CloudObjectPutOptions = {}): Promise<CloudObject> {
    const body = bodyOf(value, 'Storage.putCloudobject', options.signal)
    const {
      keep = options.bucket !== undefined,
      key = cloudObjectKey(this.parts.owner, keep),
      ...request
    } = options
    const { backend, bucket, rest } = await this.at(request)
    if (options.bucket === undefined) await ensureBucket(backend, bucket)
    const { etag } = await backend.putObject(bucket, key, body, rest)
    const { name: storage } = backend
    return { type: 'lithops.cloudobject', storage, bucket, key, ...(etag === undefined ? {} : { etag }) }
  }

  /** Reads a cloud object. Throws ObjectNotFoundError when it was removed. */
  getCloudobject(
    object: CloudObject,
    options?: Omit<StorageGetOptions, 'bucket'> & { readonly as?: 'bytes' },
  ): Promise<Uint8Array>
  getCloudobject(
    object: CloudObject,
    options: Omit<StorageGetOptions, 'bucket'> & { readonly as: 'text' },
  ): Promise<string>
  getCloudobject(
    object: CloudObject,
    options: Omit<StorageGetOptions, 'bucket'> & { readonly as: 'stream' },
  ): Promise<AsyncIterable<Uint8Array>>
  async getCloudobject(
    object: CloudObject,
    options: Omit<StorageGetOptions, 'bucket'> = {},
  ): Promise<Uint8Array | string | AsyncIterable<Uint8Array>> {
    await this.#checkCloudObject(object, 'getCloudobject')
    return this.get(object.key, { ...options, bucket: object.bucket })
  }

  /** Removes a cloud object. No error when it is not there. */
  deleteCloudobject(object: CloudObject, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.deleteCloudobjects([object], options)
  }

  async deleteCloudobjects(
    objects: Iterable<CloudObject>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const keys = new Map<string, string[]>()
    for (const object of objects) {
      await this.#checkCloudObject(object, 'deleteCloudobjects')
      const { bucket, key } = object
      const ofBucket = keys.get(bucket)
      if (ofBucket === undefined) keys.set(bucket, [key])
      else ofBucket.push(key)
    }
    for (const [bucket, ofBucket] of keys) await this.delete(ofBucket, { ...options, bucket })
  }

  /**
   * Opens a file. 'r' reads and throws ObjectNotFoundError when there is none; 'w' writes, and the file is there when
   * `close()` has resolved; 'x' is 'w' for a file that is not there yet.
   */
  open(path: string, mode?: StorageReadMode, options?: StorageOperationOptions): Promise<StorageReader>
  open(path: string, mode: StorageWriteMode, options?: StoragePutOptions): Promise<StorageWriter>
  async open(
    path: string,
    mode: StorageReadMode | StorageWriteMode = 'r',
    options: StoragePutOptions = {},
  ): Promise<StorageReader | StorageWriter> {
    const kind = modeOf(mode)
    const key = keyOfFilePath(path)
    const { backend, bucket, rest } = await this.at(options)
    const { signal, ...put } = rest
    const place = { backend, bucket, key, ...(signal === undefined ? {} : { signal }) }
    if (kind === 'r') return new StorageReader(place, await backend.headObject(bucket, key, rest))
    if (kind === 'x' && !backend.capabilities.conditionalPut) {
      throw new NotSupportedError(
        `The storage '${backend.name}' cannot write only what is not there: mode 'x'.`,
      )
    }
    return new StorageWriter(place, kind === 'x' ? { ...put, ifAbsent: true } : put)
  }

  /** Files and folders directly in a folder, in the order of their names; none where there is no such folder. */
  async ls(path = '', options: StorageOperationOptions = {}): Promise<StorageEntry[]> {
    const { backend, bucket, rest } = await this.at(options)
    return listFolder({ backend, bucket, ...rest }, path)
  }

  /** Every folder below a path with what is directly in it, from the top down. */
  async *walk(
    path = '',
    options: StorageOperationOptions = {},
  ): AsyncGenerator<WalkedFolder, void, undefined> {
    const { backend, bucket, rest } = await this.at(options)
    yield* walk({ backend, bucket, ...rest }, path)
  }

  /** Removes a file; throws ObjectNotFoundError when there is none. With `recursive`, all below a folder. */
  async remove(
    path: string,
    options: StorageOperationOptions & { readonly recursive?: boolean } = {},
  ): Promise<void> {
    const { recursive = false, ...request } = options
    if (recursive) {
      const prefix = folderPrefix(path)
      if (prefix === '') throw new TypeError('remove: the top of a bucket; use deletePrefix to empty it')
      await this.deletePrefix(prefix, request)
      return
    }
    const key = keyOfFilePath(path)
    await this.head(key, request)
    await this.delete(key, request)
  }

  /**
   * The same storage for somebody who cleans up; closing it does nothing.
   * @internal
   */
  ownedBy(owner: CloudObjectOwner): Storage {
    const { retry, name } = this.parts
    return new Storage({
      ...(this.openedAlready ?? { backend: () => this.opened() }),
      ...(name === undefined ? {} : { name }),
      ...(retry === undefined ? {} : { retry }),
      owner,
      ownsBackend: false,
    })
  }

  async #checkCloudObject(object: CloudObject, what: string): Promise<void> {
    if (!isCloudObject(object)) throw new TypeError(`${what} takes what putCloudobject returned`)
    const { backend } = await this.at({})
    if (object.storage === backend.name) return
    throw new TypeError(
      `${what}: the object is in storage '${object.storage}', and this is '${backend.name}'. Open that one: new Storage({ backend: '${object.storage}' }).`,
    )
  }
}
