import type { Call } from './call.ts'
import { EncodedInput } from './call.ts'

/** Calls read ahead of what the backends can hold, so that workers never wait for the source. */
const READ_AHEAD_CALLS = 1024
/** Ended futures that nobody has taken, before the source is read no further. */
const MAX_UNTAKEN = 1024
/** Encoded input held at once; large items lower the number of calls read ahead. */
const MAX_OPEN_BYTES = 64 * 1024 * 1024
/** After so many items in one go the event loop may turn. */
const ITEMS_PER_TURN = 256

export interface SourceReaderHost {
  readonly capacity: () => number
  readonly openCount: () => number
  readonly untaken: () => number
  readonly add: (item: unknown) => Call
  readonly pump: () => void
  readonly end: (error?: { readonly error: unknown }) => void
  readonly isStopped: () => boolean
}

/** Reads a source of unknown length into calls, no faster than the calls end and their futures are taken. */
export class SourceReader {
  readonly #source: Iterable<unknown> | AsyncIterable<unknown>
  readonly #host: SourceReaderHost
  #wake: (() => void) | undefined
  #openBytes = 0
  #isStopped = false
  #stop: (() => void) | undefined

  constructor(source: Iterable<unknown> | AsyncIterable<unknown>, host: SourceReaderHost) {
    this.#source = source
    this.#host = host
  }

  start(): void {
    void this.#read()
  }

  /** There may be room again. */
  wake(): void {
    if (this.#wake !== undefined && !this.#isFull()) this.#wake()
  }

  /** Stops reading, also while the source keeps us waiting; the source's `return` is called. */
  stop(): void {
    this.#isStopped = true
    this.#wake?.()
    this.#stop?.()
  }

  #isFull(): boolean {
    const host = this.#host
    if (host.untaken() >= MAX_UNTAKEN) return true
    if (host.openCount() <= host.capacity() * 2) return false
    return host.openCount() >= READ_AHEAD_CALLS + host.capacity() || this.#openBytes >= MAX_OPEN_BYTES
  }

  async #read(): Promise<void> {
    const host = this.#host
    let error: { readonly error: unknown } | undefined
    try {
      if (Symbol.asyncIterator in this.#source) await this.#readAsync(this.#source)
      else await this.#readSync(this.#source)
    } catch (thrown) {
      error = { error: thrown }
    }
    host.end(error)
    host.pump()
  }

  async #readSync(source: Iterable<unknown>): Promise<void> {
    for (const item of source) {
      if (this.#mustStop()) break
      if (this.#take(item)) await this.#room()
    }
  }

  /** Not `for await`: a source that never gives its next item could not be left. */
  async #readAsync(source: AsyncIterable<unknown>): Promise<void> {
    const iterator = source[Symbol.asyncIterator]()
    let isWaiting = false
    try {
      while (!this.#mustStop()) {
        isWaiting = true
        const next = await this.#next(iterator)
        if (next === undefined) break
        isWaiting = false
        if (next.done === true) return
        if (this.#mustStop()) break
        if (this.#take(next.value)) await this.#room()
      }
    } catch (error) {
      if (isWaiting) throw error // the source itself broke: there is nothing left to return from
      await iterator.return?.()
      throw error
    }
    const returning = iterator.return?.()
    if (!isWaiting) await returning
    // a generator that waits returns only after its item has come: nobody waits for that
    else returning?.catch(() => {})
  }

  /** The source's next item, or undefined when reading is stopped meanwhile. */
  #next(iterator: AsyncIterator<unknown>): Promise<IteratorResult<unknown> | undefined> {
    return new Promise((resolve, reject) => {
      this.#stop = () => resolve(undefined)
      Promise.resolve(iterator.next()).then(resolve, reject)
    })
  }

  #mustStop(): boolean {
    return this.#isStopped || this.#host.isStopped()
  }

  #sincePump = 0

  /** Returns true when the reader should pause. */
  #take(item: unknown): boolean {
    const call = this.#host.add(item)
    if (call.input instanceof EncodedInput) {
      const bytes = call.input.sizeBytes
      this.#openBytes += bytes
      call.onEnd(() => {
        this.#openBytes -= bytes
        this.wake()
      })
    }
    if (++this.#sincePump >= ITEMS_PER_TURN || this.#host.openCount() <= this.#host.capacity() * 2) {
      this.#sincePump = 0
      this.#host.pump()
      return true
    }
    return this.#isFull()
  }

  async #room(): Promise<void> {
    if (this.#isFull()) this.#host.pump()
    while (this.#isFull() && !this.#isStopped) {
      await new Promise<void>(resolve => {
        this.#wake = () => {
          this.#wake = undefined
          resolve()
        }
      })
    }
  }
}
