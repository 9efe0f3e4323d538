import { PassThrough } from 'node:stream'
import { ensureAsyncDispose } from '../async-dispose.ts'
import type { ObjectHead, PutOptions, StorageBackend } from '../driver/storage-backend.ts'
import { NotSupportedError, StorageError } from '../errors/index.ts'
import { linesOf } from './lines.ts'
import { bodyOf, decodeText } from './storage-options.ts'

interface FilePlace {
  readonly backend: StorageBackend
  readonly bucket: string
  readonly key: string
  readonly signal?: AbortSignal
}

/**
 * An object opened for reading, with a position that reads move on. All reads are of the object as it was when it was
 * opened; a changed one is StorageError, code LITHOPS_OBJECT_CHANGED.
 */
export class StorageReader implements AsyncDisposable {
  static {
    ensureAsyncDispose(this)
  }

  readonly key: string
  readonly sizeBytes: number
  readonly #place: FilePlace
  readonly #head: ObjectHead
  #position = 0
  #pieces: AsyncIterator<Uint8Array> | undefined
  /** Read from the connection and not taken yet. */
  #rest: Uint8Array = new Uint8Array(0)
  #isClosed = false

  constructor(place: FilePlace, head: ObjectHead) {
    this.key = place.key
    this.sizeBytes = head.sizeBytes
    this.#place = place
    this.#head = head
  }

  /** Where the next read begins, in bytes. */
  get position(): number {
    return this.#position
  }

  /** The next bytes, fewer only at the end of the file, none after it; all that are left without a number. */
  async read(lengthBytes = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
    if (!(lengthBytes >= 0)) throw new TypeError(`read: ${lengthBytes} is no number of bytes`)
    const pieces: Uint8Array[] = []
    let missing = lengthBytes
    while (missing > 0) {
      const piece = await this.#nextPiece()
      if (piece === undefined) break
      const taken = piece.subarray(0, missing)
      this.#rest = piece.subarray(taken.length)
      this.#position += taken.length
      missing -= taken.length
      pieces.push(taken)
    }
    return new Uint8Array(Buffer.concat(pieces))
  }

  /** The rest of the file as text. */
  async readText(): Promise<string> {
    return decodeText(await this.read())
  }

  /**
   * The rest of the file line by line, without the line ends '\n' and '\r\n'; a last line without one counts too. A loop
   * that is left early has read on further than the line: use `seek` before other reads.
   */
  lines(): AsyncGenerator<string, void, undefined> {
    return linesOf(this.pieces())
  }

  /** The rest of the file in pieces as they come. */
  async *pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let piece = await this.#nextPiece(); piece !== undefined; piece = await this.#nextPiece()) {
      this.#rest = new Uint8Array(0)
      this.#position += piece.length
      yield piece
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    return this.lines()
  }

  /** Sets the position; a negative one counts from the end. Returns the new one. */
  async seek(positionBytes: number): Promise<number> {
    if (!Number.isSafeInteger(positionBytes)) throw new TypeError(`seek: ${positionBytes} is no position`)
    const wanted = positionBytes < 0 ? Math.max(0, this.sizeBytes + positionBytes) : positionBytes
    if (wanted !== this.#position) {
      await this.#leave()
      this.#position = wanted
    }
    return wanted
  }

  /** Ends the connection. May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#leave()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #nextPiece(): Promise<Uint8Array | undefined> {
    if (this.#isClosed) throw closedFile(this.#place)
    if (this.#rest.length > 0) return this.#rest
    if (this.#position >= this.sizeBytes) return undefined
    this.#pieces ??= (await this.#open()).body[Symbol.asyncIterator]()
    for (;;) {
      const { done, value } = await this.#pieces.next()
      if (done) return undefined
      if (value.length > 0) return value
    }
  }

  #open() {
    const { backend, bucket, key, signal } = this.#place
    const { etag } = this.#head
    return backend.getObjectStream(bucket, key, {
      range: { start: this.#position, end: this.sizeBytes },
      ...(etag === undefined ? {} : { ifMatch: etag }),
      ...(signal === undefined ? {} : { signal }),
    })
  }

  async #leave(): Promise<void> {
    const pieces = this.#pieces
    this.#pieces = undefined
    this.#rest = new Uint8Array(0)
    await pieces?.return?.()
  }
}

/**
 * An object opened for writing. It appears, whole, when `close()` has resolved; without it (an error in between, the end
 * of an `await using`) nothing is written and what was there stays.
 */
export class StorageWriter implements AsyncDisposable {
  static {
    ensureAsyncDispose(this)
  }

  readonly key: string
  readonly #place: FilePlace
  readonly #stream = new PassThrough({ highWaterMark: 1024 * 1024 })
  readonly #written: Promise<{ readonly created: boolean }>
  #state: 'open' | 'closed' | 'aborted' = 'open'
  #closing: Promise<void> | undefined

  constructor(place: FilePlace, options: Omit<PutOptions, 'signal'> = {}) {
    const { backend, bucket, key, signal } = place
    this.key = key
    this.#place = place
    this.#written = backend.putObject(bucket, key, this.#stream as AsyncIterable<Uint8Array>, {
      ...options,
      ...(signal === undefined ? {} : { signal }),
    })
    // seen by the next write or by close
    this.#written.catch(error => this.#stream.destroy(error as Error))
    this.#stream.on('error', () => {})
  }

  /** Adds bytes or text. Resolves when there is room for more. */
  async write(data: Uint8Array | string): Promise<void> {
    if (this.#state !== 'open') throw closedFile(this.#place)
    const bytes = bodyOf(data, 'write') as Uint8Array
    if (bytes.length === 0) return
    // the caller may use its buffer again
    if (this.#stream.destroyed) await this.#failure()
    if (this.#stream.write(bytes.slice())) return
    await this.#room()
    if (this.#stream.destroyed) await this.#failure()
  }

  /** Resolves when more can be written, or nothing any more. */
  #room(): Promise<void> {
    const stream = this.#stream
    return new Promise(resolve => {
      const done = () => {
        stream.off('drain', done).off('close', done)
        resolve()
      }
      stream.on('drain', done).on('close', done)
    })
  }

  /** Writes the object. May be called twice. Throws LITHOPS_OBJECT_EXISTS for mode 'x' when there is one already. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Writes nothing. */
  async abort(reason: unknown = new Error('The file was not closed.')): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'aborted'
    this.#stream.destroy(reason instanceof Error ? reason : new Error(String(reason)))
    await this.#written.catch(() => {})
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }

  async #close(): Promise<void> {
    if (this.#state === 'aborted') throw closedFile(this.#place)
    this.#state = 'closed'
    this.#stream.end()
    const { created } = await this.#written
    if (created) return
    const { bucket, key } = this.#place
    throw new StorageError(
      `open '${key}' in bucket '${bucket}' with mode 'x': there is such an object already`,
      {
        code: 'LITHOPS_OBJECT_EXISTS',
        details: { operation: 'put', bucket, key },
      },
    )
  }

  async #failure(): Promise<never> {
    await this.#written
    throw closedFile(this.#place)
  }
}

/** The modes of `Storage.open`; 'b' is allowed and means nothing: handles know bytes and text. */
export type StorageReadMode = 'r' | 'rb'
export type StorageWriteMode = 'w' | 'wb' | 'x' | 'xb'

/** 'r', 'w' or 'x'. Throws NotSupportedError for modes that object storage cannot have. */
export function modeOf(mode: string): 'r' | 'w' | 'x' {
  const kind = mode.replace(/[bt]$/, '')
  if (kind === 'r' || kind === 'w' || kind === 'x') return kind
  if (/^[ra]\+?$|^[wx]\+$/.test(kind)) {
    throw new NotSupportedError(
      `open: mode '${mode}' is not possible: objects are written whole. Read the old one and write a new one.`,
    )
  }
  throw new TypeError(`open: there is no mode '${mode}'; there are 'r', 'w' and 'x'`)
}

function closedFile({ bucket, key }: FilePlace): StorageError {
  return new StorageError(`The file '${key}' in bucket '${bucket}' is closed`, {
    code: 'LITHOPS_CLOSED',
    details: { bucket, key },
  })
}
