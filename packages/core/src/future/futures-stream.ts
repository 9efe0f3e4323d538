import type { Call } from '../job/call.ts'
import type { CallHandle } from './call-handle.ts'
import { CompletionQueue } from './completion-queue.ts'

/** What a stream needs of the job that feeds it. */
export interface StreamFeed {
  /** Somebody took a future: the source may be read further. */
  taken(): void
  /** Nobody will take any more: stop reading the source and cancel what is open. */
  abandon(): void
  cancel(reason?: string): number
  /** What the job's options say about a progress bar. */
  readonly progress: boolean | undefined
}

/**
 * The futures of a job over a source of unknown length. The source is read only as fast as futures are taken, and a
 * future that was taken is not kept: a source of a million items never sits in memory. One consumer; each future is
 * handed out once, in the order in which the calls end.
 */
export class FuturesStream<T> implements AsyncIterable<CallHandle<T>> {
  readonly #ended = new CompletionQueue<CallHandle<T>>()
  readonly #feed: StreamFeed
  #open = 0
  #isComplete = false
  #endError: { readonly error: unknown } | undefined
  #isCancelled = false
  #isTaken = false
  #created = 0

  /** @internal */
  constructor(feed: StreamFeed) {
    this.#feed = feed
  }

  /** Calls made so far; all of them once `isComplete`. */
  get length(): number {
    return this.#created
  }

  /** The source has been read to its end. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** @internal */
  get wantsProgress(): boolean | undefined {
    return this.#feed.progress
  }

  /** @internal Where the call's value stands among all results. */
  positionOf(call: Call): number {
    return call.id
  }

  /** @internal Ended futures that nobody has taken. */
  get untaken(): number {
    return this.#ended.length
  }

  /** @internal */
  add(future: CallHandle<T>): void {
    this.#open++
    this.#created++
    future.call.onEnd(() => {
      this.#open--
      this.#ended.push(future)
    })
  }

  /** @internal `cancel` was called: what came of the source is not all of it. */
  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /** @internal No more futures will come; `error` is what the source threw, or why it was not read to its end. */
  end(error?: { readonly error: unknown }): void {
    this.#isComplete = true
    this.#endError = error
    this.#ended.poke()
  }

  /** Ends the stream: the source is not read any further, open calls are cancelled, and a loop over it ends. */
  cancel(reason?: string): number {
    this.#isCancelled = true
    return this.#feed.cancel(reason)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<CallHandle<T>, void, undefined> {
    if (this.#isTaken)
      throw new TypeError('A FuturesStream can be read once. Keep the futures, or give map an array.')
    this.#isTaken = true
    let isExhausted = false
    try {
      for (;;) {
        const handle = this.#ended.take()
        if (handle !== undefined) {
          this.#feed.taken()
          yield handle
        } else if (this.#isComplete && this.#open === 0) {
          isExhausted = true
          if (this.#endError !== undefined && !this.#isCancelled) throw this.#endError.error
          return
        } else {
          await this.#ended.changed()
        }
      }
    } finally {
      if (!isExhausted) this.#feed.abandon()
    }
  }
}
