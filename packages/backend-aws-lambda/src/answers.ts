import {
  CallOutOfMemoryError,
  CallTimeoutError,
  InvocationError,
  type LithopsError,
  ProtocolError,
  TIMEOUT_MARK,
  WorkerLostError,
} from '@lithops/core/driver'
import { type HttpAnswer, RequestBroken } from './exchange.ts'

/** What Lambda says of a request in the last line of its log, and in headers. */
export interface InvocationFacts {
  readonly requestId: string | undefined
  readonly billedMs: number | undefined
  readonly memoryMiB: number | undefined
  readonly maxMemoryMiB: number | undefined
  /** The last 4 KB of the log; undefined where it was not asked for. */
  readonly log: string | undefined
}

/** The function was deployed and is not there any more. */
export const FUNCTION_GONE = 'ResourceNotFoundException'
const EXPIRED = new Set(['ExpiredTokenException', 'ExpiredToken', 'UnrecognizedClientException'])
/** From: "Invoke" of the Lambda API reference: errors of status 500 and 502 that come before the function begins. */
const NOT_BEGUN = new Set([
  'EC2AccessDeniedException',
  'EC2ThrottledException',
  'EC2UnexpectedException',
  'EFSIOException',
  'EFSMountConnectivityException',
  'EFSMountFailureException',
  'EFSMountTimeoutException',
  'ENILimitReachedException',
  'ENINotReadyException',
  'InvalidRuntimeException',
  'InvalidSecurityGroupIDException',
  'InvalidSubnetIDException',
  'InvalidZipFileException',
  'KMSAccessDeniedException',
  'KMSDisabledException',
  'KMSInvalidStateException',
  'KMSNotFoundException',
  'ResourceConflictException',
  'ResourceNotReadyException',
  'SnapStartException',
  'SnapStartNotReadyException',
  'SnapStartTimeoutException',
  'SubnetIPAddressLimitReachedException',
])
/** Those of them that do not pass by themselves. */
const LASTING = /^(EC2AccessDenied|Invalid|KMS|EFSMount(?!Timeout))/
/** Of the memory limit, at which a kill is one for want of memory. */
const NEAR_MEMORY_LIMIT = 0.95
const RETRY_CONFLICT_AFTER_MS = 1000

export function factsOf({ headers }: HttpAnswer): InvocationFacts {
  const tail = headers['x-amz-log-result']
  if (tail === undefined) {
    return {
      requestId: requestIdIn(headers),
      billedMs: undefined,
      memoryMiB: undefined,
      maxMemoryMiB: undefined,
      log: undefined,
    }
  }
  const log = Buffer.from(tail, 'base64').toString('utf8')
  const report = log.slice(Math.max(0, log.lastIndexOf('REPORT RequestId')))
  return {
    requestId: requestIdIn(headers),
    billedMs: numberIn(report, /Billed Duration: (\d+) ms/),
    memoryMiB: numberIn(report, /Memory Size: (\d+) MB/),
    maxMemoryMiB: numberIn(report, /Max Memory Used: (\d+) MB/),
    log,
  }
}

function numberIn(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)
  return found === null ? undefined : Number(found[1])
}

function requestIdIn(headers: HttpAnswer['headers']): string | undefined {
  return headers['x-amzn-requestid'] ?? headers['x-amz-request-id']
}

interface ErrorBody {
  readonly errorType?: string
  readonly errorMessage?: string
  readonly Type?: string
  readonly Reason?: string
  readonly message?: string
  readonly Message?: string
}

function bodyOf(answer: HttpAnswer): ErrorBody {
  try {
    return (JSON.parse(answer.body.toString('utf8')) ?? {}) as ErrorBody
  } catch {
    return {}
  }
}

/** The function answered with an error: the worker broke, as a rule, since functions' own errors are in replies. */
export function functionError(answer: HttpAnswer, timeoutMs: number): LithopsError {
  const { errorType = '', errorMessage = '' } = bodyOf(answer)
  const facts = factsOf(answer)
  const { log = '', requestId, billedMs, maxMemoryMiB, memoryMiB } = facts
  const details = { requestId, billedMs, peakMemoryMiB: maxMemoryMiB, errorType, output: ownLines(log) }
  const mark = log.lastIndexOf(TIMEOUT_MARK)
  if (mark >= 0) return new CallTimeoutError(`${lineAt(log, mark)}.`, { details })
  if (errorType === 'Sandbox.Timedout' || /Task timed out after/.test(errorMessage)) {
    return new CallTimeoutError(
      `The function did not end within the time limit of its runtime, ${timeoutMs / 1000} s. Raise aws_lambda.runtime_timeout.`,
      { details },
    )
  }
  const isKilled = /signal: killed/.test(errorMessage)
  const isAtLimit =
    memoryMiB !== undefined && maxMemoryMiB !== undefined && maxMemoryMiB >= memoryMiB * NEAR_MEMORY_LIMIT
  if (
    errorType === 'Runtime.OutOfMemory' ||
    (isKilled && isAtLimit) ||
    /heap out of memory|Reached heap limit/.test(log)
  ) {
    return new CallOutOfMemoryError(
      `The worker ran out of memory: it used ${maxMemoryMiB ?? '?'} of ${memoryMiB ?? '?'} MiB. Give it more with the option runtimeMemoryMiB.`,
      { details, isRetryable: true },
    )
  }
  if (errorType === 'ProtocolError') return new ProtocolError(errorMessage, { details })
  if (errorType === 'Function.ResponseSizeTooLarge') {
    return new InvocationError(`AWS Lambda refused the reply of a worker: ${errorMessage}`, {
      isRetryable: false,
      mayHaveRun: true,
      details,
    })
  }
  if (/^Runtime\.(?!ExitError)/.test(errorType)) {
    return new InvocationError(
      `The worker could not start (${errorType}): ${errorMessage} Run \`lithops runtime update -b aws_lambda\`.`,
      { isRetryable: false, details },
    )
  }
  const what = errorMessage.replace(/^RequestId: \S+ (Error: )?/, '')
  return new WorkerLostError(`The worker on AWS Lambda ended during the call: ${what || errorType}.`, {
    details,
  })
}

function lineAt(text: string, at: number): string {
  return text.slice(at).split('\n', 1)[0] as string
}

/** What the function wrote, without the lines that Lambda adds. */
function ownLines(log: string): string | undefined {
  const lines = log
    .split('\n')
    .filter(line => !/^(START|END|REPORT|INIT_START|INIT_REPORT) |^\s*$/.test(line))
  return lines.length === 0 ? undefined : lines.join('\n')
}

/** Lambda refused the request: status 400 and above. */
export function refusal(answer: HttpAnswer, functionName: string): InvocationError {
  const body = bodyOf(answer)
  const code = codeOf(answer)
  const message = body.message ?? body.Message ?? ''
  const { requestId } = factsOf(answer)
  const { status } = answer
  const details = { status, errorCode: code, requestId, functionName }
  const said = `AWS Lambda refused an activation of ${functionName}: ${code}${message === '' ? '' : `, ${message}`}`
  if (status === 429) {
    const { Reason: reason } = body
    return new InvocationError(`${said}${reason === undefined ? '' : ` (${reason})`}`, {
      isThrottled: true,
      details: { ...details, reason, ...retryAfter(answer) },
    })
  }
  if (code === FUNCTION_GONE) {
    return new InvocationError(`${said}. It is deployed again.`, { details })
  }
  if (status === 413 || code === 'RequestTooLargeException') {
    return new InvocationError(said, {
      isRetryable: false,
      code: 'LITHOPS_PAYLOAD_TOO_LARGE',
      details,
    })
  }
  if (code === 'ResourceConflictException') {
    return new InvocationError(said, { details: { ...details, retryAfterMs: RETRY_CONFLICT_AFTER_MS } })
  }
  if (EXPIRED.has(code)) {
    return new InvocationError(`${said} The credentials are fetched anew.`, { details })
  }
  if (status === 403) {
    const right = /perform: (\S+)/.exec(message)?.[1] ?? 'lambda:InvokeFunction'
    const advice = /signature|skew|clock/i.test(`${code} ${message}`)
      ? 'Check the secret key, and the clock of this machine.'
      : `The caller needs the right ${right}: \`lithops runtime policies -b aws_lambda\` prints what is needed.`
    return new InvocationError(`${said} ${advice}`, { isRetryable: false, details })
  }
  const hasNotBegun = NOT_BEGUN.has(code) || status < 500
  return new InvocationError(said, {
    isRetryable: status >= 500 && !LASTING.test(code),
    mayHaveRun: !hasNotBegun,
    details,
  })
}

/** The code of an error answer: a header, or a field of its body. */
export function codeOf(answer: HttpAnswer): string {
  const header = answer.headers['x-amzn-errortype']
  if (header !== undefined) return header.split(':', 1)[0] as string
  const body = bodyOf(answer) as { readonly __type?: string; readonly code?: string }
  return body.__type?.split('#').at(-1) ?? body.code ?? `status ${answer.status}`
}

/** The credentials are no good any more, others may be. */
export function isExpired(answer: HttpAnswer): boolean {
  return answer.status === 403 && EXPIRED.has(codeOf(answer))
}

function retryAfter({ headers }: HttpAnswer): { readonly retryAfterMs?: number } {
  const seconds = Number(headers['retry-after'])
  return Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}
}

/** The request got no answer. */
export function brokenConnection(error: unknown, functionName: string): unknown {
  if (!(error instanceof RequestBroken)) return error
  const cause = error.cause as Error & { readonly code?: string }
  const why = cause.code === undefined ? cause.message : `${cause.code}, ${cause.message}`
  const what = error.wasSent
    ? 'The connection to AWS Lambda broke before the answer came'
    : 'AWS Lambda could not be reached'
  return new InvocationError(`${what} (${why}).`, {
    mayHaveRun: error.wasSent,
    details: { functionName, errorCode: cause.code },
    cause,
  })
}
