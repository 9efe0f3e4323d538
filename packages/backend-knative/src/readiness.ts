import type { V1Pod } from '@kubernetes/client-node'
import { pause, RuntimeDeployError } from '@lithops/core/driver'
import type { CallOptions, Cluster } from './cluster.ts'
import { SERVICE_LABEL, WORKER_CONTAINER } from './names.ts'
import { type Condition, type KnativeService, readyOf } from './objects.ts'
import { hasStatus, quotaIn } from './vendor-errors.ts'

/** Knative itself gives up after `progress-deadline` of the ConfigMap config-deployment, 600 s. */
const READY_MS = 660_000
const FIRST_LOOK_MS = 150
const MOST_LOOK_MS = 2_000
/** A service is said to fail for a moment while its parts do not know of each other yet. */
const FAILED_FOR_MS = 3_000
/** The kubelet tries again by itself what went wrong once: it is told when it was seen so often, one look after the other. */
const REFUSALS = 2
/** The kubelet asks a registry again after ten seconds, which helps where it was busy or out of reach for a moment. */
const PULLS_FOR_MS = 13_000
/** What registries say when asking again does not help. */
const LASTING_PULL = /not found|manifest unknown|unauthorized|denied|forbidden|40[134]\b|invalid/i
/** Of a container that ended, in messages. */
const LOG_LINES = 8

/** States of a container that do not pass, unless somebody does something. */
const STUCK =
  /^(ImagePullBackOff|InvalidImageName|ErrImageNeverPull|CreateContainerConfigError|CreateContainerError|RunContainerError|CrashLoopBackOff)$/

interface Trouble {
  readonly reason: string
  readonly message: string
}

/**
 * Waits until a service is ready for what was asked last: its `observedGeneration` equals its `generation`.
 *
 * @throws RuntimeDeployError with the reason and message of the platform when it cannot become so, as soon as that is known
 */
export async function waitUntilReady(
  cluster: Cluster,
  service: KnativeService,
  { signal }: CallOptions,
): Promise<KnativeService> {
  const { name } = service.metadata
  const endMs = performance.now() + READY_MS
  const pods = new PodTroubles(cluster, name)
  let failedSinceMs: number | undefined
  let now = service
  for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(MOST_LOOK_MS, lookMs * 1.3)) {
    const ready = readyOf(now)
    if (ready?.status === 'True' && now.status?.url !== undefined) return now
    failedSinceMs = ready?.status === 'False' ? (failedSinceMs ?? performance.now()) : undefined
    const hasFailed = failedSinceMs !== undefined && performance.now() - failedSinceMs >= FAILED_FOR_MS
    if (hasFailed) throw notReady(now, (await pods.look(signal)) ?? troubleOf(ready))
    const trouble = await pods.look(signal)
    if (trouble !== undefined) throw notReady(now, trouble)
    if (performance.now() > endMs) throw notReady(now, troubleOf(ready))
    await pause(lookMs, signal)
    const found = await cluster.findService(name, { signal })
    if (found === undefined)
      throw new RuntimeDeployError(`The service ${name} was removed while it was being deployed.`, {
        isRetryable: true,
        details: { serviceName: name },
      })
    now = found
  }
}

function troubleOf(condition: Condition | undefined): Trouble {
  return {
    reason: condition?.reason ?? 'no reason',
    message: condition?.message ?? 'the cluster says nothing; is the controller of Knative running?',
  }
}

function notReady(service: KnativeService, { reason, message }: Trouble): RuntimeDeployError {
  const { name } = service.metadata
  const conditions = (service.status?.conditions ?? [])
    .filter(({ status }) => status !== 'True')
    .map(({ type, status, reason: why }) => `${type} ${status}${why === undefined ? '' : ` (${why})`}`)
  return new RuntimeDeployError(
    `The service ${name} did not become ready: ${reason}: ${message.replace(/\.$/, '')}.${adviceFor(reason, message)}`,
    {
      details: {
        serviceName: name,
        revision: service.status?.latestCreatedRevisionName,
        reason,
        conditions,
        ...quotaIn(message),
      },
    },
  )
}

function adviceFor(reason: string, message: string): string {
  const quota = quotaIn(message)
  if (quota !== undefined)
    return ` The ResourceQuota '${quota.quota}' of the namespace is used up: raise it, or ask for less with knative.runtime_memory, runtime_cpu or min_workers.`
  if (/Pull|InvalidImageName/.test(reason) || /unable to fetch image|pull/i.test(message)) {
    return /unauthorized|denied|401|403|authoriz/i.test(message)
      ? ' The cluster may not pull the image: give knative.docker_user and docker_password, or let it pull by itself.'
      : ' The cluster cannot pull the image: can it reach the registry (knative.docker_server), and is the image there?'
  }
  if (reason === 'Unschedulable')
    return ' No node has room: ask for less with knative.runtime_memory and runtime_cpu, or add nodes.'
  if (/exec format error/i.test(message)) return ' The nodes have other processors: set knative.architecture.'
  return ''
}

/** What keeps the pods of a service from running: the platform says it of them long before it says it of the service. */
class PodTroubles {
  readonly #cluster: Cluster
  readonly #service: string
  #refusals = 0
  #stuckSinceMs = 0
  #isForbidden = false

  constructor(cluster: Cluster, service: string) {
    this.#cluster = cluster
    this.#service = service
  }

  async look(signal: AbortSignal | undefined): Promise<Trouble | undefined> {
    if (this.#isForbidden) return undefined
    let pods: readonly V1Pod[]
    try {
      pods = await this.#cluster.listPods(`${SERVICE_LABEL}=${this.#service}`, { signal })
    } catch (error) {
      // without the right to look at pods, the service itself tells in the end
      if (!hasStatus(error, 403)) throw error
      this.#isForbidden = true
      return undefined
    }
    const isRunning = pods.some(({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    )
    const stuck = isRunning ? undefined : pods.map(stuckContainer).find(trouble => trouble !== undefined)
    this.#refusals = stuck === undefined ? 0 : this.#refusals + 1
    if (stuck === undefined || this.#refusals < REFUSALS) {
      if (this.#refusals === 1) this.#stuckSinceMs = performance.now()
      return undefined
    }
    const isPassing = stuck.reason === 'ImagePullBackOff' && !LASTING_PULL.test(stuck.message)
    if (isPassing && performance.now() - this.#stuckSinceMs < PULLS_FOR_MS) return undefined
    return this.#withLog(stuck, signal)
  }

  /** What a container that has run wrote last says more than its exit code. */
  async #withLog({ pod, ...trouble }: StuckPod, signal: AbortSignal | undefined): Promise<Trouble> {
    if (trouble.reason !== 'CrashLoopBackOff') return trouble
    const query = { container: WORKER_CONTAINER, previous: true, tailLines: LOG_LINES }
    const log = await this.#cluster.podLog(pod, query, { signal }).catch(() => '')
    signal?.throwIfAborted()
    return log.trim() === ''
      ? trouble
      : { ...trouble, message: `${trouble.message}; it wrote: ${log.trim()}` }
  }
}

interface StuckPod extends Trouble {
  readonly pod: string
}

function stuckContainer({ status, metadata }: V1Pod): StuckPod | undefined {
  if (metadata?.deletionTimestamp !== undefined) return undefined
  for (const { state, lastState } of status?.containerStatuses ?? []) {
    const { reason = '', message = '' } = state?.waiting ?? {}
    if (!STUCK.test(reason)) continue
    const end = lastState?.terminated
    const how =
      end === undefined
        ? ''
        : `; it ended before with exit code ${end.exitCode}, ${end.message ?? end.reason ?? 'no reason'}`
    return { reason, message: `${message || 'no message'}${how}`, pod: metadata?.name ?? '' }
  }
  return undefined
}
