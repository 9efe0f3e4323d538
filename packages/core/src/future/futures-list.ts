import type { CallHandle } from './call-handle.ts'
import { CompletionQueue } from './completion-queue.ts'
import type { ResponseFuture } from './response-future.ts'

/**
 * The futures of a job over a known number of items, in the order of the items. Iterates synchronously in that order
 * and asynchronously (`for await`) in the order in which the calls end.
 */
export class FuturesList<T> extends Array<ResponseFuture<T>> {
  /** `map` and `filter` give plain arrays. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }

  /** @internal Lists are made by the executor; `from` an array of futures by `FuturesList.of`. */
  static fromFutures<T>(futures: readonly ResponseFuture<T>[]): FuturesList<T> {
    const list = new FuturesList<T>()
    for (const future of futures) list.push(future)
    return list
  }

  /** Each call once, as it ends. Failed ones too: reading their result throws. */
  async *[Symbol.asyncIterator](): AsyncGenerator<CallHandle<T>, void, undefined> {
    const queue = new CompletionQueue<CallHandle<T>>()
    for (const future of this) {
      const handle = future.asHandle()
      handle.call.onEnd(() => queue.push(handle))
    }
    for (let left = this.length; left > 0; left--) yield await queue.next()
  }

  /** Cancels every call that has not ended. Returns how many. */
  cancel(reason?: string): number {
    let cancelled = 0
    for (const future of this) if (future.cancel(reason)) cancelled++
    return cancelled
  }
}
