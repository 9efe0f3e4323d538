import { LithopsError, RuntimeDeployError, runStep } from '@lithops/core/driver'

/** What Google's APIs say of a request that they refused. From: AIP-193, "Errors". */
export interface GoogleFailure {
  /** Of HTTP; undefined where there was no answer. */
  readonly httpStatus: number | undefined
  /** Canonical code, such as 'RESOURCE_EXHAUSTED'. */
  readonly code: string
  readonly message: string
  /** Metadata of ErrorInfo: of a quota its name, limit and what it counts. */
  readonly info: Readonly<Record<string, string>>
}

/** An answer of an API that is no success; thrown by requests that go past the official clients. */
export class GoogleRequestError extends Error {
  override readonly name = 'GoogleRequestError'
  readonly status: number
  readonly body: string

  constructor(status: number, body: string) {
    super(`status ${status}`)
    this.status = status
    this.body = body
  }
}

interface ErrorBody {
  readonly error?: {
    readonly code?: number
    readonly message?: string
    readonly status?: string
    readonly details?: readonly { readonly metadata?: Readonly<Record<string, string>> }[]
  }
}

/** Canonical codes by number, and the statuses that they have over HTTP. From: google/rpc/code.proto. */
const CODES: readonly (readonly [string, number])[] = [
  ['OK', 200],
  ['CANCELLED', 499],
  ['UNKNOWN', 500],
  ['INVALID_ARGUMENT', 400],
  ['DEADLINE_EXCEEDED', 504],
  ['NOT_FOUND', 404],
  ['ALREADY_EXISTS', 409],
  ['PERMISSION_DENIED', 403],
  ['RESOURCE_EXHAUSTED', 429],
  ['FAILED_PRECONDITION', 400],
  ['ABORTED', 409],
  ['OUT_OF_RANGE', 400],
  ['UNIMPLEMENTED', 501],
  ['INTERNAL', 500],
  ['UNAVAILABLE', 503],
  ['DATA_LOSS', 500],
  ['UNAUTHENTICATED', 401],
]
const BROKEN = /^(ECONNRESET|EPIPE|ETIMEDOUT|EAI_AGAIN|ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|TimeoutError)$/
const SHOWN_CHARACTERS = 1000

/** Reads an error of the official client, of Google's HTTP library below it, or of `googleRequest`. */
export function failureOf(error: unknown): GoogleFailure {
  const { message, code, status, response, body, errorInfoMetadata } = error as Error & {
    readonly code?: string | number
    readonly status?: number | string
    readonly response?: { readonly status?: number; readonly data?: unknown }
    readonly body?: string
    readonly errorInfoMetadata?: Readonly<Record<string, string>>
  }
  const httpStatus = response?.status ?? (typeof status === 'number' ? status : undefined)
  if (httpStatus !== undefined) {
    const { error: said } = bodyIn(body ?? response?.data ?? message)
    const info = said?.details?.find(detail => detail.metadata !== undefined)?.metadata ?? {}
    return {
      httpStatus,
      code: said?.status ?? CODES.find(([, one]) => one === httpStatus)?.[0] ?? 'UNKNOWN',
      message: (said?.message ?? message).slice(0, SHOWN_CHARACTERS),
      info,
    }
  }
  // a code by number is that of an operation that failed, or of the official client
  const known = typeof code === 'number' ? CODES[code] : undefined
  if (known !== undefined)
    return {
      httpStatus: known[1],
      code: known[0],
      message: message.replace(/^\d+ [A-Z_]+: /, ''),
      info: errorInfoMetadata ?? {},
    }
  return { httpStatus: undefined, code: String(code ?? (error as Error).name), message, info: {} }
}

/** Whether the API refused with one of these canonical codes. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && !LithopsError.isInstance(error) && codes.includes(failureOf(error).code)
}

/** Whether the same request may succeed a moment later: the API is busy, or the connection broke. */
export function mayPass(error: unknown): boolean {
  if (LithopsError.isInstance(error)) return error.isRetryable
  const { httpStatus, code, message } = failureOf(error)
  if (httpStatus === undefined) return BROKEN.test(code) || /socket hang up|fetch failed/.test(message)
  // a quota that counts what is there does not pass by waiting
  return (httpStatus === 429 && quotaIn({ message, info: {} })?.isRate !== false) || httpStatus >= 500
}

/** Whether what was asked for may have begun although it failed so: what was refused for now has not. */
export function mayHaveBegun(error: unknown): boolean {
  return mayPass(error) && failureOf(error).httpStatus !== 429
}

export interface Quota {
  /** As the platform names it, such as 'CpuAllocPerProjectRegion'. */
  readonly quota: string
  readonly requested?: string
  readonly limited?: string
  /** It counts requests in a time, and passes. */
  readonly isRate: boolean
}

/**
 * The quota that is used up. From: what Cloud Run says of instances ("Quota violated: CpuAllocPerProjectRegion requested: … allowed: …"),
 * and Service Usage of requests ("Quota exceeded for quota metric '…' and limit '…' of service …").
 */
export function quotaIn({ message, info }: Pick<GoogleFailure, 'message' | 'info'>): Quota | undefined {
  const violated = /Quota violated:\s*(\w+) requested: (\d+) allowed: (\d+)/.exec(message)
  if (violated !== null)
    return {
      quota: violated[1] ?? '',
      requested: violated[2] ?? '',
      limited: violated[3] ?? '',
      isRate: false,
    }
  const counted = /Quota exceeded for total allowable (?:count of )?(.+?) per project per region/.exec(
    message,
  )
  if (counted !== null) return { quota: counted[1] ?? '', isRate: false }
  const named = /Quota exceeded for quota metric '([^']+)' and limit '([^']+)'/.exec(message)
  const quota = info.quota_limit ?? named?.[2]
  if (quota === undefined) return undefined
  const limited = info.quota_limit_value === undefined ? {} : { limited: info.quota_limit_value }
  return { quota, ...limited, isRate: /per (minute|second|day)|PerMinute|PerSecond|PerDay/i.test(quota) }
}

/** An error of an API as one of ours: what was tried, what Google said, and what to do. */
export function googleError(error: unknown, step: string): LithopsError {
  if (LithopsError.isInstance(error)) return error
  const failure = failureOf(error)
  const { httpStatus, code, message } = failure
  const quota = quotaIn(failure)
  const cause = new Error(`${code}: ${message}`) // the libraries' own errors have whole requests in them
  if (httpStatus === undefined)
    return new RuntimeDeployError(
      `Google Cloud: ${step} failed: the API cannot be reached (${code}: ${message}). Check the network, and gcp_cloudrun.endpoint where it is set.`,
      { isRetryable: true, details: { step, errorCode: code }, cause },
    )
  return new RuntimeDeployError(
    `Google Cloud: ${step} failed (${httpStatus} ${code}: ${message.replace(/\.$/, '')}).${adviceFor(failure, quota)}`,
    {
      isRetryable: mayPass(error),
      details: {
        step,
        status: httpStatus,
        reason: code,
        ...(quota === undefined
          ? {}
          : { quota: quota.quota, requested: quota.requested, limited: quota.limited }),
      },
      cause,
    },
  )
}

/** What to do about a quota that is used up. */
export function adviceForQuota({ quota, isRate }: Quota): string {
  if (quota === 'jobs')
    return ` The quota '${quota}' of the region is used up: it has 1,000. \`lithops clean -b gcp_cloudrun\` removes yours; or ask for more at https://cloud.google.com/run/quotas.`
  if (isRate) return ` The quota '${quota}' of the project is used up for the moment.`
  return ` The quota '${quota}' of the region does not allow so much: lower gcp_cloudrun.max_workers, runtime_cpu or runtime_memory, or ask for more at https://cloud.google.com/run/quotas.`
}

function adviceFor({ code, message }: GoogleFailure, quota: Quota | undefined): string {
  if (quota !== undefined) return adviceForQuota(quota)
  if (/has not been used in project|is disabled/.test(message))
    return ' Enable it: `gcloud services enable run.googleapis.com artifactregistry.googleapis.com secretmanager.googleapis.com`.'
  const right = /Permission '([^']+)'/.exec(message)?.[1]
  if (code === 'PERMISSION_DENIED')
    return `${right === undefined ? '' : ` The caller needs the right ${right}.`} \`lithops runtime policies -b gcp_cloudrun\` prints the roles that are needed.`
  if (code === 'UNAUTHENTICATED') return ' Check the credentials, and the clock of this machine.'
  return ''
}

/** Runs one step of an API; an aborted signal rejects with its reason. */
export function attempt<T>(step: string, signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
  return runStep(act, { signal, explain: error => googleError(error, step) })
}

function bodyIn(text: unknown): ErrorBody {
  if (typeof text === 'object' && text !== null) return text as ErrorBody
  try {
    const value = JSON.parse(String(text)) as ErrorBody | readonly ErrorBody[] | null
    return (Array.isArray(value) ? value[0] : value) ?? {}
  } catch {
    return {}
  }
}
