import {
  CallOutOfMemoryError,
  CallTimeoutError,
  InvocationError,
  type LithopsError,
  ProtocolError,
  WorkerLostError,
} from '@lithops/core/driver'
import { type ActivationError, WORKER_HEADER } from './http-protocol.ts'

/** An answer that is no reply. */
export interface WorkerRefusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The first 64 KiB of it. */
  readonly body: Buffer
  /** Who was asked. */
  readonly origin: string
}

/** Of what a proxy says, in messages. */
const SHOWN_CHARACTERS = 300
const MS_PER_SECOND = 1000

/** What a worker has told of a whole activation. */
export function activationError(error: ActivationError): LithopsError {
  const { kind, message, mayHaveRun, details = {} } = error
  switch (kind) {
    case 'timeout':
      return new CallTimeoutError(message, { details })
    case 'memory':
      return new CallOutOfMemoryError(message, { details, isRetryable: true })
    case 'protocol':
      return new ProtocolError(message, { details })
    case 'too_large':
      return new InvocationError(message, { isRetryable: false, code: 'LITHOPS_PAYLOAD_TOO_LARGE', details })
    case 'lost':
      if (mayHaveRun) return new WorkerLostError(message, { details })
      return new InvocationError(message, { details })
    default:
      return new InvocationError(message, { mayHaveRun, details })
  }
}

/**
 * The error for an answer that is no reply. What a worker says is taken at its word; of others:
 *
 * | Status | Means |
 * | --- | --- |
 * | 429 | throttled; nothing ran |
 * | 404 | the service is not there, or not yet; nothing ran, and it may pass |
 * | 413 | the message is too large for something on the way |
 * | other 4xx, and 1xx to 3xx | refused, for good |
 * | 5xx | it may pass; the calls may have run, as a proxy answers so too when a worker breaks |
 *
 * `explain` comes first for these: a platform knows its proxies.
 */
export function workerRefused(
  refusal: WorkerRefusal,
  explain?: (refusal: WorkerRefusal) => Error | undefined,
): Error {
  const own = refusal.headers[WORKER_HEADER] === undefined ? undefined : errorIn(refusal.body)
  if (own !== undefined) return activationError(own)
  const explained = explain?.(refusal)
  if (explained !== undefined) return explained
  const { status, headers, body, origin } = refusal
  const text = body.toString('utf8').trim().slice(0, SHOWN_CHARACTERS)
  const message = `${origin} answered with status ${status} instead of a reply${text === '' ? '.' : `: ${text}`}`
  const details = { status, ...retryAfter(headers) }
  if (status === 429) return new InvocationError(message, { isThrottled: true, details })
  if (status === 404) return new InvocationError(message, { details })
  if (status === 413)
    return new InvocationError(message, { isRetryable: false, code: 'LITHOPS_PAYLOAD_TOO_LARGE', details })
  if (status < 500) return new InvocationError(message, { isRetryable: false, details })
  return new InvocationError(message, { mayHaveRun: true, details })
}

/** The answer ended before its end frame. */
export function replyCut(origin: string, cause?: Error): InvocationError {
  const why = cause === undefined ? '' : ` (${describe(cause)})`
  return new InvocationError(
    `The answer of the worker behind ${origin} was cut${why}: the worker, or something on the way to it, broke.`,
    { mayHaveRun: true, ...(cause === undefined ? {} : { cause }) },
  )
}

/** There was no answer. */
export function connectionBroken(cause: Error, origin: string, wasSent: boolean): InvocationError {
  const what = wasSent
    ? `The connection to ${origin} broke before an answer came`
    : `${origin} could not be reached`
  return new InvocationError(`${what} (${describe(cause)}).`, {
    mayHaveRun: wasSent,
    details: { errorCode: (cause as { code?: string }).code },
    cause,
  })
}

function errorIn(body: Buffer): ActivationError | undefined {
  try {
    const value = JSON.parse(body.toString('utf8')) as Partial<ActivationError> | null
    return typeof value?.kind === 'string' ? (value as ActivationError) : undefined
  } catch {
    return undefined
  }
}

function retryAfter(headers: WorkerRefusal['headers']): { readonly retryAfterMs?: number } {
  const seconds = Number(headers['retry-after'])
  return seconds > 0 ? { retryAfterMs: seconds * MS_PER_SECOND } : {}
}

function describe(error: Error): string {
  const { code } = error as { readonly code?: string }
  return code === undefined ? error.message : `${code}, ${error.message}`
}
