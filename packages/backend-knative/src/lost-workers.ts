import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import { CallOutOfMemoryError, type LithopsError, pause, WorkerLostError } from '@lithops/core/driver'
import type { CallOptions, Cluster } from './cluster.ts'
import { SERVICE_LABEL, WORKER_CONTAINER } from './names.ts'

/** The kubelet tells of the end of a container about a second after it. */
const TOLD_AFTER_MS = 2_500
const LOOK_AGAIN_MS = 250
/** Clocks of nodes and of this machine differ a little. */
const CLOCK_SLACK_MS = 5_000
const LOG_LINES = 20

export interface LostActivation {
  readonly serviceName: string
  /** The pod that had told that it began; undefined where none had. */
  readonly podName: string | undefined
  /** Milliseconds since 1970, by this machine's clock. */
  readonly startedMs: number
  readonly memoryMiB: number
}

/**
 * Why the answer of a worker was cut, where the cluster knows: its container ran out of memory, exited, or its pod was
 * removed. Undefined where it does not say so in time, or may not be asked: the way to the worker broke, as far as is known.
 */
export async function whyLost(
  cluster: Cluster,
  lost: LostActivation,
  options: CallOptions,
): Promise<LithopsError | undefined> {
  const { podName } = lost
  if (podName === undefined) return undefined
  const endMs = performance.now() + TOLD_AFTER_MS
  try {
    for (;;) {
      const pods = await cluster.listPods(`${SERVICE_LABEL}=${lost.serviceName}`, options)
      const pod = pods.find(({ metadata }) => metadata?.name === podName)
      const found = pod === undefined ? podGone(podName) : await reasonIn(cluster, pod, lost, options)
      if (found !== undefined) return found
      if (performance.now() > endMs) return undefined
      await pause(LOOK_AGAIN_MS, options.signal)
    }
  } catch {
    // the cluster may not be asked, or does not answer: what is known already must do
    options.signal?.throwIfAborted()
    return undefined
  }
}

function podGone(podName: string): WorkerLostError {
  return new WorkerLostError(
    `The worker's pod ${podName} is gone: it was removed during the call, with its node or by the cluster.`,
    { details: { podName } },
  )
}

async function reasonIn(
  cluster: Cluster,
  pod: V1Pod,
  { podName = '', startedMs, memoryMiB }: LostActivation,
  options: CallOptions,
): Promise<LithopsError | undefined> {
  const container = pod.status?.containerStatuses?.find(({ name }) => name === WORKER_CONTAINER)
  const ended = container === undefined ? undefined : endOf(container, startedMs)
  if (ended === undefined) {
    const { reason, message } = pod.status ?? {}
    // evicted, or its node is gone: the pod says so itself
    if (pod.status?.phase !== 'Failed') return undefined
    return new WorkerLostError(
      `The worker's pod ${podName} ended during the call: ${reason ?? 'Failed'}${message === undefined ? '' : `, ${message}`}.`,
      { details: { podName, reason } },
    )
  }
  const { exitCode, signal, reason, isPrevious } = ended
  const details = { podName, exitCode, signal, reason }
  if (reason === 'OOMKilled') {
    return new CallOutOfMemoryError(
      `The worker ran out of memory: its container was killed at ${memoryMiB} MiB. Give it more with the option runtimeMemoryMiB.`,
      { details, isRetryable: true },
    )
  }
  const lines = await cluster
    .podLog(
      podName,
      { container: WORKER_CONTAINER, tailLines: LOG_LINES, ...(isPrevious ? { previous: true } : {}) },
      options,
    )
    .catch(() => '')
  const last = lines.trim() === '' ? '' : ` Its last lines:\n${lines.trimEnd()}`
  return new WorkerLostError(
    `The worker's container in ${podName} ended during the call, with exit code ${exitCode} (${reason ?? 'no reason'}).${last}`,
    { details },
  )
}

interface ContainerEnd {
  readonly exitCode: number
  readonly signal: number | undefined
  readonly reason: string | undefined
  /** It has been started again since. */
  readonly isPrevious: boolean
}

/** The end of a container that came after the activation began. */
function endOf({ state, lastState }: V1ContainerStatus, startedMs: number): ContainerEnd | undefined {
  for (const [ended, isPrevious] of [
    [state?.terminated, false],
    [lastState?.terminated, true],
  ] as const) {
    if (ended === undefined) continue
    const finishedMs = ended.finishedAt === undefined ? Number.NaN : new Date(ended.finishedAt).getTime()
    if (finishedMs < startedMs - CLOCK_SLACK_MS) continue
    return { exitCode: ended.exitCode, signal: ended.signal, reason: ended.reason, isPrevious }
  }
  return undefined
}
