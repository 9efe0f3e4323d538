import { constants } from 'node:fs'
import {
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeCrypto } from '../builtins.ts'
import type { StorageDriver } from '../driver/driver.ts'
import type {
  Body,
  GetOptions,
  ListOptions,
  ObjectHead,
  ObjectPlace,
  PutOptions,
  StorageBackend,
  StorageCallOptions,
} from '../driver/storage-backend.ts'
import {
  bucketNotFound,
  checkKey,
  describePlace,
  isWellFormed,
  objectChanged,
  resolveRange,
  type StoragePlace,
  storageClosed,
} from '../driver/storage-checks.ts'
import { StorageError } from '../errors/index.ts'
import { pathOfFolder, pathOfKey } from './key-path.ts'
import { FileBody } from './localhost-storage-body.ts'
import { codeOf, isAbsent, translate } from './localhost-storage-errors.ts'
import { etagOf, headOf, listFolder } from './localhost-storage-listing.ts'

export interface LocalhostStorageConfig {
  /** The bucket that is always there. Default: 'storage'. */
  readonly storage_bucket?: string
  /** Folder of the buckets. Default: `lithops-<user>` in the folder for temporary files. */
  readonly root?: string
}

export const DEFAULT_LOCALHOST_BUCKET = 'storage'

/** The length of keys in S3; longer ones would not travel to another storage. */
const MAX_KEY_BYTES = 1024
const DELETES_AT_ONCE = 32
/** Where writes begin, in each bucket. No key has this name (key-path.ts). */
const PARTIAL_FOLDER = '%tmp'
/** A folder can vanish between its making and its use, when the last object in it is deleted; then make it again. */
const MAX_FOLDER_TRIES = 100

/** Objects as files of this machine; processes of one user share them. */
export class LocalhostStorage implements StorageBackend {
  readonly specVersion = 1
  readonly name = 'localhost'
  readonly capabilities = {
    conditionalPut: true,
    presignedUrls: false,
    maxKeyBytes: MAX_KEY_BYTES,
    startsListings: true,
  }
  readonly #root: string
  readonly #defaultBucket: string
  #isClosed = false

  constructor(options: { readonly root: string; readonly defaultBucket?: string }) {
    this.#root = options.root
    this.#defaultBucket = options.defaultBucket ?? DEFAULT_LOCALHOST_BUCKET
  }

  async putObject(bucket: string, key: string, body: Body, options: PutOptions = {}) {
    const place = { operation: 'put', bucket, key }
    const target = this.#pathOf(place, options.signal)
    const partial = await this.#openPartial(place)
    try {
      try {
        if (body instanceof Uint8Array) {
          await partial.file.writeFile(body)
        } else {
          for await (const piece of body) {
            options.signal?.throwIfAborted()
            await partial.file.writeFile(piece)
          }
        }
      } finally {
        await partial.file.close()
      }
      options.signal?.throwIfAborted()
      // The time of a file's content stays the same when the file is renamed, so this is the new object's ETag.
      const etag = etagOf(await stat(partial.path, { bigint: true }))
      const created = options.ifAbsent
        ? await this.#inFolderOf(target, () => linkNew(partial.path, target))
        : await this.#inFolderOf(target, async () => {
            await rename(partial.path, target)
            return true
          })
      return created ? { created, etag } : { created }
    } catch (error) {
      throw translate(error, place)
    } finally {
      await rm(partial.path, { force: true })
    }
  }

  async getObject(bucket: string, key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const place = { operation: 'get', bucket, key }
    const { file, start, end } = await this.#openForReading(place, options)
    try {
      const bytes = Buffer.allocUnsafeSlow(end - start)
      let filled = 0
      while (filled < bytes.length) {
        options.signal?.throwIfAborted()
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled)
        if (bytesRead === 0) throw new Error('the file became shorter while it was read')
        filled += bytesRead
      }
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    } catch (error) {
      throw translate(error, place)
    } finally {
      await file.close()
    }
  }

  async getObjectStream(bucket: string, key: string, options: GetOptions = {}) {
    const place = { operation: 'get', bucket, key }
    const { file, head, start, end } = await this.#openForReading(place, options)
    return { ...head, body: new FileBody(file, { start, end, signal: options.signal, place }) }
  }

  async headObject(bucket: string, key: string, options: StorageCallOptions = {}): Promise<ObjectHead> {
    const place = { operation: 'head', bucket, key }
    const path = this.#pathOf(place, options.signal)
    try {
      return headOf(await stat(path, { bigint: true }))
    } catch (error) {
      throw translate(error, place)
    }
  }

  async copyObject(from: ObjectPlace, to: ObjectPlace, options: StorageCallOptions = {}) {
    const source = { operation: 'copy', ...from }
    const place = { operation: 'copy', ...to }
    const path = this.#pathOf(source, options.signal)
    const target = this.#pathOf(place, options.signal)
    await this.headObject(from.bucket, from.key, options)
    const partial = await this.#openPartial(place)
    await partial.file.close()
    try {
      // copy-on-write where the file system has it
      await copyFile(path, partial.path, constants.COPYFILE_FICLONE).catch(error => {
        throw translate(error, source)
      })
      options.signal?.throwIfAborted()
      const etag = etagOf(await stat(partial.path, { bigint: true }))
      await this.#inFolderOf(target, () => rename(partial.path, target))
      return { etag }
    } catch (error) {
      throw translate(error, place)
    } finally {
      await rm(partial.path, { force: true })
    }
  }

  async deleteObject(bucket: string, key: string, options: StorageCallOptions = {}): Promise<void> {
    const place = { operation: 'delete', bucket, key }
    const path = this.#pathOf(place, options.signal)
    try {
      await unlink(path)
    } catch (error) {
      if (!isAbsent(error)) throw translate(error, place)
      await this.#requireBucket(place)
      return
    }
    const names = pathOfKey(key)
    for (let depth = names.length - 1; depth > 0; depth--) {
      try {
        await rmdir(join(this.#bucketPath(bucket), ...names.slice(0, depth)))
      } catch {
        return // Not empty, or another process was faster.
      }
    }
  }

  async deleteObjects(bucket: string, keys: readonly string[], options: StorageCallOptions = {}) {
    this.#check({ operation: 'delete', bucket }, options.signal)
    const left = keys.values()
    const work = async () => {
      for (const key of left) await this.deleteObject(bucket, key, options)
    }
    await Promise.all(Array.from({ length: Math.min(DELETES_AT_ONCE, keys.length) }, work))
  }

  async *listObjects(bucket: string, prefix = '', options: ListOptions = {}) {
    const place = { operation: 'list', bucket }
    this.#check(place, options.signal)
    await this.#requireBucket(place)
    const segments = prefix.split('/')
    const begin = segments.pop() as string
    try {
      yield* listFolder({
        path: join(this.#bucketPath(bucket), ...pathOfFolder(segments)),
        keyPrefix: segments.map(segment => `${segment}/`).join(''),
        begin,
        startAfter: options.startAfter,
        signal: options.signal,
      })
    } catch (error) {
      throw translate(error, place)
    }
  }

  async bucketExists(bucket: string, options: StorageCallOptions = {}): Promise<boolean> {
    this.#check({ operation: 'find', bucket }, options.signal)
    if (bucket === this.#defaultBucket) return true
    try {
      return (await stat(this.#bucketPath(bucket))).isDirectory()
    } catch (error) {
      if (isAbsent(error)) return false
      throw translate(error, { operation: 'find', bucket })
    }
  }

  async createBucket(bucket: string, options: StorageCallOptions = {}): Promise<void> {
    const place = { operation: 'create', bucket }
    this.#check(place, options.signal)
    try {
      await mkdir(join(this.#bucketPath(bucket), PARTIAL_FOLDER), { recursive: true, mode: 0o700 })
    } catch (error) {
      throw translate(error, place)
    }
  }

  /** Files of this machine. */
  costOf(): number {
    return 0
  }

  workerConfig() {
    return { root: this.#root, storage_bucket: this.#defaultBucket }
  }

  client(): undefined {
    return undefined
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #check(place: StoragePlace, signal: AbortSignal | undefined): void {
    if (this.#isClosed) throw storageClosed(place)
    signal?.throwIfAborted()
    if (place.bucket === '' || !isWellFormed(place.bucket) || place.bucket.includes('\0')) {
      throw new StorageError(`${describePlace(place)}: that is no name for a bucket`, {
        code: 'LITHOPS_STORAGE_KEY',
        details: { ...place },
      })
    }
  }

  #pathOf(place: StoragePlace & { readonly key: string }, signal: AbortSignal | undefined): string {
    this.#check(place, signal)
    checkKey(place, MAX_KEY_BYTES)
    return join(this.#bucketPath(place.bucket), ...pathOfKey(place.key))
  }

  #bucketPath(bucket: string): string {
    return join(this.#root, ...pathOfFolder([bucket]))
  }

  /** The default bucket needs no creating: nobody creates a bucket on their own machine. */
  async #requireBucket(place: StoragePlace): Promise<void> {
    if (!(await this.bucketExists(place.bucket))) throw bucketNotFound(place)
  }

  async #openPartial(place: StoragePlace): Promise<{ file: FileHandle; path: string }> {
    const path = join(
      this.#bucketPath(place.bucket),
      PARTIAL_FOLDER,
      `${process.pid}-${nodeCrypto().randomUUID()}`,
    )
    try {
      return { file: await open(path, 'wx', 0o600), path }
    } catch (error) {
      if (!isAbsent(error)) throw translate(error, place)
    }
    await this.#requireBucket(place)
    await this.createBucket(place.bucket)
    try {
      return { file: await open(path, 'wx', 0o600), path }
    } catch (error) {
      throw translate(error, place)
    }
  }

  async #inFolderOf<T>(target: string, act: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await act()
      } catch (error) {
        if (!isAbsent(error) || attempt === MAX_FOLDER_TRIES) throw error
      }
      try {
        await mkdir(join(target, '..'), { recursive: true, mode: 0o700 })
      } catch (error) {
        if (!isAbsent(error)) throw error
      }
    }
  }

  async #openForReading(place: StoragePlace & { readonly key: string }, options: GetOptions) {
    const path = this.#pathOf(place, options.signal)
    let file: FileHandle
    try {
      file = await open(path, 'r')
    } catch (error) {
      throw translate(error, place)
    }
    try {
      const head = headOf(await file.stat({ bigint: true }))
      if (options.ifMatch !== undefined && options.ifMatch !== head.etag) throw objectChanged(place)
      return { file, head, ...resolveRange(options.range, head.sizeBytes) }
    } catch (error) {
      await file.close()
      throw translate(error, place)
    }
  }
}

/** Gives a written file its name unless the name is taken. */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error
  }
  // A file system without hard links (exFAT): exclusive, though a reader may see the beginning of the file.
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** The storage of this machine, config name `localhost`. */
export const localhostStorageDriver: StorageDriver<LocalhostStorageConfig> = {
  specVersion: 1,
  name: 'localhost',
  create(config, context) {
    return new LocalhostStorage({
      root: config.root ?? join(tmpdir(), `lithops-${encodeURIComponent(context.userName)}`),
      ...(config.storage_bucket === undefined ? {} : { defaultBucket: config.storage_bucket }),
    })
  },
}
