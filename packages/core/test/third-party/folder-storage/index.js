import { createHash, randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ObjectNotFoundError, StorageError } from '@lithops/core/driver'

/** Names of files are the keys in hexadecimal, cut into folders: any key is a name, on any file system. */
const NAME_CHARACTERS = 200
const MAX_KEY_BYTES = 300

const hashOf = bytes => createHash('sha256').update(bytes).digest('hex')
const isMissing = error => error.code === 'ENOENT' || error.code === 'ENOTDIR'

/** Objects as files of one folder, whose path is all that its workers need. */
class FolderStorage {
  specVersion = 1
  name = 'folder'
  capabilities = { conditionalPut: true, presignedUrls: false, maxKeyBytes: MAX_KEY_BYTES }
  #folder
  #isClosed = false

  constructor(folder) {
    this.#folder = folder
  }

  async putObject(bucket, key, body, { ifAbsent = false, signal } = {}) {
    const file = await this.#fileOf('put', bucket, key, signal)
    const pieces = []
    if (body instanceof Uint8Array) pieces.push(body)
    else for await (const piece of body) pieces.push(piece.slice())
    const bytes = Buffer.concat(pieces)
    signal?.throwIfAborted()
    const draft = join(this.#folder, randomUUID())
    await mkdir(dirname(file), { recursive: true })
    await writeFile(draft, bytes)
    try {
      if (ifAbsent) await link(draft, file)
      else await rename(draft, file)
      return { created: true, etag: hashOf(bytes) }
    } catch (error) {
      if (error.code === 'EEXIST') return { created: false }
      throw error
    } finally {
      await rm(draft, { force: true })
    }
  }

  async getObject(bucket, key, { range = {}, ifMatch, signal } = {}) {
    const bytes = await this.#read(bucket, key, signal)
    if (ifMatch !== undefined && ifMatch !== hashOf(bytes)) {
      throw new StorageError(`'${key}' in '${bucket}' has changed`, { code: 'LITHOPS_OBJECT_CHANGED' })
    }
    const { start = 0, end = bytes.length } = range
    for (const edge of [start, end]) {
      if (!Number.isSafeInteger(edge) || edge < 0) throw new TypeError(`${edge} is no position of a byte`)
    }
    return new Uint8Array(bytes.subarray(Math.min(start, end), end))
  }

  async getObjectStream(bucket, key, options = {}) {
    const head = await this.headObject(bucket, key, options)
    const bytes = await this.getObject(bucket, key, options)
    return {
      ...head,
      body: (async function* () {
        for (let at = 0; at < bytes.length; at += 65_536) {
          options.signal?.throwIfAborted()
          yield bytes.subarray(at, at + 65_536)
        }
      })(),
    }
  }

  async headObject(bucket, key, { signal } = {}) {
    const bytes = await this.#read(bucket, key, signal)
    const { mtime } = await stat(await this.#fileOf('head', bucket, key, signal))
    return { sizeBytes: bytes.length, etag: hashOf(bytes), lastModified: mtime }
  }

  async deleteObject(bucket, key, { signal } = {}) {
    await rm(await this.#fileOf('delete', bucket, key, signal), { force: true })
  }

  async deleteObjects(bucket, keys, options = {}) {
    await this.#bucketFolder('delete', bucket, options.signal)
    for (const key of keys) await this.deleteObject(bucket, key, options)
  }

  async *listObjects(bucket, prefix = '', { signal } = {}) {
    const folder = await this.#bucketFolder('list', bucket, signal)
    const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length))
    const keys = names
      .map(name => Buffer.from(name.replaceAll(/[^0-9a-f]/g, ''), 'hex'))
      .sort(Buffer.compare)
      .map(bytes => bytes.toString())
    for (const key of keys) {
      if (!key.startsWith(prefix)) continue
      signal?.throwIfAborted()
      try {
        yield { key, ...(await this.headObject(bucket, key)) }
      } catch (error) {
        if (!(error instanceof ObjectNotFoundError)) throw error // removed since
      }
    }
  }

  async bucketExists(bucket, { signal } = {}) {
    this.#check(signal)
    return stat(join(this.#folder, bucket)).then(
      () => true,
      () => false,
    )
  }

  async createBucket(bucket, { signal } = {}) {
    this.#check(signal)
    await mkdir(join(this.#folder, bucket), { recursive: true })
  }

  workerConfig() {
    return { folder: this.#folder }
  }

  client() {
    return undefined
  }

  async close() {
    this.#isClosed = true
  }

  #check(signal) {
    if (this.#isClosed) throw new StorageError('The storage is closed', { code: 'LITHOPS_CLOSED' })
    signal?.throwIfAborted()
  }

  async #bucketFolder(operation, bucket, signal) {
    if (!(await this.bucketExists(bucket, { signal }))) {
      throw new ObjectNotFoundError(`${operation}: there is no bucket '${bucket}'`, {
        details: { operation, bucket },
      })
    }
    return join(this.#folder, bucket)
  }

  async #fileOf(operation, bucket, key, signal) {
    const bytes = Buffer.from(key)
    if (
      bytes.length === 0 ||
      bytes.length > MAX_KEY_BYTES ||
      key.includes('\0') ||
      bytes.toString() !== key
    ) {
      throw new StorageError(`${operation}: this key cannot be stored`, { code: 'LITHOPS_STORAGE_KEY' })
    }
    const names = bytes.toString('hex').match(new RegExp(`.{1,${NAME_CHARACTERS}}`, 'g'))
    // the last letter is none of a hexadecimal number: no file has the name of a folder
    return `${join(await this.#bucketFolder(operation, bucket, signal), ...names)}.o`
  }

  async #read(bucket, key, signal) {
    const file = await this.#fileOf('get', bucket, key, signal)
    try {
      return await readFile(file)
    } catch (error) {
      if (!isMissing(error)) throw error
      throw new ObjectNotFoundError(`get: there is no '${key}' in bucket '${bucket}'`, {
        details: { operation: 'get', bucket, key },
      })
    }
  }
}

export const storage = {
  specVersion: 1,
  name: 'folder',
  create: ({ folder }) => new FolderStorage(folder),
}
