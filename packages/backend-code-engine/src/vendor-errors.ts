import { LithopsError, RuntimeDeployError } from '@lithops/core/driver'

/** An answer of the API, or of IAM, that is none of success. */
export class ApiError extends Error {
  override readonly name = 'ApiError'

  constructor(
    readonly status: number,
    /** Such as 'project_not_found'; empty where there was none. */
    readonly code: string,
    message: string,
    /** By which IBM's support finds the request. */
    readonly trace: string | undefined,
    /** What it asked to wait. */
    readonly retryAfterMs: number | undefined,
    readonly isOfIam = false,
  ) {
    super(message)
  }
}

/** No answer came. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'

  constructor(
    message: string,
    readonly code: string | undefined,
  ) {
    super(message)
  }
}

interface ErrorBody {
  readonly errors?: readonly { readonly code?: string; readonly message?: string }[]
  readonly trace?: string
  // of IAM
  readonly errorCode?: string
  readonly errorMessage?: string
}

/**
 * An error of IBM's library as one of these two. Its own holds the whole answer, and that of IAM the request with the API key:
 * neither goes any further.
 */
export function bareError(error: unknown, isOfIam: boolean): ApiError | ConnectionError {
  const { status, statusText, result, message, headers } = error as {
    readonly status?: number
    readonly statusText?: string
    readonly result?: ErrorBody
    readonly message?: string
    readonly headers?: { readonly 'retry-after'?: string }
  }
  if (status === undefined) return new ConnectionError(message ?? String(error), statusText)
  const [first] = result?.errors ?? []
  const seconds = Number(headers?.['retry-after'])
  return new ApiError(
    status,
    first?.code ?? result?.errorCode ?? '',
    first?.message ?? result?.errorMessage ?? message ?? '',
    result?.trace,
    seconds > 0 ? seconds * 1000 : undefined,
    isOfIam,
  )
}

export function hasStatus(error: unknown, ...statuses: number[]): boolean {
  return error instanceof ApiError && !error.isOfIam && statuses.includes(error.status)
}

/** Whether the same request may succeed a moment later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ConnectionError)
    return !/^(ENOTFOUND|ERR_TLS|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|ERR_INVALID)/.test(error.code ?? '')
  return error instanceof ApiError && (error.status === 429 || (error.status >= 500 && error.status !== 501))
}

/** What a refusal for want of quota is of. From: "Limits and quotas for Code Engine". */
const QUOTAS: readonly (readonly [RegExp, string, string])[] = [
  [
    /job ?_?runs?\b/i,
    'job runs',
    'a project keeps 100; `lithops clean -b code_engine` removes those that are over',
  ],
  [
    /config ?_?maps?\b/i,
    'config maps',
    'a project has 100; `lithops clean -b code_engine` removes those of runs that are over',
  ],
  [/secrets?\b/i, 'secrets', 'a project has 100; `lithops clean -b code_engine` removes yours'],
  [
    /\bapp(lication)?s?\b|services\.serving\.knative/i,
    'applications',
    'a project has 40; `lithops clean -b code_engine` removes yours',
  ],
  [/\bjob(definition)?s?\b/i, 'jobs', 'a project has 100; `lithops clean -b code_engine` removes yours'],
  [/\bprojects?\b/i, 'projects', 'a region has 20; name one that is there with code_engine.project_name'],
  [
    /instances?\b|\bpods\b/i,
    'instances',
    'a project runs 250 at once; lower code_engine.max_workers, or let IBM raise it',
  ],
  [
    /memory/i,
    'memory',
    'a project has 512 G at once; lower code_engine.max_workers or runtime_memory, or let IBM raise it',
  ],
  [
    /\bv?cpus?\b/i,
    'CPU',
    'a project has 128 at once; lower code_engine.max_workers or runtime_cpu, or let IBM raise it',
  ],
]
/** Kubernetes, which keeps the quotas, says it so: its message has names of things too, which say nothing. */
const REQUESTED = /exceeded quota: [^,]*, requested: (.*?), used: /
const OF_QUOTA = /quota|(limit|maximum)\b.*\b(reach|exceed)|(reach|exceed)\w*\b.*\b(limit|maximum)|too many/i

/** Which quota an error is about, and what to do; undefined for one of something else. */
export function quotaIn(error: unknown): { readonly quota: string; readonly advice: string } | undefined {
  if (!(error instanceof ApiError) || error.isOfIam || error.status >= 500) return undefined
  if (!OF_QUOTA.test(error.message) && !/quota|limit/i.test(error.code)) return undefined
  // 429 without more is a rate of requests
  const said = REQUESTED.exec(error.message)?.[1] ?? `${error.message} ${error.code.replaceAll('_', ' ')}`
  const found = QUOTAS.find(([pattern]) => pattern.test(said))
  if (found === undefined) return undefined
  const [, quota, advice] = found
  return { quota, advice }
}

/** An error of the API as one of ours: what was tried, what it said, and what to do. */
export function platformError(error: unknown, step: string): LithopsError {
  if (LithopsError.isInstance(error)) return error
  if (error instanceof ConnectionError)
    return new RuntimeDeployError(
      `Code Engine: ${step} failed: ${error.message}${error.code === undefined ? '' : ` (${error.code})`}. Check code_engine.region and endpoint, and that this machine can reach it.`,
      { isRetryable: true, details: { step, errorCode: error.code }, cause: error },
    )
  if (!(error instanceof ApiError))
    return new RuntimeDeployError(`Code Engine: ${step} failed: ${(error as Error).message}`, {
      details: { step },
      cause: error,
    })
  const { status, code, message, trace, isOfIam } = error
  const details = { step, status, errorCode: code, trace }
  if (isOfIam && status < 500 && status !== 429)
    return new RuntimeDeployError(
      `IAM gives no token for ibm.iam_api_key (${status} ${code}: ${message}). Check the key, and that it was not deleted: \`ibmcloud iam api-keys\`.`,
      { details, cause: error },
    )
  const quota = quotaIn(error)
  const said = `Code Engine: ${step} failed (${status}${code === '' ? '' : ` ${code}`}: ${message.replace(/\.$/, '')}).`
  return new RuntimeDeployError(
    quota === undefined
      ? `${said}${adviceFor(status)}`
      : `${said} The quota of ${quota.quota} is used up: ${quota.advice}.`,
    {
      isRetryable: mayPass(error),
      details: { ...details, ...(quota === undefined ? {} : { quota: quota.quota }) },
      cause: error,
    },
  )
}

function adviceFor(status: number): string {
  if (status === 401) return ' The token was refused twice: check ibm.iam_api_key.'
  if (status === 403) return ' `lithops runtime policies -b code_engine` prints the roles that are needed.'
  return ''
}
