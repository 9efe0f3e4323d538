import { WaitTimeoutError } from '../errors/index.ts'
import type { CallHandle } from './call-handle.ts'

/** `wait` returns when all calls have ended. */
export const ALL_COMPLETED = 'ALL_COMPLETED'
/** `wait` returns when at least one call has ended. */
export const ANY_COMPLETED = 'ANY_COMPLETED'
/** `wait` returns at once and tells how things stand. */
export const ALWAYS = 'ALWAYS'

/** When `wait` returns: one of the three, or a percentage of the calls, from 0 to 100. */
export type ReturnWhen = typeof ALL_COMPLETED | typeof ANY_COMPLETED | typeof ALWAYS | number

export interface WaitOptions {
  /** Default: ALL_COMPLETED. */
  readonly returnWhen?: ReturnWhen
  /** Reject with WaitTimeoutError after so many milliseconds; the calls go on. Default: wait for ever. */
  readonly timeoutMs?: number
  /** Reject with the first error of a call as soon as it is known. Default: false. */
  readonly throwExcept?: boolean
  /** Stop waiting when aborted; the calls go on. */
  readonly signal?: AbortSignal
  /** Progress bar while waiting. Default: on a terminal only. */
  readonly progress?: boolean
}

export interface WaitResult<T> {
  readonly done: CallHandle<T>[]
  readonly notDone: CallHandle<T>[]
}

/** Waits until enough of the futures have ended. */
export async function waitFor<T>(
  futures: readonly CallHandle<T>[],
  options: WaitOptions,
  onProgress?: (ended: number) => void,
): Promise<WaitResult<T>> {
  const needed = neededCount(futures.length, options.returnWhen ?? ALL_COMPLETED)
  await untilEnded(futures, needed, options, onProgress)
  const done: CallHandle<T>[] = []
  const notDone: CallHandle<T>[] = []
  for (const future of futures) (future.isDone ? done : notDone).push(future)
  return { done, notDone }
}

function neededCount(count: number, returnWhen: ReturnWhen): number {
  switch (returnWhen) {
    case ALL_COMPLETED:
      return count
    case ANY_COMPLETED:
      return Math.min(1, count)
    case ALWAYS:
      return 0
  }
  if (typeof returnWhen !== 'number' || !(returnWhen >= 0 && returnWhen <= 100)) {
    throw new TypeError(
      `returnWhen must be ALL_COMPLETED, ANY_COMPLETED, ALWAYS or a percentage from 0 to 100, not ${String(returnWhen)}.`,
    )
  }
  return Math.ceil((count * returnWhen) / 100)
}

function untilEnded<T>(
  futures: readonly CallHandle<T>[],
  needed: number,
  options: WaitOptions,
  onProgress?: (ended: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let ended = 0
    let isOver = false
    let timer: NodeJS.Timeout | undefined
    const over = (finish: () => void) => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', onAbort)
      finish()
    }
    const onAbort = () => over(() => reject(options.signal?.reason))
    if (options.signal?.aborted) return over(() => reject(options.signal?.reason))
    options.signal?.addEventListener('abort', onAbort, { once: true })
    for (const future of futures) {
      future.call.onEnd(call => {
        ended++
        onProgress?.(ended)
        if (isOver) return
        if (options.throwExcept === true && call.state !== 'success') over(() => reject(call.error))
        else if (ended >= needed) over(resolve)
      })
    }
    if (ended >= needed) return over(resolve)
    if (options.timeoutMs !== undefined && !isOver) {
      timer = setTimeout(
        () =>
          over(() =>
            reject(
              new WaitTimeoutError(
                `${ended} of ${futures.length} calls have ended after ${options.timeoutMs} ms; ${needed} were waited for.`,
                { details: { ended, total: futures.length, needed } },
              ),
            ),
          ),
        options.timeoutMs,
      )
    }
  })
}
