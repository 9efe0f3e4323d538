import { WorkerConnections, WorkerFinder, type WorkerReport } from '@lithops/container-runtime'
import { CallTimeoutError, InvocationError, pause, type RuntimeMetadata } from '@lithops/core/driver'
import { isWithoutRoute, platformRefusal, RefusalCode, ROUTE_RETRY_MS } from './answers.ts'
import type { Cluster } from './cluster.ts'
import type { Route } from './ingress.ts'
import { whyLost } from './lost-workers.ts'
import { podOfWorker } from './names.ts'

/** A gateway takes its time to learn of a new route. */
const ROUTE_MS = 60_000
/** Knative holds a request back for so long while workers start, at most; the queue before each worker does it too. */
const START_GRACE_MS = 30_000
/** The answer of a worker may be cut so much before its time limit is said to be up. */
const TIMEOUT_SLACK_MS = 1_500
/** No more than this part of it. */
const TIMEOUT_SLACK = 0.1

export interface Invocation {
  readonly serviceName: string
  readonly route: Route
  readonly payload: Uint8Array
  /** Time limit of a request in milliseconds, as the service has it. */
  readonly timeoutMs: number
  readonly memoryMiB: number
  /** Results come another way: the calls go on when the connection breaks. */
  readonly goesOnAlone: boolean
  readonly signal?: AbortSignal | undefined
  readonly onReply: (frames: Uint8Array) => void
}

export interface Invoked extends WorkerReport {
  /** The pod that ran it; undefined where it did not say. */
  readonly podName: string | undefined
  /** When it was sent, in milliseconds since 1970. */
  readonly startedMs: number
}

/** Requests to services: connections for each way and host, kept for all activations. */
export class Invocations {
  readonly #cluster: Cluster
  readonly #mostConnections: number
  readonly #connections = new Map<string, WorkerConnections>()
  #isClosed = false

  constructor(cluster: Cluster, mostConnections: number) {
    this.#cluster = cluster
    this.#mostConnections = mostConnections
  }

  /** Runs one activation; rejects with what core knows, see `ComputeBackend.invoke`. */
  async run(invocation: Invocation): Promise<Invoked> {
    const { route, serviceName, timeoutMs, signal, onReply } = invocation
    const finder = new WorkerFinder()
    const startedMs = Date.now()
    try {
      const report = await this.#to(route).run({
        payload: invocation.payload,
        signal,
        goesOnAlone: invocation.goesOnAlone,
        startTimeoutMs: timeoutMs + START_GRACE_MS,
        explain: refusal => platformRefusal(refusal, serviceName),
        onReply: frames => {
          finder.look(frames)
          onReply(frames)
        },
      })
      return { ...report, podName: podOfWorker(finder.workerId), startedMs }
    } catch (error) {
      signal?.throwIfAborted()
      throw await this.#explained(error, invocation, { finder, startedMs })
    }
  }

  /** What a service's worker says of itself. Waits while the gateway does not know of the service. */
  async metadata(
    serviceName: string,
    route: Route,
    signal: AbortSignal | undefined,
  ): Promise<RuntimeMetadata> {
    const endMs = performance.now() + ROUTE_MS
    for (;;) {
      try {
        return await this.#to(route).metadata({
          startTimeoutMs: ROUTE_MS,
          signal,
          explain: refusal => platformRefusal(refusal, serviceName),
        })
      } catch (error) {
        signal?.throwIfAborted()
        const mayPass = InvocationError.isInstance(error) && error.isRetryable
        if (!mayPass || performance.now() > endMs) throw error
        await pause(ROUTE_RETRY_MS, signal)
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#connections.values()].map(one => one.close()))
  }

  #to({ origin, host }: Route): WorkerConnections {
    const key = `${origin} ${host}`
    let connections = this.#connections.get(key)
    if (connections === undefined) {
      connections = new WorkerConnections({ origin, host, mostConnections: this.#mostConnections })
      this.#connections.set(key, connections)
    }
    return connections
  }

  /** An answer that was cut says nothing of why: the clock and the cluster may. */
  async #explained(
    error: unknown,
    { serviceName, timeoutMs, memoryMiB, signal }: Invocation,
    { finder, startedMs }: { readonly finder: WorkerFinder; readonly startedMs: number },
  ): Promise<unknown> {
    if (this.#isClosed || !InvocationError.isInstance(error) || !error.mayHaveRun) return error
    const tookMs = Date.now() - startedMs
    const hasBegun = finder.workerId !== undefined
    if (hasBegun && tookMs >= timeoutMs - Math.min(TIMEOUT_SLACK_MS, timeoutMs * TIMEOUT_SLACK)) {
      return new CallTimeoutError(
        `The activation did not end within the time limit of its service, ${timeoutMs / 1000} s. Raise knative.runtime_timeout.`,
        { details: { serviceName }, cause: error },
      )
    }
    if (error.details.errorCode === RefusalCode.timeout || isWithoutRoute(error)) return error
    const podName = podOfWorker(finder.workerId)
    return (await whyLost(this.#cluster, { serviceName, podName, startedMs, memoryMiB }, { signal })) ?? error
  }
}
