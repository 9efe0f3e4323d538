import { RESPONSE_LIMIT_BYTES } from './runtime-api.ts'
import type { ProcessEnd } from './worker-process.ts'

/** What came of an invocation: the function's reply, or an error that Lambda reports in its place. */
export interface Outcome {
  readonly body: Buffer
  /** Undefined for a reply. */
  readonly errorType?: string
  /** As the REPORT line tells it. */
  readonly status?: 'error' | 'timeout'
}

export function timedOut(requestId: string, timeoutS: number): Outcome {
  const errorType = 'Sandbox.Timedout'
  const message = `RequestId: ${requestId} Error: Task timed out after ${timeoutS.toFixed(2)} seconds`
  return { ...functionError(errorType, message), status: 'timeout' }
}

export function exited(requestId: string, end: ProcessEnd, errorType = 'Runtime.ExitError'): Outcome {
  return functionError(errorType, `RequestId: ${requestId} Error: ${exitReason(end)}`)
}

export function responseTooLarge(): Outcome {
  return functionError(
    'Function.ResponseSizeTooLarge',
    `Response payload size exceeded maximum allowed payload size (${RESPONSE_LIMIT_BYTES} bytes).`,
  )
}

function functionError(errorType: string, errorMessage: string): Outcome {
  return { body: Buffer.from(JSON.stringify({ errorType, errorMessage })), errorType, status: 'error' }
}

/** In the words of Go, which Lambda's own side is written in. */
const SIGNALS: Partial<Record<NodeJS.Signals, string>> = {
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGHUP: 'hangup',
  SIGILL: 'illegal instruction',
  SIGINT: 'interrupt',
  SIGKILL: 'killed',
  SIGSEGV: 'segmentation fault',
  SIGTERM: 'terminated',
  SIGTRAP: 'trace/breakpoint trap',
}

function exitReason({ code, signal }: ProcessEnd): string {
  if (signal !== null) return `Runtime exited with error: signal: ${SIGNALS[signal] ?? signal}`
  if (code === 0) return 'Runtime exited without providing a reason'
  return `Runtime exited with error: exit status ${code}`
}
