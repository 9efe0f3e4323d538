import type { Call, CallState } from '../job/call.ts'
import { type CallStats, statsOf } from '../stats/call-stats.ts'
import { waitFor } from './wait.ts'

/** What a future needs of its executor. */
export interface FutureOwner {
  /** Ends a call that nobody wants any more. */
  cancel(call: Call, reason: string, cause?: unknown): void
  /** Reads a value that a worker left in storage. */
  fetchValue(call: Call): Promise<unknown>
  /** The future's outcome was read by the user. */
  markRead(call: Call): void
}

export interface ResultOptions {
  /** Give up waiting after so many milliseconds with WaitTimeoutError; the call goes on. Default: wait for ever. */
  readonly timeoutMs?: number
  /** false: a failed call gives undefined instead of throwing. Default: true. */
  readonly throwExcept?: boolean
}

/** How a call stands, as plain data. */
export interface CallStatus {
  readonly callId: number
  readonly jobId: string
  readonly executorId: string
  readonly state: CallState
  readonly attempt: number
  readonly stats: CallStats
  readonly logs: string
  readonly error: unknown
}

/**
 * One call as users see it, without being a promise: what `for await` over futures hands out, because JavaScript awaits
 * a promise that an asynchronous iteration yields. A failed call that nobody reads is not an unhandled rejection.
 */
export class CallHandle<T> {
  readonly #call: Call
  readonly #owner: FutureOwner
  #promise: Promise<T> | undefined

  /** @internal Made by the executor. */
  constructor(call: Call, owner: FutureOwner) {
    this.#call = call
    this.#owner = owner
  }

  /** Position of the item in its job, from 0. */
  get callId(): number {
    return this.#call.id
  }

  get jobId(): string {
    return this.#call.job.id
  }

  get executorId(): string {
    return this.#call.job.executorId
  }

  /** Where the call is. */
  get state(): CallState {
    return this.#call.state
  }

  /** The call has ended, in whatever way. */
  get isDone(): boolean {
    return this.#call.isEnded
  }

  /** The call ended with a value. */
  get isSuccess(): boolean {
    return this.#call.state === 'success'
  }

  /** The call ended with an error of its own or of the infrastructure. */
  get isError(): boolean {
    return this.#call.state === 'error'
  }

  get isCancelled(): boolean {
    return this.#call.state === 'cancelled'
  }

  /** A worker has begun the call, and it has not ended. */
  get isRunning(): boolean {
    return this.#call.state === 'running'
  }

  /** The error it ended with; undefined while it has none. */
  get error(): unknown {
    return this.#call.error
  }

  /** When it was submitted, sent, begun and ended, and where it ran. */
  get stats(): CallStats {
    return statsOf(this.#call)
  }

  /** What the function wrote to its standard output and error so far, and the logger's lines. */
  get logs(): string {
    return this.#call.logParts?.join('') ?? ''
  }

  /** The value, or the error as a rejection. Reads are free after the first. */
  result(options: ResultOptions & { readonly throwExcept: false }): Promise<T | undefined>
  result(options?: ResultOptions): Promise<T>
  result(options: ResultOptions = {}): Promise<T | undefined> {
    const { timeoutMs, throwExcept } = options
    const settled: () => Promise<T | undefined> =
      throwExcept === false ? () => this.settled().catch(() => undefined) : () => this.settled()
    return timeoutMs === undefined ? settled() : waitFor([this.asHandle()], { timeoutMs }).then(settled)
  }

  /** Resolves when the call has ended, with how it stands; never rejects for the call's own error. */
  async status(options: { readonly timeoutMs?: number } = {}): Promise<CallStatus> {
    await waitFor([this.asHandle()], options)
    this.#owner.markRead(this.#call)
    const { callId, jobId, executorId, state, stats, logs, error } = this
    return { callId, jobId, executorId, state, attempt: this.#call.attempt, stats, logs, error }
  }

  /** Ends the call if it has not ended: it rejects with CallCancelledError, and a worker that runs it is stopped. */
  cancel(reason?: string): boolean {
    if (this.#call.isEnded) return false
    this.#owner.cancel(this.#call, reason ?? 'cancel() was called')
    return true
  }

  /** @internal The same call, not a promise. */
  asHandle(): CallHandle<T> {
    return new CallHandle<T>(this.#call, this.#owner)
  }

  /** @internal */
  get call(): Call {
    return this.#call
  }

  get [Symbol.toStringTag](): string {
    return 'CallHandle'
  }

  /** @internal The promise behind it; made when first asked for. */
  protected settled(): Promise<T> {
    if (this.#promise === undefined) {
      this.#promise = new Promise<T>((resolve, reject) => {
        this.#call.onEnd(call => {
          this.#owner.markRead(call)
          if (call.state !== 'success') reject(call.error)
          else if (call.hasValueHere) settleWithValue(call, resolve, reject)
          else resolve(this.#owner.fetchValue(call) as Promise<T>)
        })
      })
      this.#promise.catch(() => {})
    }
    return this.#promise
  }
}

/** Decoding may fail, for instance when the value holds an instance of a class that is not known here. */
function settleWithValue<T>(call: Call, resolve: (value: T) => void, reject: (error: unknown) => void): void {
  try {
    resolve(call.value as T)
  } catch (error) {
    reject(error)
  }
}
