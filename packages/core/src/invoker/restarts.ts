import { CallError, CallTimeoutError, InvocationError, type LithopsError } from '../errors/index.ts'
import type { Call } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import { Outcome } from '../worker/protocol.ts'
import type { EndedFrame } from '../worker/reply-frames.ts'
import { type ActivationInFlight, errorOf } from './activation-in-flight.ts'
import { asLithopsError, describeFault } from './call-faults.ts'
import type { Lane } from './lane.ts'
import { mayRunAgain, retryDelayMs } from './retry-policy.ts'

/** What follows a failure: a call runs again within its budgets, or ends with an error. */
export class Restarts {
  readonly #pump: () => void

  /** `pump`: called when calls are to be sent at another time than that of the failure. */
  constructor(pump: () => void) {
    this.#pump = pump
  }

  /** A call ended with an error of the function, or at its timeout in the worker. */
  failed(call: Call, frame: EndedFrame): void {
    const { retries } = call.job.options
    if (frame.outcome === Outcome.timeout) {
      const error = errorOf(call, frame)
      const message = error instanceof Error ? error.message : String(error)
      this.#fault(
        call,
        new CallTimeoutError(message, { details: { peakMemoryMiB: Math.round(call.peakMemoryKib / 1024) } }),
      )
    } else if (retries.user > call.userFailures) {
      call.userFailures++
      this.again(call)
    } else {
      call.failRemotely(frame)
    }
  }

  /** The activation ended without the end of all its calls. */
  lost(activation: ActivationInFlight, lane: Lane, cause: unknown): void {
    const open = activation.openCalls
    if (open.length === 0) return
    const error =
      activation.failure ??
      cause ??
      new InvocationError(
        `${lane.backend.name} ended the activation without the results of ${open.length} of its calls.`,
        {
          mayHaveRun: true,
        },
      )
    if (activation.failure === undefined && activation.cancellation.isRequested) {
      this.sendAgain(activation.job, open)
      return
    }
    const isWorkerFault = CallError.isInstance(error)
    if (isWorkerFault && open.length > 1) {
      // Which of them broke the worker is not known: each is run by itself, and nobody is charged.
      for (const call of open) {
        call.mustBeAlone = true
        call.attempt++
      }
      this.sendAgain(activation.job, open)
      return
    }
    this.faults(open, asLithopsError(error, lane))
  }

  /** An infrastructure fault or a timeout of each: runs them again within their budgets, or ends them. */
  faults(calls: readonly Call[], error: LithopsError): void {
    for (const call of calls) this.#fault(call, error)
  }

  #fault(call: Call, error: LithopsError): void {
    if (call.isEnded) return
    if (!mayRunAgain(call, error, call.job.options.retries)) {
      call.fail(describeFault(call, error))
    } else if (InvocationError.isInstance(error)) {
      setTimeout(
        () => {
          this.again(call)
          this.#pump()
        },
        retryDelayMs(call, error),
      )
    } else {
      this.again(call)
    }
  }

  /** Runs a call once more, which is another attempt. */
  again(call: Call): void {
    if (call.isEnded) return
    call.attempt++
    this.sendAgain(call.job, [call])
  }

  /** Sends calls that have not run. */
  sendAgain(job: Job, calls: readonly Call[]): void {
    job.enqueueFirst(calls.filter(call => !call.isEnded))
  }
}
