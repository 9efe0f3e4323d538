import { randomUUID } from 'node:crypto'
import { constants, type Dirent } from 'node:fs'
import {
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StorageDriver } from '../driver/driver.ts'
import type {
  Body,
  GetOptions,
  ObjectEntry,
  ObjectHead,
  PutOptions,
  StorageBackend,
  StorageCallOptions,
} from '../driver/storage-backend.ts'
import { StorageAccessError, StorageError } from '../errors/index.ts'
import { compareKeys } from '../storage/key-order.ts'
import {
  bucketNotFound,
  checkKey,
  describePlace,
  isWellFormed,
  objectChanged,
  objectNotFound,
  resolveRange,
  type StoragePlace,
  storageClosed,
} from '../storage/storage-checks.ts'
import { pathOfFolder, pathOfKey, segmentOfName } from './key-path.ts'

export interface LocalhostStorageConfig {
  /** The bucket that is always there. Default: 'storage'. */
  readonly storage_bucket?: string
  /** Folder of the buckets. Default: `lithops-<user>` in the folder for temporary files. */
  readonly root?: string
}

export const DEFAULT_LOCALHOST_BUCKET = 'storage'

/** The length of keys in S3; longer ones would not travel to another storage. */
const MAX_KEY_BYTES = 1024
const READ_BYTES = 256 * 1024
const STATS_AT_ONCE = 32
const DELETES_AT_ONCE = 32
/** Where writes begin, in each bucket. No key has this name (key-path.ts). */
const PARTIAL_FOLDER = '%tmp'
/** A folder can vanish between its making and its use, when the last object in it is deleted; then make it again. */
const MAX_FOLDER_TRIES = 100

/** Objects as files of this machine; processes of one user share them. */
export class LocalhostStorage implements StorageBackend {
  readonly specVersion = 1
  readonly name = 'localhost'
  readonly capabilities = { conditionalPut: true, presignedUrls: false, maxKeyBytes: MAX_KEY_BYTES }
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

  async *listObjects(bucket: string, prefix = '', options: StorageCallOptions = {}) {
    const place = { operation: 'list', bucket }
    this.#check(place, options.signal)
    await this.#requireBucket(place)
    const segments = prefix.split('/')
    const begin = segments.pop() as string
    try {
      yield* this.#listFolder({
        path: join(this.#bucketPath(bucket), ...pathOfFolder(segments)),
        keyPrefix: segments.map(segment => `${segment}/`).join(''),
        begin,
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
    const path = join(this.#bucketPath(place.bucket), PARTIAL_FOLDER, `${process.pid}-${randomUUID()}`)
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

  async *#listFolder(folder: {
    readonly path: string
    readonly keyPrefix: string
    readonly begin: string
    readonly signal: AbortSignal | undefined
  }): AsyncGenerator<ObjectEntry, void, undefined> {
    const entries = await readFolder(folder.path, '', folder.begin)
    // `a-b` comes before `a/b` and that before `a0`: a folder stands in the order with its slash.
    entries.sort((a, b) => compareKeys(a.order, b.order))
    for (let i = 0; i < entries.length; ) {
      folder.signal?.throwIfAborted()
      const entry = entries[i] as FolderEntry
      if (entry.isFolder) {
        yield* this.#listFolder({
          path: entry.path,
          keyPrefix: folder.keyPrefix + entry.order,
          begin: '',
          signal: folder.signal,
        })
        i++
        continue
      }
      let last = i
      while (last < entries.length && last - i < STATS_AT_ONCE && !entries[last]?.isFolder) last++
      const files = entries.slice(i, last)
      const heads = await Promise.all(files.map(file => headIfThere(file.path)))
      for (const [n, file] of files.entries()) {
        const head = heads[n]
        if (head !== undefined) yield { key: folder.keyPrefix + file.order, ...head }
      }
      i = last
    }
  }
}

interface FolderEntry {
  readonly path: string
  readonly isFolder: boolean
  /** The segment; a folder's with the slash that follows it in keys. */
  readonly order: string
}

/** What one segment of keys can be, with the names of long segments put together. */
async function readFolder(path: string, longPrefix: string, begin: string): Promise<FolderEntry[]> {
  let found: Dirent[]
  try {
    found = await readdir(path, { withFileTypes: true })
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
  const entries: FolderEntry[] = []
  for (const item of found) {
    const isFolder = item.isDirectory()
    const read = segmentOfName(item.name, isFolder)
    if (read === undefined) continue
    const segment = longPrefix + read.segment
    const itemPath = join(path, item.name)
    if (read.continued) {
      if (segment.startsWith(begin) || begin.startsWith(segment)) {
        entries.push(...(await readFolder(itemPath, segment, begin)))
      }
    } else if (segment.startsWith(begin)) {
      entries.push({ path: itemPath, isFolder, order: isFolder ? `${segment}/` : segment })
    }
  }
  return entries
}

/** Pieces of an open file. Closes it when the reader comes to the end, stops, or meets an error. */
class FileBody implements AsyncIterable<Uint8Array> {
  readonly #file: FileHandle
  readonly #end: number
  readonly #signal: AbortSignal | undefined
  readonly #place: StoragePlace
  #at: number
  #isDone = false

  constructor(
    file: FileHandle,
    options: {
      readonly start: number
      readonly end: number
      readonly signal: AbortSignal | undefined
      readonly place: StoragePlace
    },
  ) {
    this.#file = file
    this.#at = options.start
    this.#end = options.end
    this.#signal = options.signal
    this.#place = options.place
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => {
        const value = await this.#read()
        return value === undefined ? { done: true, value } : { done: false, value }
      },
      return: async () => {
        await this.#finish()
        return { done: true, value: undefined }
      },
    }
  }

  async #read(): Promise<Uint8Array | undefined> {
    if (this.#isDone) return undefined
    try {
      this.#signal?.throwIfAborted()
      const wanted = Math.min(READ_BYTES, this.#end - this.#at)
      if (wanted > 0) {
        const { bytesRead, buffer } = await this.#file.read(new Uint8Array(wanted), 0, wanted, this.#at)
        if (bytesRead === 0) throw new Error('the file became shorter while it was read')
        this.#at += bytesRead
        return buffer.subarray(0, bytesRead)
      }
    } catch (error) {
      await this.#finish()
      throw translate(error, this.#place)
    }
    await this.#finish()
    return undefined
  }

  async #finish(): Promise<void> {
    if (this.#isDone) return
    this.#isDone = true
    await this.#file.close()
  }
}

interface BigStats {
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ino: bigint
  readonly mtime: Date
}

function headOf(stats: BigStats): Required<ObjectHead> {
  return { sizeBytes: Number(stats.size), etag: etagOf(stats), lastModified: stats.mtime }
}

function etagOf(stats: BigStats): string {
  return [stats.mtimeNs, stats.size, stats.ino].map(number => number.toString(36)).join('-')
}

async function headIfThere(path: string): Promise<ObjectHead | undefined> {
  try {
    return headOf(await stat(path, { bigint: true }))
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
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

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}

function isAbsent(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
}

const RETRYABLE_CODES = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'EINTR', 'ETIMEDOUT'])

function translate(error: unknown, place: StoragePlace): unknown {
  const code = codeOf(error)
  const isOfFileSystem = error instanceof Error && 'syscall' in error
  if (!isOfFileSystem || code === undefined) return error
  if (isAbsent(error)) return objectNotFound(place, error)
  const message = `${describePlace(place)}: ${error.message}`
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new StorageAccessError(message, { details: { ...place }, cause: error })
  }
  return new StorageError(message, {
    isRetryable: RETRYABLE_CODES.has(code),
    details: { ...place },
    cause: error,
  })
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
