import type { Readable } from 'node:stream'
import { describePlace, type StoragePlace, storageFailed } from './storage-checks.ts'

/**
 * The body of an object that a vendor's SDK reads from a socket, as the contract wants it: errors are translated, a
 * connection that ends too early is a retryable StorageError, and the socket is freed when the reader comes to the end,
 * stops, meets an error, or the signal is aborted.
 */
export class StreamBody implements AsyncIterable<Uint8Array> {
  readonly #source: Readable
  readonly #place: StoragePlace
  readonly #expectedBytes: number
  readonly #signal: AbortSignal | undefined
  readonly #translate: (error: unknown) => unknown
  readonly #onAbort = () => this.#source.destroy()
  #receivedBytes = 0

  constructor(
    source: Readable,
    options: {
      readonly place: StoragePlace
      /** How many bytes the service said it would send. */
      readonly expectedBytes: number
      readonly signal?: AbortSignal
      /** An error of the SDK as one of the contract. */
      readonly translate: (error: unknown) => unknown
    },
  ) {
    this.#source = source
    this.#place = options.place
    this.#expectedBytes = options.expectedBytes
    this.#signal = options.signal
    this.#translate = options.translate
    // An error before or after the reader listens must not end the process.
    source.on('error', () => {})
    if (this.#signal?.aborted) this.#onAbort()
    else this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** All of it, at once. */
  async bytes(): Promise<Uint8Array> {
    const bytes = new Uint8Array(this.#expectedBytes)
    let filled = 0
    for await (const piece of this) {
      bytes.set(piece, filled)
      filled += piece.length
    }
    return bytes
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    const pieces = this.#source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
    return {
      next: async () => {
        const piece = await this.#next(pieces)
        return piece === undefined ? { done: true, value: undefined } : { done: false, value: piece }
      },
      return: async () => {
        this.#finish()
        return { done: true, value: undefined }
      },
    }
  }

  async #next(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await pieces.next()
      this.#signal?.throwIfAborted()
      if (!done) {
        this.#receivedBytes += value.length
        if (this.#receivedBytes <= this.#expectedBytes) return value
      }
    } catch (error) {
      this.#finish()
      this.#signal?.throwIfAborted()
      throw this.#translate(error)
    }
    this.#finish()
    if (this.#receivedBytes === this.#expectedBytes) return undefined
    throw storageFailed(
      this.#place,
      `the connection ended after ${this.#receivedBytes} of ${this.#expectedBytes} bytes`,
      { isRetryable: true },
    )
  }

  #finish(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#source.destroy()
  }
}

/**
 * Cuts a stream into blocks of `blockBytes` (a function is asked for each block's size); only the last one is shorter,
 * and an empty stream has none. A block is a copy, so the source may reuse its memory. Errors of the source come as they
 * are, an abort comes at once although the source may be waiting, and the source is ended with the iteration.
 */
export async function* blocksOf(
  body: AsyncIterable<Uint8Array>,
  blockBytes: number | ((index: number) => number),
  options: { readonly place: StoragePlace; readonly signal?: AbortSignal },
): AsyncGenerator<Uint8Array, void, undefined> {
  const sizeOf = typeof blockBytes === 'number' ? () => blockBytes : blockBytes
  let index = 0
  let size = sizeOf(index)
  let pieces: Uint8Array[] = []
  let filled = 0
  for await (const piece of untilAborted(body, options.signal)) {
    if (!(piece instanceof Uint8Array)) {
      throw new TypeError(
        `${describePlace(options.place)}: a stream of Uint8Array is needed, not of ${typeof piece}`,
      )
    }
    for (let at = 0; at < piece.length; ) {
      const taken = piece.slice(at, at + size - filled)
      pieces.push(taken)
      filled += taken.length
      at += taken.length
      if (filled < size) continue
      yield join(pieces, filled)
      pieces = []
      filled = 0
      size = sizeOf(++index)
    }
  }
  if (filled > 0) yield join(pieces, filled)
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array
  const joined = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.length
  }
  return joined
}

async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  signal?.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  let stop = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal?.reason)
    signal?.addEventListener('abort', stop, { once: true })
  })
  aborted.catch(() => {})
  let isDone = false
  try {
    while (true) {
      const next = await Promise.race([iterator.next(), aborted])
      if (next.done) {
        isDone = true
        return
      }
      yield next.value
      signal?.throwIfAborted()
    }
  } catch (error) {
    // A source that threw has ended by itself.
    isDone = !signal?.aborted
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    // Not awaited: a source that is waiting ends only when it has what it waits for.
    if (!isDone) void Promise.resolve(iterator.return?.()).catch(() => {})
  }
}
