import {
  ACCESS_HEADER,
  WorkerConnections,
  WorkerFinder,
  type WorkerRefusal,
} from '@lithops/container-runtime'
import {
  type Activation,
  type ActivationReport,
  CallTimeoutError,
  InvocationError,
  pause,
  type RuntimeMetadata,
} from '@lithops/core/driver'
import type { RuntimePlace } from './deployments.ts'

/** A new application is not known to all of the platform's gateways at once. */
const ROUTE_MS = 120_000
const ROUTE_RETRY_MS = 500
/** Requests are held back so long while instances start, at most. */
const START_GRACE_MS = 30_000
/** The answer of a worker may be cut so much before its time limit is said to be up. */
const TIMEOUT_SLACK_MS = 1_500
/** No more than this part of it. */
const TIMEOUT_SLACK = 0.1
/** Of what a proxy says, in messages. */
const SHOWN_CHARACTERS = 300

/** What `details.errorCode` says of an answer of the platform. */
const RefusalCode = { noRoute: 'ROUTE_NOT_FOUND', noAccess: 'ACCESS_KEY_REFUSED' } as const

/**
 * What the gateway, an Envoy, and the part before each instance say where a request was not given to a worker. From: "Response flags" of
 * Envoy, and the activator of Knative Serving, on which applications run.
 */
const NOT_SENT =
  /^context deadline exceeded|no healthy upstream|connect(?:ion)? (?:failure|timeout|refused)|reset reason: (?:connection failure|overflow|connection timeout)|delayed connect error|circuit breaker/i
const QUEUE_FULL = /queue full|overload/i

/** There is nothing at the URL: the project may have been made anew, with another domain. */
const NOWHERE = /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND)$/

export interface ApplicationCallsOptions {
  /** Time limit of a request, as applications have it. */
  readonly timeoutMs: number
  readonly mostConnections: number
  /** An application is not where it was, or has another key: it is looked for, and made again where it is gone. */
  readonly restore: (activation: Activation) => Promise<void>
}

/** Requests to applications: connections for each of them, kept for all activations. */
export class ApplicationCalls {
  readonly #options: ApplicationCallsOptions
  readonly #connections = new Map<string, WorkerConnections>()

  constructor(options: ApplicationCallsOptions) {
    this.#options = options
  }

  /** Runs one activation; rejects with what core knows, see `ComputeBackend.invoke`. */
  async run(
    activation: Activation,
    { url, accessKey, jobName }: RuntimePlace,
    {
      signal,
      onReply,
    }: { readonly signal?: AbortSignal | undefined; readonly onReply: (frames: Uint8Array) => void },
  ): Promise<ActivationReport> {
    const { timeoutMs } = this.#options
    const finder = new WorkerFinder()
    const startedMs = Date.now()
    try {
      const { ranMs } = await this.#to(url ?? '').run({
        payload: activation.payload,
        headers: headersOf(accessKey),
        signal,
        goesOnAlone: activation.repliesElsewhere === true,
        startTimeoutMs: timeoutMs + START_GRACE_MS,
        explain: refusal => refused(refusal, jobName),
        onReply: frames => {
          finder.look(frames)
          onReply(frames)
        },
      })
      const { workerId } = finder
      return { billedMs: ranMs, ...(workerId === undefined ? {} : { requestId: workerId }) }
    } catch (error) {
      signal?.throwIfAborted()
      if (!InvocationError.isInstance(error)) throw error
      const { errorCode } = error.details
      if (
        errorCode === RefusalCode.noRoute ||
        errorCode === RefusalCode.noAccess ||
        NOWHERE.test(String(errorCode))
      )
        await this.#options.restore(activation)
      const slackMs = Math.min(TIMEOUT_SLACK_MS, timeoutMs * TIMEOUT_SLACK)
      const isOverTime = finder.workerId !== undefined && Date.now() - startedMs >= timeoutMs - slackMs
      if (!error.mayHaveRun || !isOverTime) throw error
      throw new CallTimeoutError(
        `The activation did not end within the time limit of its application, ${timeoutMs / 1000} s. Raise code_engine.runtime_timeout.`,
        { details: { name: jobName }, cause: error },
      )
    }
  }

  /** What an application's worker says of itself. Waits while the gateway does not know of it. */
  async metadata(
    url: string,
    { accessKey, signal }: { readonly accessKey: string; readonly signal: AbortSignal | undefined },
  ): Promise<RuntimeMetadata> {
    const endMs = performance.now() + ROUTE_MS
    for (;;) {
      try {
        return await this.#to(url).metadata({
          headers: headersOf(accessKey),
          startTimeoutMs: ROUTE_MS,
          signal,
          explain: refusal => refused(refusal, url),
        })
      } catch (error) {
        signal?.throwIfAborted()
        const mayPass = InvocationError.isInstance(error) && error.isRetryable
        if (!mayPass || performance.now() > endMs) throw error
        await pause(ROUTE_RETRY_MS, signal)
      }
    }
  }

  /** Breaks what is under way. May be called twice. */
  async close(): Promise<void> {
    await Promise.all([...this.#connections.values()].map(one => one.close()))
  }

  #to(url: string): WorkerConnections {
    let connections = this.#connections.get(url)
    if (connections === undefined) {
      connections = new WorkerConnections({
        origin: url,
        mostConnections: this.#options.mostConnections,
      })
      this.#connections.set(url, connections)
    }
    return connections
  }
}

function headersOf(accessKey: string | undefined): Readonly<Record<string, string>> {
  return accessKey === undefined ? {} : { [ACCESS_HEADER]: accessKey }
}

/** What an answer means that is not a worker's reply: of the gateway, or of what is before each instance. */
function refused({ status, headers, body }: WorkerRefusal, name: string): InvocationError | undefined {
  const text = body.toString('utf8').trim().slice(0, SHOWN_CHARACTERS)
  const said = `Code Engine answered an activation of ${name} with status ${status}${text === '' ? '' : `: ${text}`}`
  const seconds = Number(headers['retry-after'])
  const details = { status, name, ...(seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}) }
  if (status === 401)
    return new InvocationError(`${said}. Its access key is another one by now.`, {
      details: { ...details, errorCode: RefusalCode.noAccess },
    })
  if (status === 404)
    return new InvocationError(`${said}. Its route is not there, or not there yet.`, {
      details: { retryAfterMs: ROUTE_RETRY_MS, ...details, errorCode: RefusalCode.noRoute },
    })
  if (status === 429 || (status === 503 && QUEUE_FULL.test(text)))
    return new InvocationError(said, { isThrottled: true, details })
  if (status === 502 || status === 503)
    return new InvocationError(said, { mayHaveRun: !NOT_SENT.test(text), details })
  if (status === 504 || status === 408)
    return new InvocationError(
      `${said}. No instance took it in time: more may be needed (code_engine.max_workers), or the project's quota of instances is used up.`,
      { mayHaveRun: true, details },
    )
  return undefined
}
