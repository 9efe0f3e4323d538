import { CallOutOfMemoryError, type LithopsError, pause, WorkerLostError } from '@lithops/core/driver'
import type { WorkerLogs } from './logs.ts'

/** The platform's log tells of the end of an instance some seconds after it. */
const TOLD_AFTER_MS = 3_000
const FIRST_LOOK_MS = 250
const MOST_LOOK_MS = 1_500
/** Clocks of the platform and of this machine differ a little. */
const CLOCK_SLACK_MS = 3_000
/** From: "Troubleshoot Cloud Run issues", "Memory limit exceeded", and "Container exit". */
const OUT_OF_MEMORY = /Memory limit of [\d.]+ \w+ exceeded with [\d.]+ \w+ used/
const EXITED = /(?:Container (?:called exit|terminated on signal)|Uncaught signal)[^\n]*/

export interface LostActivation {
  readonly serviceName: string
  readonly memoryMiB: number
  /** When the answer was cut, in milliseconds since 1970, by this machine's clock. */
  readonly lostMs: number
}

/**
 * Why the answer of a worker was cut, where the platform's log knows: an instance of the service ran out of memory or exited at
 * that time. Undefined where it does not say so in time, or may not be read: the way to the worker broke, as far as is known.
 * The log names instances, and answers do not: of several that break at the same moment each may be told the reason of another.
 */
export async function whyLost(
  logs: WorkerLogs,
  { serviceName, memoryMiB, lostMs }: LostActivation,
  signal: AbortSignal | undefined,
): Promise<LithopsError | undefined> {
  const endMs = performance.now() + TOLD_AFTER_MS
  try {
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(MOST_LOOK_MS, lookMs * 2)) {
      const lines = await logs.ofPlatform(serviceName, { fromMs: lostMs - CLOCK_SLACK_MS, signal })
      const memory = lines.map(line => OUT_OF_MEMORY.exec(line)?.[0]).find(said => said !== undefined)
      if (memory !== undefined)
        return new CallOutOfMemoryError(
          `The worker ran out of memory: ${memory}. Give it more with the option runtimeMemoryMiB.`,
          { details: { serviceName, memoryMiB }, isRetryable: true },
        )
      const exit = lines.map(line => EXITED.exec(line)?.[0]).find(said => said !== undefined)
      if (exit !== undefined)
        return new WorkerLostError(`The worker ended during the call: ${exit}`, { details: { serviceName } })
      if (performance.now() > endMs) return undefined
      await pause(lookMs, signal)
    }
  } catch {
    // the log may not be read, or does not answer: what is known already must do
    signal?.throwIfAborted()
    return undefined
  }
}
