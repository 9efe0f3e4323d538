import { CallCancelledError, WaitTimeoutError } from '../errors/index.ts'
import type { CallHandle } from '../future/call-handle.ts'
import type { FuturesStream } from '../future/futures-stream.ts'
import { checkTimeout, type WaitOptions } from '../future/wait.ts'
import type { Call } from '../job/call.ts'
import { type Progress, ProgressBar } from './progress-bar.ts'

export interface GetResultOptions extends Pick<WaitOptions, 'timeoutMs' | 'signal' | 'progress'> {
  /** false: failed calls give undefined instead of throwing the first error. Default: true. */
  readonly throwExcept?: boolean
}

/** Values in storage that are read at the same time. */
const FETCHES_AT_ONCE = 32

/** Reads the values that were left in storage, several at once. What fails here fails again where it is reported. */
async function fetchAll(futures: readonly CallHandle<unknown>[]): Promise<void> {
  const isAway = ({ call }: CallHandle<unknown>) => call.state === 'success' && !call.hasValueHere
  if (!futures.some(isAway)) return
  const away = futures.filter(isAway).values()
  const fetchNext = async () => {
    for (const future of away) await future.result().catch(() => {})
  }
  await Promise.all(Array.from({ length: FETCHES_AT_ONCE }, fetchNext))
}

/** The values of calls that have ended, in the order given. Throws the first error that is not tolerated. */
export async function valuesOf<T>(
  futures: readonly CallHandle<T>[],
  throwExcept: boolean,
): Promise<(T | undefined)[]> {
  await fetchAll(futures)
  const values = new Array<T | undefined>(futures.length)
  for (let i = 0; i < futures.length; i++) {
    const future = futures[i] as CallHandle<T>
    // awaiting each of ten thousand values that are here already would take longer than reading them
    values[i] = future.call.hasValueHere ? (future.call.value as T) : await valueOf(future, throwExcept)
  }
  return values
}

/** The values of a stream's calls in the order of the items. The stream is given up at the first error. */
export async function resultOfStream<T>(
  stream: FuturesStream<T>,
  options: GetResultOptions,
): Promise<(T | undefined)[]> {
  const { signal, timeoutMs, throwExcept = true } = options
  checkTimeout(timeoutMs)
  signal?.throwIfAborted()
  let givenUp: { readonly error: unknown } | undefined
  const giveUp = (error: unknown, reason: string) => {
    givenUp ??= { error }
    stream.cancel(reason)
  }
  const onAbort = () => giveUp(signal?.reason, 'the signal of its getResult was aborted')
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer =
    timeoutMs === undefined || !Number.isFinite(timeoutMs)
      ? undefined
      : setTimeout(() => {
          const message = `The results were not all there after ${timeoutMs} ms.`
          giveUp(new WaitTimeoutError(message), 'the timeout of its getResult ended')
        }, timeoutMs)
  const values: (T | undefined)[] = []
  let progress: Progress = { ended: 0, total: 1 }
  const bar = ProgressBar.start(() => progress, options.progress ?? stream.wantsProgress)
  try {
    for await (const future of stream) {
      if (givenUp !== undefined) break
      values[stream.positionOf(future.call)] = await valueOf(future, throwExcept)
      progress = { ended: progress.ended + 1, total: stream.length }
    }
  } finally {
    bar?.stop()
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
  if (givenUp !== undefined) throw givenUp.error
  if (stream.isCancelled)
    throw new CallCancelledError('The stream was cancelled: its results are not all there.')
  return values
}

async function valueOf<T>(future: CallHandle<T>, throwExcept: boolean): Promise<T | undefined> {
  const { call } = future
  if (call.state === 'success') return future.result()
  if (throwExcept && !isTolerated(call)) throw call.error
  return undefined
}

/** Failures of the future's job do not fail the reading of its results, as long as they are within the tolerance. */
export function toleratesFailures(future: CallHandle<unknown>): boolean {
  return future.call.job.options.toleratedFailures !== undefined
}

function isTolerated(call: Call): boolean {
  return call.job.options.toleratedFailures !== undefined && !call.job.isStopped
}
