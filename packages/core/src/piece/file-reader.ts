import type { BigIntStats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { ObjectNotFoundError, StorageAccessError, StorageError } from '../errors/index.ts'
import type { PieceDescriptor } from './descriptor.ts'
import type { ObjectReader } from './object-reader.ts'

const READ_BYTES = 512 * 1024

/** Stands for the content of a file as an ETag does for an object's. */
export function fileTag(stats: BigIntStats): string {
  return [stats.mtimeNs, stats.size, stats.ino].map(number => number.toString(36)).join('-')
}

/** Reads a file of this machine. */
export class FileReader implements ObjectReader {
  readonly #path: string
  readonly #etag: string | undefined
  readonly #signal: AbortSignal | undefined

  constructor(descriptor: PieceDescriptor, signal: AbortSignal | undefined) {
    this.#path = descriptor.key
    this.#etag = descriptor.etag
    this.#signal = signal
  }

  async *open(start: number, end: number | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    let file: FileHandle
    try {
      file = await open(this.#path, 'r')
    } catch (error) {
      throw fileError(error, this.#path)
    }
    try {
      await this.#check(file)
      let at = start
      while (end === undefined || at < end) {
        this.#signal?.throwIfAborted()
        const wanted = Math.min(READ_BYTES, (end ?? Number.POSITIVE_INFINITY) - at)
        const buffer = Buffer.allocUnsafeSlow(wanted)
        const { bytesRead } = await file.read(buffer, 0, wanted, at)
        if (bytesRead === 0) break
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
      // a file can be written in place while it is read
      await this.#check(file)
      if (end !== undefined && at < end) throw changed(this.#path)
    } catch (error) {
      throw fileError(error, this.#path)
    } finally {
      await file.close()
    }
  }

  async #check(file: FileHandle): Promise<void> {
    if (this.#etag === undefined) return
    if (fileTag(await file.stat({ bigint: true })) !== this.#etag) throw changed(this.#path)
  }
}

function changed(path: string): StorageError {
  return new StorageError(`read '${path}': the file is another than the one that was found for the job`, {
    code: 'LITHOPS_OBJECT_CHANGED',
    details: { operation: 'get', key: path },
  })
}

/** An error of the file system as one of storage; others stay as they are. */
export function fileError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error
  const code = (error as NodeJS.ErrnoException).code
  const options = { details: { operation: 'get', key: path }, cause: error }
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new ObjectNotFoundError(`read '${path}': there is no such file`, options)
  }
  const message = `read '${path}': ${error.message}`
  if (code === 'EACCES' || code === 'EPERM') return new StorageAccessError(message, options)
  return new StorageError(message, options)
}
