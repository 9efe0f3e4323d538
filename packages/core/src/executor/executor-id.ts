import { CALL_OF_CODE, type RunningCall } from '../worker/call-context.ts'

/** Six hexadecimal digits. V8 takes the seed from the system; loading node:crypto for three bytes takes 7 ms. */
const SESSION_ID = Math.floor(Math.random() * 0x1000000)
  .toString(16)
  .padStart(6, '0')
/** Digits of a call's id, as Lithops (Python) writes it. */
const CALL_DIGITS = 5

let nextExecutor = 0

/**
 * Unique on this machine. Inside of a function it begins with the ids of executor, job and call that run the function, so
 * that whoever sees it knows the ancestors (`ancestorsOf`).
 */
export function newExecutorId(): string {
  const own = `${SESSION_ID}-${nextExecutor++}`
  const { [CALL_OF_CODE]: callOfCode } = globalThis as {
    [CALL_OF_CODE]?: () => Pick<RunningCall, 'executorId' | 'jobId' | 'callId'> | undefined
  }
  const call = callOfCode?.()
  if (call === undefined) return own
  return `${call.executorId}-${call.jobId}-${String(call.callId).padStart(CALL_DIGITS, '0')}-${own}`
}
