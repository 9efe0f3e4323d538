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
  /** Azure's own code, e.g. 'BlobNotFound'; that of the connection, or the error's name. */
  readonly code: string
  /** Undefined when there was no answer. */
  readonly status: number | undefined
  readonly message: string
  readonly retryAfterMs: number | undefined
}

type Kind = 'noObject' | 'noBucket' | 'access' | 'expired' | 'clock' | 'throttled' | 'passing' | 'changed'

/** From: Azure, "Blob Storage error codes" and "Common REST API error codes". */
const KIND_BY_CODE: Readonly<Record<string, Kind>> = {
  BlobNotFound: 'noObject',
  ContainerNotFound: 'noBucket',
  ContainerBeingDeleted: 'passing',
  ContainerDisabled: 'access',
  ConditionNotMet: 'changed',
  TargetConditionNotMet: 'changed',
  AuthenticationFailed: 'access',
  AuthorizationFailure: 'access',
  AuthorizationPermissionMismatch: 'access',
  AuthorizationProtocolMismatch: 'access',
  AuthorizationResourceTypeMismatch: 'access',
  AuthorizationServiceMismatch: 'access',
  AuthorizationSourceIPMismatch: 'access',
  AccountIsDisabled: 'access',
  InsufficientAccountPermissions: 'access',
  KeyBasedAuthenticationNotPermitted: 'access',
  NoAuthenticationInformation: 'access',
  InvalidAuthenticationInfo: 'access',
  PublicAccessNotPermitted: 'access',
  ExpiredAuthenticationToken: 'expired',
  ServerBusy: 'throttled',
  AccountRequestsThrottled: 'throttled',
  TooManyRequests: 'throttled',
  InternalError: 'passing',
  OperationTimedOut: 'passing',
  Md5Mismatch: 'passing',
  // of @azure/identity
  AuthenticationError: 'access',
  AggregateAuthenticationError: 'access',
  AuthenticationRequiredError: 'access',
  CredentialUnavailableError: 'access',
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
      return accessRefused(place, accessAdvice(failure, place), cause)
    case 'expired':
      return accessRefused(place, `the credentials have expired (${failure.code}): get new ones`, cause)
    case 'clock':
      return accessRefused(
        place,
        "the service's clock is another than this machine's, or the signature's time has not begun: set the clock",
        cause,
      )
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

/** Azure's code of an error, e.g. 'BlobAlreadyExists'; 'HTTP <status>' where there is none. */
export function codeOf(error: unknown): string {
  return failureOf(error).code
}

export function statusOf(error: unknown): number | undefined {
  return failureOf(error).status
}

/** Whether the service refused without doing anything, so that trying again cannot do it twice. */
export function isRefusedUndone(error: unknown): boolean {
  return kindOf(failureOf(error)) === 'throttled'
}

function failureOf(error: unknown): Failure {
  const {
    name = 'Error',
    code,
    statusCode,
    message,
    response,
    details,
  } = error as {
    readonly name?: string
    readonly code?: unknown
    readonly statusCode?: number
    readonly message?: string
    readonly response?: { readonly headers?: { get(name: string): string | undefined } }
    readonly details?: {
      readonly authenticationErrorDetail?: string
      readonly AuthenticationErrorDetail?: string
    }
  }
  const header = (field: string) => response?.headers?.get(field)
  // a HEAD has no body, so its code is in a header
  const known = typeof code === 'string' ? code : header('x-ms-error-code')
  const detail = details?.authenticationErrorDetail ?? details?.AuthenticationErrorDetail
  return {
    code: known ?? (statusCode === undefined ? name : `HTTP ${statusCode}`),
    status: statusCode,
    message: firstLine([message ?? String(error), detail].filter(part => part !== undefined)),
    retryAfterMs: retryAfterMs(header('retry-after')),
  }
}

/** Without RequestId and Time, which are in the cause. What a signature was made of is never shown. */
function firstLine(parts: readonly string[]): string {
  const lines = parts.map(part => part.split('\n')[0] ?? '').filter(line => line !== '')
  return lines.join(' ').replace(/\bsig(nature)?=[^&\s]+/gi, 'sig=…')
}

function kindOf(failure: Failure, place?: StoragePlace): Kind | undefined {
  const { code, status, message } = failure
  if (status === 403 && /not valid in the specified time frame/i.test(message)) {
    // [start - expiry - now]
    const [start, , now] = [...message.matchAll(/\b\w{3}, \d{2} \w{3} \d{4} [\d:]{8} GMT/g)].map(([t]) =>
      Date.parse(t),
    )
    return start !== undefined && now !== undefined && now < start ? 'clock' : 'expired'
  }
  if (status === 403 && /date header/i.test(message)) return 'clock'
  const known = KIND_BY_CODE[code]
  if (known !== undefined) return known
  if (status === undefined) return isConnectionError(failure) ? 'passing' : undefined
  if (status === 404) return place?.key === undefined ? 'noBucket' : 'noObject'
  return KIND_BY_STATUS[status] ?? (status >= 500 ? 'passing' : undefined)
}

/** No answer came, for a reason that may pass: reset, refused, timed out, not resolved, ended too early. */
function isConnectionError({ code, message }: Failure): boolean {
  if (LASTING_CONNECTION.test(code)) return false
  return (
    /^(E[A-Z_]+|UND_ERR_[A-Z_]+|TimeoutError|REQUEST_SEND_ERROR|PARSE_ERROR)$/.test(code) ||
    /^(aborted|socket hang up|premature close)$/i.test(message) ||
    // what the SDK says of a body that ended early
    message.startsWith('Data corruption failure') ||
    (code === 'AbortError' && message.startsWith('The operation was aborted'))
  )
}

function accessAdvice({ code, status, message }: Failure, place: StoragePlace): string {
  if (/^(Aggregate)?Authentication|^CredentialUnavailable/.test(code) && status === undefined) {
    return `no credentials were found or accepted (${message})`
  }
  if (code === 'AuthenticationFailed') {
    return `the signature or the token was refused (${code}): check storage_account_name and the key, or sas_token`
  }
  if (code === 'KeyBasedAuthenticationNotPermitted') {
    return 'the account does not take keys: leave storage_account_key out and use an identity'
  }
  const why = status === undefined ? code : `${code}, HTTP ${status}`
  return `access was refused (${why}): the credentials lack the right to ${place.operation} here`
}

function adviceFor({ code }: Failure): string {
  switch (code) {
    case 'InvalidResourceName':
    case 'OutOfRangeInput':
      return '; names of containers have 3 to 63 lower-case letters, digits and single hyphens'
    case 'ContainerAlreadyExists':
      return '; choose another storage_bucket'
    case 'RequestBodyTooLarge':
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
