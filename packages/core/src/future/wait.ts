import { WaitTimeoutError } from '../errors/index.ts'
import type { Call } from '../job/call.ts'
import type { CallHandle } from './call-handle.ts'

/** Node fires a timer at once that is longer than this; 24 days of waiting are for ever. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

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
  checkTimeout(options.timeoutMs)
  const needed = neededCount(futures.length, options.returnWhen ?? ALL_COMPLETED)
  await untilEnded(futures, needed, options, onProgress)
  const done: CallHandle<T>[] = []
  const notDone: CallHandle<T>[] = []
  for (const future of futures) (future.isDone ? done : notDone).push(future)
  return { done, notDone }
}

/** Infinity means for ever, as leaving it out does. */
export function checkTimeout(timeoutMs: unknown): void {
  if (timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs >= 0)) return
  throw new TypeError(`timeoutMs must be a number of milliseconds from 0, not ${String(timeoutMs)}.`)
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

/** Polling with `wait` for hours must not pile up listeners: what it hangs on signal and calls, it takes off again. */
function untilEnded<T>(
  futures: readonly CallHandle<T>[],
  needed: number,
  options: WaitOptions,
  onProgress?: (ended: number) => void,
): Promise<void> {
  const { signal, timeoutMs, throwExcept } = options
  return new Promise((resolve, reject) => {
    let ended = 0
    let isOver = false
    let timer: NodeJS.Timeout | undefined
    const over = (finish: () => void) => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      for (const { call } of futures) if (!call.isEnded) call.offEnd(onCallEnd)
      finish()
    }
    const onAbort = () => over(() => reject(signal?.reason))
    const onCallEnd = (call: Call) => {
      if (isOver) return
      ended++
      onProgress?.(ended)
      if (throwExcept === true && call.state !== 'success') over(() => reject(call.error))
      else if (ended >= needed) over(resolve)
    }
    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    for (const { call } of futures) if (call.isEnded) onCallEnd(call)
    if (ended >= needed) over(resolve)
    if (isOver) return
    for (const { call } of futures) if (!call.isEnded) call.onEnd(onCallEnd)
    if (timeoutMs === undefined) return
    const onTimeout = () => reject(timedOut(futures, ended, needed, timeoutMs))
    if (timeoutMs <= LONGEST_TIMER_MS) timer = setTimeout(() => over(onTimeout), timeoutMs)
  })
}

function timedOut(
  futures: readonly CallHandle<unknown>[],
  ended: number,
  needed: number,
  timeoutMs: number,
): WaitTimeoutError {
  const [first] = futures
  const message =
    futures.length === 1 && first !== undefined
      ? `Call ${first.callId} of job ${first.jobId} has not ended after ${timeoutMs} ms.`
      : `${ended} of ${futures.length} calls have ended after ${timeoutMs} ms; ${needed} were waited for.`
  return new WaitTimeoutError(message, { details: { ended, total: futures.length, needed } })
}
