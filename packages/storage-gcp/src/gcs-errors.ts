import {
  accessRefused,
  bareCause,
  bucketNotFound,
  objectChanged,
  objectNotFound,
  type StoragePlace,
  storageFailed,
} from '@lithops/core/driver'
import { GcsFailure } from './gcs-failure.ts'

type Kind = 'noObject' | 'noBucket' | 'access' | 'expired' | 'clock' | 'throttled' | 'passing' | 'changed'

/** From: Google Cloud Storage, "HTTP status and error codes for JSON". */
const KIND_BY_CODE: Readonly<Record<string, Kind>> = {
  conditionNotMet: 'changed',
  rateLimitExceeded: 'throttled',
  userRateLimitExceeded: 'throttled',
  backendError: 'passing',
  internalError: 'passing',
  uploadBrokenConnection: 'passing',
}

const KIND_BY_STATUS: Readonly<Record<number, Kind>> = {
  401: 'expired',
  403: 'access',
  408: 'passing',
  // an upload in parts that the service has dropped: it begins anew
  410: 'passing',
  412: 'changed',
  429: 'throttled',
}

/** Errors of the connection that another try does not mend: names and certificates that are wrong. */
const LASTING_CONNECTION =
  /^(ERR_TLS|ERR_SSL|ERR_INVALID|ERR_OSSL|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO_|HOSTNAME_)/

/** A failure of a request as an error of the contract; anything else stays what it is. */
export function translate(error: unknown, place: StoragePlace): unknown {
  if (!(error instanceof GcsFailure)) return error
  const cause = bareCause(error)
  switch (kindOf(error, place)) {
    case 'noObject':
      return objectNotFound(place, cause)
    case 'noBucket':
      return bucketNotFound(place, cause)
    case 'changed':
      return objectChanged(place)
    case 'access':
      return accessRefused(place, accessAdvice(error, place), cause)
    case 'expired':
      return accessRefused(place, `the credentials have expired (${told(error)}): get new ones`, cause)
    case 'clock':
      return accessRefused(
        place,
        `this machine's clock is another than the service's (${told(error)}): set the clock`,
        cause,
      )
    case 'throttled':
    case 'passing':
      return storageFailed(place, reasonOf(error), {
        isRetryable: true,
        ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
        cause,
      })
    default:
      return storageFailed(place, told(error), { isRetryable: false, cause })
  }
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof GcsFailure ? error.status : undefined
}

/** Whether another try may mend it. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof GcsFailure)) return false
  return /^(throttled|passing)$/.test(kindOf(error) ?? '') && error.status !== 410
}

/** Whether the service refused without doing anything, so that trying again cannot do it twice. */
export function isRefusedUndone(error: unknown): boolean {
  if (!(error instanceof GcsFailure)) return false
  return error.isUndone || kindOf(error) === 'throttled' || (error.isOfToken && mayPass(error))
}

/** What a 404 says is missing; undefined when it does not say. */
export function missing(error: unknown): 'object' | 'bucket' | undefined {
  if (statusOf(error) !== 404) return undefined
  const { message } = error as Error
  if (/bucket does not exist/i.test(message)) return 'bucket'
  return /no such object/i.test(message) ? 'object' : undefined
}

function kindOf(failure: GcsFailure, place?: StoragePlace): Kind | undefined {
  const { code, status, message, isOfToken } = failure
  if (isOfToken) return kindOfToken(failure)
  const known = KIND_BY_CODE[code]
  if (known !== undefined) return known
  if (status === undefined) return isConnectionError(failure) ? 'passing' : undefined
  if (status === 404) return isOfBucket(failure, place) ? 'noBucket' : 'noObject'
  if (status === 401 && /^anonymous caller/i.test(message)) return 'access'
  return KIND_BY_STATUS[status] ?? (status >= 500 ? 'passing' : undefined)
}

/** A write needs no object, so what it misses is the bucket. */
function isOfBucket(failure: GcsFailure, place: StoragePlace | undefined): boolean {
  return place?.key === undefined || place.operation === 'put' || missing(failure) === 'bucket'
}

/** From: RFC 6749, 5.2, and what Google says besides. */
function kindOfToken(failure: GcsFailure): Kind {
  const { status, message } = failure
  if (/iat and exp|reasonable timeframe/i.test(message)) return 'clock'
  if (/expired or revoked/i.test(message)) return 'expired'
  if (status === 429) return 'throttled'
  if (status === undefined ? isConnectionError(failure) : status >= 500) return 'passing'
  return 'access'
}

/** No answer came, for a reason that may pass: reset, refused, timed out, not resolved, ended too early. */
function isConnectionError({ code, message }: GcsFailure): boolean {
  if (LASTING_CONNECTION.test(code)) return false
  return (
    /^(E[A-Z_]+|ERR_STREAM_[A-Z_]+|system|aborted|body-timeout|request-timeout)$/.test(code) ||
    /(aborted|socket hang up|premature close)$/i.test(message)
  )
}

function accessAdvice(failure: GcsFailure, place: StoragePlace): string {
  const { status, message, isOfToken } = failure
  if (/could not load the default credentials/i.test(message)) {
    return 'no credentials were found: give credentials_path, or log in with `gcloud auth application-default login`'
  }
  if (isOfToken) return `the credentials were not accepted (${told(failure)}): check credentials_path`
  if (status === 401) return 'the service wants credentials, and there are none: give credentials_path'
  return `access was refused (${told(failure)}): the credentials lack the right to ${place.operation} here`
}

function reasonOf(failure: GcsFailure): string {
  const what = failure.isOfToken ? 'no token could be had' : undefined
  const said =
    kindOf(failure) === 'throttled' ? `the service asks to slow down (${told(failure)})` : told(failure)
  return what === undefined ? said : `${what}: ${said}`
}

/** What the service said: its code, status and message, the message without a full stop. */
function told({ code, status, message: text }: GcsFailure): string {
  const words = status === undefined || code === `HTTP ${status}` ? code : `${code}, HTTP ${status}`
  const message = text.trim().replace(/\.$/, '')
  return message === '' || message === code ? words : `${words}: ${message}`
}
