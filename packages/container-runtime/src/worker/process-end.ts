import { TIMEOUT_MARK } from '@lithops/core/worker/constants'
import type { ActivationError } from '../http-protocol.ts'

/** How a process that ran functions has ended. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly startError: Error | undefined
  /** The last of its standard error. */
  readonly output: string
  /** The system has killed a process of this container for want of memory meanwhile. */
  readonly wasKilledForMemory: boolean
}

const HEAP_LIMIT = /heap out of memory|Reached heap limit/
const MORE_MEMORY = 'Give workers more memory with the option runtimeMemoryMiB.'

/** Why the activations of a process that has ended did not end in order. */
export function endOfProcess(end: ProcessEnd): (activation: number) => ActivationError {
  const { code, signal, startError, output, wasKilledForMemory } = end
  const details = { exitCode: code, exitSignal: signal, output: output.trim() }
  const mark = output.lastIndexOf(TIMEOUT_MARK)
  if (mark >= 0 && signal !== null) {
    const line = output.slice(mark).split('\n', 1)[0] as string
    const [, said, late] = /^(.*?)(?: \(activation (\d+)\))?$/.exec(line) ?? []
    return activation =>
      late === undefined || Number(late) === activation
        ? { kind: 'timeout', message: `${said}.`, mayHaveRun: true, details }
        : {
            kind: 'lost',
            message:
              'The worker process was ended because a call beside this one kept it busy, beyond a timeout.',
            mayHaveRun: true,
            details,
          }
  }
  if (HEAP_LIMIT.test(output) || (signal === 'SIGKILL' && wasKilledForMemory)) {
    const what =
      signal === 'SIGKILL' ? "reached the container's memory limit" : "reached the limit of Node's heap"
    return () => ({
      kind: 'memory',
      message: `The worker ran out of memory: its process ${what}. ${MORE_MEMORY}`,
      mayHaveRun: true,
      details,
    })
  }
  const how =
    startError !== undefined
      ? `could not be started: ${startError.message}`
      : signal !== null
        ? `was ended by ${signal}`
        : `ended with exit code ${code}`
  return () => ({
    kind: 'lost',
    message: `The worker process ${how} during the call.`,
    mayHaveRun: startError === undefined,
    details,
  })
}
