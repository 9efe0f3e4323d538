import { randomUUID } from 'node:crypto'
import type { BatchEnd } from '../../batch/run-to-end.ts'
import type { Container } from '../../knative/containers/containers.ts'

export type TaskState = 'pending' | 'running' | 'succeeded' | 'failed' | 'cancelled'

/** Why a task failed, as `lastAttemptResult` has it. */
export interface AttemptResult {
  readonly message: string
  readonly exitCode?: number
  readonly termSignal?: number
}

/** One run of a container to its end. */
export class Task {
  readonly index: number
  readonly uid = randomUUID()
  state: TaskState = 'pending'
  retried = 0
  startTime: string | undefined
  completionTime: string | undefined
  result: AttemptResult | undefined
  container: Container | undefined

  constructor(index: number) {
    this.index = index
  }

  get isOver(): boolean {
    return this.state !== 'pending' && this.state !== 'running'
  }

  end(state: 'succeeded' | 'failed' | 'cancelled', result?: AttemptResult): void {
    if (this.isOver) return
    this.state = state
    this.result = result
    this.completionTime = new Date().toISOString()
  }

  /** As the API has it. */
  read(execution: string): object {
    const { index, uid, state, startTime, completionTime, result, retried } = this
    const { message, ...ended } = result ?? { message: '' }
    return {
      name: `${execution}/tasks/${execution.replace(/^.*\//, '')}-task${index}`,
      uid,
      index,
      execution,
      maxRetries: 0,
      ...(retried === 0 ? {} : { retried }),
      ...(startTime === undefined ? {} : { startTime }),
      ...(completionTime === undefined ? {} : { completionTime }),
      conditions: [
        {
          type: 'Completed',
          state:
            state === 'succeeded'
              ? 'CONDITION_SUCCEEDED'
              : this.isOver
                ? 'CONDITION_FAILED'
                : 'CONDITION_RECONCILING',
          ...(message === '' ? {} : { message }),
          ...(state === 'cancelled' ? { executionReason: 'CANCELLED' } : {}),
        },
      ],
      ...(this.isOver && state !== 'cancelled'
        ? {
            lastAttemptResult: {
              status: message === '' ? {} : { code: UNKNOWN, message },
              ...ended,
            },
          }
        : {}),
    }
  }
}

/** Canonical code, by number. */
const UNKNOWN = 2

/** What the platform makes of the end of a container; undefined for one that ended well. Its words are the platform's. */
export function resultOf({ exitCode, signal, reason, isOverTime }: BatchEnd): AttemptResult | undefined {
  if (isOverTime) return { message: 'The configured timeout was reached.' }
  // the exit code of what was killed for memory is not told
  if (reason === 'OOMKilled') return { message: 'The configured memory limit was reached.', exitCode: 0 }
  if (signal !== undefined) return { message: 'The container exited with an error.', termSignal: signal }
  return exitCode === 0 ? undefined : { message: 'The container exited with an error.', exitCode }
}
