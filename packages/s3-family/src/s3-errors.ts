import {
  accessRefused,
  bareCause,
  bucketNotFound,
  LithopsError,
  objectChanged,
  objectNotFound,
  retryAfterMs,
  type StoragePlace,
  storageFailed,
} from '@lithops/core/driver'

/** What can be told of an error of the SDK. */
interface Failure {
  /** S3's own code, e.g. 'NoSuchKey', or the error's name. */
  readonly code: string
  /** Undefined when there was no answer. */
  readonly status: number | undefined
  readonly message: string
  readonly retryAfterMs: number | undefined
  /** The SDK has set its clock by the answer: the same request may succeed now. */
  readonly isClockCorrected: boolean
}

type Kind = 'noObject' | 'noBucket' | 'access' | 'expired' | 'clock' | 'throttled' | 'passing' | 'changed'

/** By S3's code. From: Amazon S3 API reference, "Error responses"; Ceph and MinIO have the same names. */
const KIND_BY_CODE: Readonly<Record<string, Kind>> = {
  NoSuchKey: 'noObject',
  NoSuchVersion: 'noObject',
  NoSuchBucket: 'noBucket',
  PreconditionFailed: 'changed',
  AccessDenied: 'access',
  AllAccessDisabled: 'access',
  AccountProblem: 'access',
  Forbidden: 'access',
  InvalidAccessKeyId: 'access',
  SignatureDoesNotMatch: 'access',
  InvalidToken: 'access',
  InvalidSecurity: 'access',
  NotSignedUp: 'access',
  UnauthorizedAccess: 'access',
  AuthorizationHeaderMalformed: 'access',
  CredentialsProviderError: 'access',
  TokenProviderError: 'access',
  ExpiredToken: 'expired',
  ExpiredTokenException: 'expired',
  TokenRefreshRequired: 'expired',
  RequestTimeTooSkewed: 'clock',
  RequestExpired: 'clock',
  RequestInTheFuture: 'clock',
  SlowDown: 'throttled',
  SlowDownRead: 'throttled',
  SlowDownWrite: 'throttled',
  TooManyRequests: 'throttled',
  TooManyRequestsException: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  RequestLimitExceeded: 'throttled',
  BandwidthLimitExceeded: 'throttled',
  ServiceUnavailable: 'throttled',
  Busy: 'throttled',
  InternalError: 'passing',
  RequestTimeout: 'passing',
  OperationAborted: 'passing',
  ConditionalRequestConflict: 'passing',
  NoSuchUpload: 'passing',
  IncompleteBody: 'passing',
  BadDigest: 'passing',
  XAmzContentSHA256Mismatch: 'passing',
}

const KIND_BY_STATUS: Readonly<Record<number, Kind>> = {
  401: 'expired',
  403: 'access',
  408: 'passing',
  412: 'changed',
  429: 'throttled',
  503: 'throttled',
}

/** Errors of the connection that another try does not mend: names and certificates that are wrong. */
const LASTING_CONNECTION = /^(ERR_TLS|ERR_SSL|ERR_INVALID|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO_|HOSTNAME_)/

/** The operation's error as one of the contract. `place.key` says if an object was asked for. */
export function translate(error: unknown, place: StoragePlace): unknown {
  if (LithopsError.isInstance(error)) return error
  const failure = failureOf(error)
  const cause = bareCause(error)
  switch (kindOf(failure, place)) {
    case 'noObject':
      return objectNotFound(place, cause)
    case 'noBucket':
      return bucketNotFound(place, cause)
    case 'changed':
      return objectChanged(place)
    case 'access':
      return failure.isClockCorrected
        ? storageFailed(place, CLOCK_ADVICE, { isRetryable: true, cause })
        : accessRefused(place, accessAdvice(failure, place), cause)
    case 'expired':
      return accessRefused(place, `the credentials have expired (${failure.code}): get new ones`, cause)
    case 'clock':
      return failure.isClockCorrected
        ? storageFailed(place, CLOCK_ADVICE, { isRetryable: true, cause })
        : accessRefused(place, CLOCK_ADVICE, cause)
    case 'throttled':
      return storageFailed(place, `the service asks to slow down (${told(failure)})`, {
        isRetryable: true,
        ...(failure.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
        cause,
      })
    case 'passing':
      return storageFailed(place, told(failure), { isRetryable: true, cause })
    default:
      return storageFailed(place, told(failure) + adviceFor(failure), { isRetryable: false, cause })
  }
}

/** Whether the service refused without doing anything, so that trying again cannot do it twice. */
export function isRefusedUndone(error: unknown): boolean {
  const failure = failureOf(error)
  return failure.code === 'ConditionalRequestConflict' || kindOf(failure) === 'throttled'
}

/** Whether newer credentials could help. */
export function isExpired(error: unknown): boolean {
  const failure = failureOf(error)
  return kindOf(failure) === 'expired' || failure.code === 'InvalidToken'
}

/** S3's code of an error, e.g. 'NoSuchUpload'; the status as text where there is none. */
export function codeOf(error: unknown): string {
  return failureOf(error).code
}

export function statusOf(error: unknown): number | undefined {
  return failureOf(error).status
}

/** One key that DeleteObjects could not remove. */
export function deleteFailed(
  failed: { readonly Key?: string; readonly Code?: string; readonly Message?: string },
  place: StoragePlace,
): unknown {
  const error = Object.assign(new Error(failed.Message ?? 'the object could not be removed'), {
    name: failed.Code ?? 'InternalError',
  })
  return translate(error, failed.Key === undefined ? place : { ...place, key: failed.Key })
}

function failureOf(error: unknown): Failure {
  const { name, code, message, $metadata, $response } = error as {
    readonly name?: string
    readonly code?: unknown
    readonly message?: string
    readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean }
    readonly $response?: { readonly headers?: Readonly<Record<string, string>> }
  }
  const status = $metadata?.httpStatusCode
  return {
    code: status === undefined && typeof code === 'string' ? code : (name ?? 'Error'),
    status,
    message: message ?? String(error),
    retryAfterMs: retryAfterMs($response?.headers?.['retry-after']),
    isClockCorrected: $metadata?.clockSkewCorrected === true,
  }
}

function kindOf(failure: Failure, place?: StoragePlace): Kind | undefined {
  const { code, status } = failure
  const known = KIND_BY_CODE[code]
  if (known !== undefined) return known
  if (status === undefined) return isConnectionError(failure) ? 'passing' : undefined
  // a HEAD has no body, so no code: 'NotFound' of an object may be that of its bucket
  if (status === 404) return place?.key === undefined ? 'noBucket' : 'noObject'
  return KIND_BY_STATUS[status] ?? (status >= 500 ? 'passing' : undefined)
}

/** No answer came, for a reason that may pass: reset, refused, timed out, not resolved, ended too early. */
function isConnectionError({ code, message }: Failure): boolean {
  if (LASTING_CONNECTION.test(code)) return false
  return (
    /^(E[A-Z_]+|UND_ERR_[A-Z_]+|TimeoutError|NetworkingError)$/.test(code) ||
    /^(aborted|socket hang up|premature close)$/i.test(message) ||
    // the client checks the bytes that came against their checksum
    message.startsWith('Checksum mismatch')
  )
}

const CLOCK_ADVICE = "the service's clock is another than this machine's: set the clock"

function accessAdvice(failure: Failure, place: StoragePlace): string {
  const { code, status } = failure
  if (code === 'CredentialsProviderError' || code === 'TokenProviderError') {
    return `no credentials were found (${failure.message})`
  }
  if (code === 'InvalidAccessKeyId') return 'the access key is not known to the service'
  if (code === 'SignatureDoesNotMatch') return 'the signature is wrong: check the secret access key'
  if (code === 'AuthorizationHeaderMalformed') return `the region is wrong: ${failure.message}`
  const why = code === 'AccessDenied' || status === undefined ? code : `${code}, HTTP ${status}`
  // without the right to list, S3 does not say that an object is missing
  const orMissing =
    place.key === undefined
      ? ''
      : '; without the right to list the bucket, missing objects are refused like this too'
  return `access was refused (${why}): the credentials lack the right to ${place.operation} here${orMissing}`
}

function adviceFor({ code }: Failure): string {
  switch (code) {
    case 'BucketAlreadyExists':
      return '; the name is taken by somebody else, choose another storage_bucket'
    case 'InvalidBucketName':
      return '; names have 3 to 63 lower-case letters, digits, dots and hyphens'
    case 'PermanentRedirect':
      return '; the bucket is in another region, set region in the config'
    case 'EntityTooLarge':
      return '; the object is larger than the service takes'
    default:
      return ''
  }
}

/** What the service said: its code, status and message, the message without a full stop. */
function told(failure: Failure): string {
  const status = failure.status === undefined ? '' : `, HTTP ${failure.status}`
  const message = failure.message.trim().replace(/\.$/, '')
  return message === '' || message === failure.code
    ? failure.code + status
    : `${failure.code}${status}: ${message}`
}
