import {
  CallOutOfMemoryError,
  CallTimeoutError,
  InvocationError,
  type LithopsError,
  WorkerLostError,
} from '@lithops/core/driver'
import type { SeenTask } from './execution-api.ts'
import { LEAST_TASK_MS } from './limits.ts'

/** Of shells and containers: what a signal has ended. */
const SIGNAL_BASE = 128
const SIGNAL = { abort: 6, kill: 9, alarm: 14, terminate: 15 } as const
/** What the worker of batches ends with. From: "As a batch" of docs/protocol.md. */
const EXIT_UNTOLD = 1
const EXIT_BY_FUNCTION = 70
/** A task that was ended so short of its time limit, or later, was ended for it. */
const TIMEOUT_SLACK_MS = 1_000
/** A task is billed in steps of so many milliseconds. From: "Cloud Run pricing". */
const BILLED_STEP_MS = 100

export interface EndedTask {
  readonly execution: string
  readonly index: number
  readonly memoryMiB: number
  readonly timeoutMs: number
  /** Undefined where the platform has none of that index. */
  readonly task: SeenTask | undefined
  /** Of the execution as a whole; empty where it says nothing. */
  readonly said: string
}

/** Whether what the platform says is about the image, which says nothing of the calls. */
export function isPullFailure(message: string): boolean {
  return /image .*(not found|cannot be pulled|permission|denied|unauthorized)|failed to pull/i.test(message)
}

/** Milliseconds that are billed for a task, where the platform tells when it ran. */
export function billedMsOf(task: SeenTask | undefined): number | undefined {
  const { startedMs, endedMs } = task ?? {}
  if (startedMs === undefined || endedMs === undefined) return undefined
  return Math.max(LEAST_TASK_MS, Math.ceil((endedMs - startedMs) / BILLED_STEP_MS) * BILLED_STEP_MS)
}

/** What an activation is known by on the platform: where it ran. */
export function taskIdOf(execution: string, index: number): string {
  return `${execution}/${index}`
}

/** Why a task failed, as core knows it. */
export function errorOfTask({ execution, index, memoryMiB, timeoutMs, task, said }: EndedTask): LithopsError {
  const hasBegun = task?.startedMs !== undefined
  const message = (hasBegun ? task.message || said : said || task?.message) ?? ''
  const { exitCode } = task ?? {}
  const signal =
    task?.termSignal ??
    (exitCode !== undefined && exitCode > SIGNAL_BASE ? exitCode - SIGNAL_BASE : undefined)
  const where = `Task ${index} of the execution ${execution}`
  const billedMs = billedMsOf(task)
  const details = {
    execution,
    index,
    reason: message,
    exitCode,
    ...(signal === undefined ? {} : { exitSignal: signal }),
    ...(billedMs === undefined ? {} : { billedMs }),
    requestId: taskIdOf(execution, index),
  }
  if (/memory limit/i.test(message))
    return new CallOutOfMemoryError(
      `${where} ran out of memory: it was killed at ${memoryMiB} MiB. Give it more with the option runtimeMemoryMiB.`,
      { details, isRetryable: true },
    )
  if (signal === SIGNAL.abort)
    return new CallOutOfMemoryError(
      `${where} was ended by SIGABRT, as Node is when its heap is full. Give it more memory with the option runtimeMemoryMiB.`,
      { details, isRetryable: true },
    )
  if (signal === SIGNAL.alarm)
    return new CallTimeoutError(`${where} was ended: its call did not stop at its timeout.`, { details })
  if (/time ?out|time limit/i.test(message) || isOverTime(task, timeoutMs, signal))
    return new CallTimeoutError(
      `${where} did not end within its time limit, ${timeoutMs / 1000} s. Raise gcp_cloudrun.runtime_timeout.`,
      { details },
    )
  if (!hasBegun && isPullFailure(message))
    return new InvocationError(
      `${where} did not start: ${message} The image cannot be pulled: is it still in the registry (gcp_cloudrun.docker_server), and may Cloud Run's service agent read it?`,
      { details },
    )
  if (!hasBegun && /secret/i.test(message))
    return new InvocationError(`${where} did not start: ${message}`, { details })
  return new WorkerLostError(`${where} was lost: ${howLost(message, exitCode, signal)}.`, { details })
}

function isOverTime(task: SeenTask | undefined, timeoutMs: number, signal: number | undefined): boolean {
  const { startedMs, endedMs, exitCode = 0 } = task ?? {}
  if (startedMs === undefined || endedMs === undefined) return false
  const isEnded =
    signal === undefined ? exitCode === 0 : signal === SIGNAL.kill || signal === SIGNAL.terminate
  return isEnded && endedMs - startedMs >= timeoutMs - TIMEOUT_SLACK_MS
}

function howLost(message: string, exitCode: number | undefined, signal: number | undefined): string {
  if (signal !== undefined)
    return signal === SIGNAL.kill ? 'it was killed (signal 9)' : `it was ended by signal ${signal}`
  switch (exitCode) {
    case EXIT_UNTOLD:
      return 'it could not read its part of the batch, or not tell what its calls came to (exit code 1); its log says why'
    case EXIT_BY_FUNCTION:
      return 'the function ended its process'
    case undefined:
    case 0:
      return message === '' ? 'the platform gives no reason' : message.replace(/\.$/, '')
    default:
      return `it ended with exit code ${exitCode}`
  }
}
