import type { WorkerRefusal } from '@lithops/container-runtime'
import { InvocationError } from '@lithops/core/driver'

/** What `details.errorCode` says of an answer of the platform. */
export const RefusalCode = {
  /** No route of that host: not yet, or not any more. */
  noRoute: 'ROUTE_NOT_FOUND',
  overloaded: 'OVERLOADED',
  noAnswer: 'NO_ANSWER',
  timeout: 'REQUEST_TIMEOUT',
} as const

/** Between tries while a route is being programmed. */
export const ROUTE_RETRY_MS = 250
/** Of what a proxy says, in messages. */
const SHOWN_CHARACTERS = 300

/**
 * What Envoy, which all networking layers are made of, says where it had not sent the request on.
 * From: "Response flags" of Envoy: UF (connection failure), UO (overflow), UH (no healthy upstream), NR (no route).
 * The first are the activator's own words when no worker came up in time.
 */
const NOT_SENT =
  /^context deadline exceeded|no healthy upstream|connect(?:ion)? (?:failure|timeout|refused)|reset reason: (?:connection failure|overflow|connection timeout)|delayed connect error|circuit breaker/i
/**
 * Knative's own words where it did not give the request to a container. From: knative.dev/serving, pkg/activator/handler
 * and pkg/queue: the breaker's "pending request queue full", the activator's "activator overload".
 */
const QUEUE_FULL = /queue full|activator overload|overload/i

/**
 * What an answer means that is not a worker's: of the gateway, the activator or the queue before the worker.
 *
 * @param serviceName for messages
 */
export function platformRefusal(refusal: WorkerRefusal, serviceName: string): InvocationError | undefined {
  const { status, headers, body } = refusal
  const text = body.toString('utf8').trim().slice(0, SHOWN_CHARACTERS)
  const said = `Knative answered an activation of ${serviceName} with status ${status}${text === '' ? '' : `: ${text}`}`
  const details = { status, serviceName }
  if (status === 404) {
    return new InvocationError(`${said}. Its route is not there, or not there yet.`, {
      details: { ...details, errorCode: RefusalCode.noRoute, retryAfterMs: ROUTE_RETRY_MS },
    })
  }
  const seconds = Number(headers['retry-after'])
  const retryAfter = seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}
  if (status === 429 || (status === 503 && QUEUE_FULL.test(text))) {
    return new InvocationError(said, {
      isThrottled: true,
      details: { ...details, errorCode: RefusalCode.overloaded, ...retryAfter },
    })
  }
  if (status === 503 || status === 502) {
    return new InvocationError(said, {
      mayHaveRun: !NOT_SENT.test(text),
      details: { ...details, errorCode: RefusalCode.noAnswer, ...retryAfter },
    })
  }
  // a worker's answer begins when it has taken the message: what waited for all that time had not begun, as a rule
  if (status === 504 || status === 408) {
    return new InvocationError(
      `${said}. No worker took it in time: more may be needed (knative.max_workers), or the cluster has no room for them.`,
      { mayHaveRun: true, details: { ...details, errorCode: RefusalCode.timeout } },
    )
  }
  return undefined
}

/** Whether an invocation says that its route is not there. */
export function isWithoutRoute(error: unknown): boolean {
  return InvocationError.isInstance(error) && error.details.errorCode === RefusalCode.noRoute
}

/** Nobody listens where the gateway was: it may have moved. */
const NO_GATEWAY = /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|UND_ERR_CONNECT_TIMEOUT)$/

/** Whether an invocation found no gateway. */
export function isWithoutGateway(error: unknown): boolean {
  return InvocationError.isInstance(error) && NO_GATEWAY.test(String(error.details.errorCode))
}
