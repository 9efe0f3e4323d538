import type { WorkerRefusal } from '@lithops/container-runtime'
import { InvocationError } from '@lithops/core/driver'

/** What `details.errorCode` says of an answer of the platform. */
export const RefusalCode = {
  /** No service of that URL: not yet, or not any more. */
  noService: 'SERVICE_NOT_FOUND',
  /** The token is not, or not any more, good for this service. */
  badToken: 'UNAUTHENTICATED',
  notAllowed: 'PERMISSION_DENIED',
  /** There are as many instances as there may be, and all are busy. */
  overloaded: 'OVERLOADED',
  noAnswer: 'NO_ANSWER',
  timeout: 'REQUEST_TIMEOUT',
} as const

const ROUTE_RETRY_MS = 500
/** Of what the platform's front end says, in messages. */
const SHOWN_CHARACTERS = 300
/** Where no instance had the request. From: "Troubleshoot Cloud Run issues", 429 and 500. */
const NO_INSTANCE = /no available instance|Rate exceeded/i
/** The front end had not sent it on: an instance did not start, or the service is not ready. From: the same page, 503. */
const NOT_SENT = /not available yet|failed to start|no healthy upstream|Service Unavailable\s*$/i

/**
 * What an answer means that is not a worker's: of Cloud Run's front end.
 *
 * @param serviceName for messages
 */
export function platformRefusal(refusal: WorkerRefusal, serviceName: string): InvocationError | undefined {
  const { status, headers } = refusal
  const text = textOf(refusal)
  const said = `Cloud Run answered an activation of ${serviceName} with status ${status}${text === '' ? '' : `: ${text}`}`
  const details = { status, serviceName }
  const seconds = Number(headers['retry-after'])
  const retryAfter = seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}
  if (status === 401) {
    return new InvocationError(
      `${said}. The ID token is not, or not any more, good for it: those of service accounts are, and of people who impersonate one.`,
      {
        details: { ...details, errorCode: RefusalCode.badToken },
      },
    )
  }
  if (status === 403) {
    return new InvocationError(
      `${said}. The caller needs the role roles/run.invoker (\`lithops runtime policies -b gcp_cloudrun\`), or the organisation’s policies forbid it.`,
      { isRetryable: false, details: { ...details, errorCode: RefusalCode.notAllowed } },
    )
  }
  if (status === 404) {
    return new InvocationError(`${said}. The service is not there, or not there yet.`, {
      details: { ...details, errorCode: RefusalCode.noService, retryAfterMs: ROUTE_RETRY_MS },
    })
  }
  if (status === 429 || (status === 500 && NO_INSTANCE.test(text))) {
    return new InvocationError(said, {
      isThrottled: true,
      details: { ...details, errorCode: RefusalCode.overloaded, ...retryAfter },
    })
  }
  if (status === 500 || status === 502 || status === 503) {
    return new InvocationError(said, {
      mayHaveRun: !NOT_SENT.test(text),
      details: { ...details, errorCode: RefusalCode.noAnswer, ...retryAfter },
    })
  }
  // a worker's answer begins when it has taken the message: what waited for all that time had not begun, as a rule
  if (status === 504 || status === 408) {
    return new InvocationError(
      `${said}. No worker took it in time: more may be needed (gcp_cloudrun.max_workers).`,
      { mayHaveRun: true, details: { ...details, errorCode: RefusalCode.timeout } },
    )
  }
  return undefined
}

/** The front end answers in HTML. */
function textOf({ body }: WorkerRefusal): string {
  return body
    .toString('utf8')
    .replace(/<(style|script|title)[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, SHOWN_CHARACTERS)
}

/** Whether an invocation says that its service is not there. */
export function isWithoutService(error: unknown): boolean {
  return InvocationError.isInstance(error) && error.details.errorCode === RefusalCode.noService
}

/** Whether an invocation says that its token is no good. */
export function isBadToken(error: unknown): boolean {
  return InvocationError.isInstance(error) && error.details.errorCode === RefusalCode.badToken
}
