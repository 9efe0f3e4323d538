import {
  CallOutOfMemoryError,
  CallTimeoutError,
  InvocationError,
  type LithopsError,
  WorkerLostError,
} from '@lithops/core/driver'
import type { IndexDetails } from './resources.ts'

/**
 * Why an index failed, in the platform's words. From: "Understanding why job run indexes can fail",
 * https://cloud.ibm.com/docs/codeengine?topic=codeengine-troubleshoot-job, and "last_failure_reason" of job runs in the API reference,
 * which says that there are others. `Evicted` is the word of Kubernetes, which runs the instances.
 */
const Reason = {
  outOfMemory: 'OOMKilled',
  outOfStorage: 'ExceededEphemeralStorage',
  noProgram: 'ExecutableNotFound',
  evicted: 'Evicted',
} as const
const OVER_TIME = /MaxExecutionTime|deadline|time ?limit|timed? ?out/i
const EXITED = /^ContainerExitedCode(\d+)$/
/** 128 and the number of the signal, as containers tell it. */
const EXIT_BY_SIGNAL = { abort: 134, kill: 137, alarm: 142, terminate: 143 } as const
/** What the worker of batches ends with. From: "As a batch" of docs/protocol.md. */
const EXIT_UNTOLD = 1
const EXIT_BY_FUNCTION = 70
/** An instance that was ended so short of its time limit, or later, was ended for it. */
const TIMEOUT_SLACK_MS = 2_000

export interface EndedIndex {
  readonly runName: string
  readonly index: number
  readonly memoryMiB: number
  readonly timeoutMs: number
  readonly details: IndexDetails | undefined
  /** Of the run as a whole, where there is one. */
  readonly reason?: string | undefined
}

/** Milliseconds that an instance ran, where the platform tells; it counts seconds. */
export function ranMsOf({
  started_at: started,
  finished_at: finished,
}: IndexDetails = {}): number | undefined {
  const ms = Date.parse(finished ?? '') - Date.parse(started ?? '')
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined
}

/** The exit code in a reason; undefined for another reason. */
export function exitCodeIn(reason: string | undefined): number | undefined {
  const found = EXITED.exec(reason ?? '')
  return found === null ? undefined : Number(found[1])
}

/** Whether a reason is about the image, which says nothing of the calls. */
export function isPullFailure(reason: string | undefined): boolean {
  return /pull|InvalidImageName|manifest|image/i.test(reason ?? '')
}

/** Why an index of a run failed, as core knows it. */
export function errorOfIndex(ended: EndedIndex): LithopsError {
  const { runName, index, memoryMiB, timeoutMs, details: told } = ended
  const reason = told?.last_failure_reason ?? ended.reason
  const exitCode = exitCodeIn(reason)
  const ranMs = ranMsOf(told)
  const where = `Instance ${index} of the job run ${runName}`
  const details = {
    runName,
    index,
    reason,
    exitCode,
    memoryMiB,
    ...(ranMs === undefined ? {} : { billedMs: ranMs }),
    requestId: requestIdOf(runName, index),
  }
  const more = 'Give it more with the option runtimeMemoryMiB, or code_engine.runtime_memory'
  if (reason === Reason.outOfMemory)
    return new CallOutOfMemoryError(
      `${where} ran out of memory: it was killed (OOMKilled) at ${memoryMiB} MB. ${more}.`,
      { details, isRetryable: true },
    )
  if (exitCode === EXIT_BY_SIGNAL.abort)
    return new CallOutOfMemoryError(
      `${where} ran out of memory: it was ended (exit code ${exitCode}) as Node is when its heap is full, or a process of it is killed at the limit, ${memoryMiB} MB. ${more}.`,
      { details, isRetryable: true },
    )
  if (exitCode === EXIT_BY_SIGNAL.alarm)
    return new CallTimeoutError(`${where} was ended: its call did not stop at its timeout.`, { details })
  const isOverTime =
    OVER_TIME.test(reason ?? '') ||
    (ranMs !== undefined &&
      ranMs >= timeoutMs - TIMEOUT_SLACK_MS &&
      (exitCode === undefined || exitCode === EXIT_BY_SIGNAL.kill || exitCode === EXIT_BY_SIGNAL.terminate))
  if (isOverTime)
    return new CallTimeoutError(
      `${where} did not end within its time limit, ${timeoutMs / 1000} s. Raise code_engine.runtime_timeout.`,
      { details },
    )
  if (reason === Reason.noProgram)
    return new InvocationError(
      `${where} did not start: there is no node on the PATH of its image (ExecutableNotFound). \`lithops runtime build\` needs an image that has it.`,
      { details, isRetryable: false },
    )
  if (isPullFailure(reason))
    return new InvocationError(
      `${where} did not start: ${reason}. The image cannot be pulled: is it still in the registry (code_engine.docker_server), and may the project pull it (docker_user, docker_password)?`,
      { details },
    )
  return new WorkerLostError(`${where} was lost: ${howLost(reason, exitCode, memoryMiB)}.`, { details })
}

function howLost(reason: string | undefined, exitCode: number | undefined, memoryMiB: number): string {
  if (reason === Reason.outOfStorage)
    return `its files took more than its ephemeral storage (${reason}), which grows with code_engine.runtime_memory, ${memoryMiB} MB now`
  if (reason === Reason.evicted)
    return `it was evicted from its machine by the platform (${reason}), with ${memoryMiB} MB of memory configured`
  switch (exitCode) {
    case undefined:
      return reason ?? 'the platform gives no reason'
    case EXIT_UNTOLD:
      return 'it could not read its part of the batch, or not tell what its calls came to (exit code 1); its log says why'
    case EXIT_BY_FUNCTION:
      return 'the function ended its process'
    case EXIT_BY_SIGNAL.kill:
      return `it was killed (exit code 137), with ${memoryMiB} MB of memory configured; the platform does not say that these were used up`
    default:
      return `it ended with exit code ${exitCode}`
  }
}

/** What an activation is known by on the platform: where it ran. */
export function requestIdOf(runName: string, index: number): string {
  return `${runName}/${index}`
}
