import {
  CallError,
  CallOutOfMemoryError,
  CallTimeoutError,
  InvocationError,
  LithopsError,
  WorkerLostError,
} from '../errors/index.ts'
import type { Call } from '../job/call.ts'
import type { Lane } from './lane.ts'

/** Last log lines that the error of a broken worker shows. */
const LOG_LINES_IN_ERROR = 10

/** The error of a call whose input no activation of the backend can carry. */
export function tooLarge(call: Call, bytes: number, lane: Lane): InvocationError {
  return new InvocationError(
    `The input of call ${call.id} makes an activation of ${bytes} bytes, and ${lane.backend.name} takes ` +
      `${lane.backend.capabilities.maxPayloadBytes}. Name a storage in the config, so that large inputs travel through it.`,
    { isRetryable: false, code: 'LITHOPS_PAYLOAD_TOO_LARGE' },
  )
}

/** What a backend threw, as an error of ours. */
export function asLithopsError(error: unknown, lane: Lane): LithopsError {
  if (LithopsError.isInstance(error)) return error
  return new InvocationError(
    `${lane.backend.name}: ${error instanceof Error ? error.message : String(error)}`,
    {
      cause: error,
      isRetryable: false,
      mayHaveRun: true,
    },
  )
}

/** The error a user gets for a broken worker: which call, how often it was tried, and its last log lines. */
export function describeFault(call: Call, error: LithopsError): LithopsError {
  if (!CallError.isInstance(error)) return error
  const Class = CallTimeoutError.isInstance(error)
    ? CallTimeoutError
    : CallOutOfMemoryError.isInstance(error)
      ? CallOutOfMemoryError
      : WorkerLostError
  const tries = call.attempt === 0 ? '' : ` It was tried ${call.attempt + 1} times.`
  const where = `Call ${call.id} of job ${call.job.key}, function '${call.job.fn.name}': `
  const lines = (call.logParts?.join('') ?? '').trimEnd().split('\n').slice(-LOG_LINES_IN_ERROR).join('\n')
  const output = typeof error.details.output === 'string' ? tail(error.details.output) : ''
  const log = [lines, output].filter(text => text !== '').join('\n')
  return new Class(`${where}${error.message}${tries}${log === '' ? '' : `\nLast log lines:\n${log}`}`, {
    code: error.code,
    details: error.details,
    executorId: call.job.executorId,
    jobId: call.job.id,
    callId: call.id,
    cause: error.cause,
  })
}

function tail(output: string): string {
  return output.trimEnd().split('\n').slice(-LOG_LINES_IN_ERROR).join('\n')
}
