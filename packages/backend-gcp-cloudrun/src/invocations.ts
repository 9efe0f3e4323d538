import { WorkerConnections, WorkerFinder, type WorkerReport } from '@lithops/container-runtime'
import { CallTimeoutError, InvocationError, pause, type RuntimeMetadata } from '@lithops/core/driver'
import { isBadToken, isWithoutService, platformRefusal, RefusalCode } from './answers.ts'
import type { GoogleAccount } from './google-account.ts'
import type { WorkerLogs } from './logs.ts'
import { whyLost } from './lost-workers.ts'

/** The front end takes its time to learn of a new service. */
const ROUTE_MS = 60_000
const ROUTE_RETRY_MS = 500
/** What a request may take beyond its time limit until its answer begins or is refused: the platform itself answers then. */
const START_GRACE_MS = 30_000
/** The answer of a worker may be cut so much before its time limit is said to be up. */
const TIMEOUT_SLACK_MS = 1_500
/** No more than this part of it. */
const TIMEOUT_SLACK = 0.1

export interface Invocation {
  readonly serviceName: string
  /** Origin of the service, and audience of its tokens. */
  readonly url: string
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
  /** When it was sent, in milliseconds since 1970. */
  readonly startedMs: number
}

/** Requests to services: connections for each, kept for all activations, and a token that is renewed when it is refused. */
export class Invocations {
  readonly #account: GoogleAccount
  readonly #logs: WorkerLogs
  readonly #mostConnections: number
  readonly #connections = new Map<string, WorkerConnections>()
  #isClosed = false

  constructor(account: GoogleAccount, logs: WorkerLogs, mostConnections: number) {
    this.#account = account
    this.#logs = logs
    this.#mostConnections = mostConnections
  }

  /** Runs one activation; rejects with what core knows, see `ComputeBackend.invoke`. */
  async run(invocation: Invocation): Promise<Invoked> {
    const { url, serviceName, timeoutMs, signal, onReply } = invocation
    const finder = new WorkerFinder()
    const startedMs = Date.now()
    try {
      const report = await this.#withToken(url, headers =>
        this.#to(url).run({
          payload: invocation.payload,
          headers,
          signal,
          goesOnAlone: invocation.goesOnAlone,
          startTimeoutMs: timeoutMs + START_GRACE_MS,
          explain: refusal => platformRefusal(refusal, serviceName),
          onReply: frames => {
            finder.look(frames)
            onReply(frames)
          },
        }),
      )
      return { ...report, startedMs }
    } catch (error) {
      signal?.throwIfAborted()
      throw await this.#explained(error, invocation, {
        hasBegun: finder.workerId !== undefined,
        startedMs,
      })
    }
  }

  /** What a service's worker says of itself. Waits while the front end does not know of the service. */
  async metadata(
    serviceName: string,
    url: string,
    signal: AbortSignal | undefined,
  ): Promise<RuntimeMetadata> {
    const endMs = performance.now() + ROUTE_MS
    for (;;) {
      try {
        return await this.#withToken(url, headers =>
          this.#to(url).metadata({
            headers,
            startTimeoutMs: ROUTE_MS,
            signal,
            explain: refusal => platformRefusal(refusal, serviceName),
          }),
        )
      } catch (error) {
        signal?.throwIfAborted()
        const mayPass = InvocationError.isInstance(error) && error.isRetryable && !isBadToken(error)
        if (!mayPass || performance.now() > endMs) throw error
        await pause(ROUTE_RETRY_MS, signal)
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#connections.values()].map(one => one.close()))
  }

  /** A token that is refused has been withdrawn, or its hour was up on the way: once more with a new one, as nothing ran. */
  async #withToken<T>(
    url: string,
    act: (headers: Readonly<Record<string, string>>) => Promise<T>,
  ): Promise<T> {
    const token = await this.#account.idToken(url)
    try {
      return await act({ authorization: `Bearer ${token}` })
    } catch (error) {
      if (!isBadToken(error)) throw error
      await this.#account.refuseIdToken(url, token)
      return act({ authorization: `Bearer ${await this.#account.idToken(url)}` })
    }
  }

  #to(url: string): WorkerConnections {
    // it may have been closed while a token was fetched: nobody would close these
    if (this.#isClosed)
      throw new InvocationError('The connections are closed.', { code: 'LITHOPS_CLOSED', isRetryable: false })
    let connections = this.#connections.get(url)
    if (connections === undefined) {
      connections = new WorkerConnections({ origin: url, mostConnections: this.#mostConnections })
      this.#connections.set(url, connections)
    }
    return connections
  }

  /** An answer that was cut says nothing of why: the clock and the platform's log may. */
  async #explained(
    error: unknown,
    { serviceName, timeoutMs, memoryMiB, signal }: Invocation,
    { hasBegun, startedMs }: { readonly hasBegun: boolean; readonly startedMs: number },
  ): Promise<unknown> {
    if (this.#isClosed || !InvocationError.isInstance(error) || !error.mayHaveRun) return error
    const lostMs = Date.now()
    if (hasBegun && lostMs - startedMs >= timeoutMs - Math.min(TIMEOUT_SLACK_MS, timeoutMs * TIMEOUT_SLACK)) {
      return new CallTimeoutError(
        `The activation did not end within the time limit of its service, ${timeoutMs / 1000} s. Raise gcp_cloudrun.runtime_timeout.`,
        { details: { serviceName }, cause: error },
      )
    }
    if (!hasBegun || error.details.errorCode === RefusalCode.timeout || isWithoutService(error)) return error
    return (await whyLost(this.#logs, { serviceName, memoryMiB, lostMs }, signal)) ?? error
  }
}
