import type { Call } from '../job/call.ts'

/** Times are milliseconds since 1970; undefined where the call has not come so far. */
export interface CallStats {
  readonly submittedMs: number
  readonly invokedMs: number | undefined
  /** By the worker's clock, as is `endedMs`. */
  readonly startedMs: number | undefined
  readonly endedMs: number | undefined
  /** When the end was known here. */
  readonly receivedMs: number | undefined
  /** Run time of the function. */
  readonly durationMs: number | undefined
  /** Runs before the last one. */
  readonly retryCount: number
  /** Peak memory of the worker process so far, in MiB. */
  readonly peakMemoryMiB: number | undefined
  readonly workerId: string | undefined
  /** The worker was started for the activation of this call. */
  readonly coldStart: boolean | undefined
  /** Milliseconds that the worker took to start, when it was started for this activation. */
  readonly initMs: number | undefined
  /** What the platform knows the activation by; `fexec.logsOf(future)` finds its log with it. */
  readonly requestId: string | undefined
  /** Calls that shared the activation, this one included. */
  readonly activationCalls: number | undefined
}

export function statsOf(call: Call): CallStats {
  const known = (time: number) => (time === 0 ? undefined : time)
  const hasRun = call.endedMs !== 0
  return {
    submittedMs: call.submittedMs,
    invokedMs: known(call.invokedMs),
    startedMs: known(call.startedMs),
    endedMs: known(call.endedMs),
    receivedMs: known(call.receivedMs),
    durationMs: hasRun ? call.endedMs - call.startedMs : undefined,
    retryCount: call.attempt,
    peakMemoryMiB: call.peakMemoryKib === 0 ? undefined : call.peakMemoryKib / 1024,
    workerId: call.worker?.workerId,
    coldStart: call.worker?.coldStart,
    initMs: call.worker?.coldStart === true ? call.worker.initMs : undefined,
    requestId: call.requestId,
    activationCalls: known(call.activationCalls),
  }
}
