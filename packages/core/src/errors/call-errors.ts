import { LithopsError, type LithopsErrorOptions } from './lithops-error.ts'

export interface CallErrorOptions extends LithopsErrorOptions {
  readonly executorId?: string
  readonly jobId?: string
  readonly callId?: number
  /** Name of the remote error's class, e.g. 'TypeError'. */
  readonly remoteName?: string
}

/**
 * A call ran and failed, and the error it failed with could not arrive as its own class, or the worker broke.
 * A user error whose class is a built-in or travelled with the function arrives as itself, not as a CallError.
 */
export class CallError extends LithopsError {
  readonly executorId: string | undefined
  readonly jobId: string | undefined
  readonly callId: number | undefined
  readonly remoteName: string | undefined

  constructor(message: string, options: CallErrorOptions = {}) {
    super(message, { code: 'LITHOPS_CALL', ...options })
    this.executorId = options.executorId
    this.jobId = options.jobId
    this.callId = options.callId
    this.remoteName = options.remoteName
  }
}

/** The call was still running when its `timeout` ended. */
export class CallTimeoutError extends CallError {
  constructor(message: string, options: CallErrorOptions = {}) {
    super(message, { code: 'LITHOPS_CALL_TIMEOUT', ...options })
  }
}

/** The worker ran out of memory during the call. The message has its peak memory and its last log lines. */
export class CallOutOfMemoryError extends CallError {
  constructor(message: string, options: CallErrorOptions = {}) {
    super(message, { code: 'LITHOPS_CALL_OUT_OF_MEMORY', ...options })
  }
}

/** The call was cancelled by `cancel()`, an aborted signal, or the executor's `close()`. */
export class CallCancelledError extends CallError {
  constructor(message: string, options: CallErrorOptions = {}) {
    super(message, { code: 'LITHOPS_CALL_CANCELLED', ...options })
  }
}

/** The worker exited or crashed during the call. The message has how, its peak memory and its last log lines. */
export class WorkerLostError extends CallError {
  constructor(message: string, options: CallErrorOptions = {}) {
    super(message, { code: 'LITHOPS_WORKER_LOST', isRetryable: true, ...options })
  }
}

/** `wait` or `getResult` was given a timeout, and it ended first. The calls go on. */
export class WaitTimeoutError extends LithopsError {
  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, { code: 'LITHOPS_WAIT_TIMEOUT', isRetryable: true, ...options })
  }
}
