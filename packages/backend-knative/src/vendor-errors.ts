import { LithopsError, RuntimeDeployError, runStep } from '@lithops/core/driver'

/** What an error of the official client has: the status of the answer, and its body. */
interface ApiException extends Error {
  readonly code: number
  readonly body: unknown
}

/** What Kubernetes says of a request that it refused. From: "Status" of the API reference. */
interface StatusBody {
  readonly reason?: string
  readonly message?: string
}

function isApiException(error: unknown): error is ApiException {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'number' && 'body' in error
}

function statusOf(error: ApiException): StatusBody {
  const { body } = error
  if (typeof body === 'object' && body !== null) return body as StatusBody
  try {
    return (JSON.parse(String(body)) ?? {}) as StatusBody
  } catch {
    return { message: String(body).slice(0, 500) }
  }
}

/** Whether the cluster answered with this status. */
export function hasStatus(error: unknown, ...codes: number[]): boolean {
  return isApiException(error) && codes.includes(error.code)
}

/** Whether the cluster refused because of who asks, and not what. */
export function isUnauthorized(error: unknown): boolean {
  return hasStatus(error, 401)
}

/** Whether the same request may succeed a moment later: the cluster is busy, or the connection broke. */
export function mayPass(error: unknown): boolean {
  if (isApiException(error)) return error.code === 429 || error.code >= 500
  const { code = '' } = error as { readonly code?: string }
  return (
    /^(ECONNRESET|EPIPE|ETIMEDOUT|EAI_AGAIN)$/.test(code) || /socket hang up/.test((error as Error).message)
  )
}

/** Something with that name is there, or is still being removed: as opposed to a change that came too late. */
export function isThere(error: unknown): boolean {
  return isApiException(error) && error.code === 409 && statusOf(error).reason === 'AlreadyExists'
}

/** An error of the cluster as one of ours: what was tried, what it said, and what to do. */
export function clusterError(error: unknown, step: string): LithopsError {
  if (LithopsError.isInstance(error)) return error
  if (!isApiException(error)) return unreachable(error as Error, step)
  const { code: status } = error
  const { reason = '', message = '' } = statusOf(error)
  const isPassing = status === 429 || status >= 500
  return new RuntimeDeployError(
    `Kubernetes: ${step} failed (${status}${reason === '' ? '' : ` ${reason}`}: ${message}).${adviceFor(status, message)}`,
    {
      isRetryable: isPassing,
      details: { step, status, reason, ...quotaIn(message) },
      // the official error has whole answers in its message
      cause: new Error(`${status} ${reason}: ${message}`),
    },
  )
}

function unreachable(error: Error & { readonly code?: string }, step: string): RuntimeDeployError {
  const why = error.name === 'TimeoutError' ? 'no answer in time' : (error.code ?? error.message)
  return new RuntimeDeployError(
    `Kubernetes: ${step} failed: the cluster cannot be reached (${why}). Check the server of the kubeconfig, and that this machine can reach it.`,
    { isRetryable: true, details: { step, errorCode: error.code }, cause: error },
  )
}

function adviceFor(status: number, message: string): string {
  const quota = quotaIn(message)
  if (quota !== undefined)
    return ` The ResourceQuota '${quota.quota}' of the namespace is used up: raise it, or free some with \`lithops clean -b knative\`.`
  if (status === 401)
    return ' The token or certificate of the kubeconfig is wrong or has expired: log in to the cluster anew.'
  if (status === 403) return ' `lithops runtime policies -b knative` prints the Role that is needed.'
  if (status === 404 && /could not find the requested resource|page not found/.test(message))
    return ' Knative Serving is not installed in this cluster.'
  return ''
}

/** From: admission of ResourceQuota: "exceeded quota: NAME, requested: …, used: …, limited: …". */
export function quotaIn(
  message: string,
): { readonly quota: string; readonly requested: string; readonly limited: string } | undefined {
  const found =
    /exceeded quota: ([^,\s]+), requested: (.+?), used: .+?, limited: ([^\s;]+?)\.?(?:[\s;]|$)/.exec(message)
  if (found === null) return undefined
  const [, quota = '', requested = '', limited = ''] = found
  return { quota, requested, limited }
}

/** Runs one step of the cluster's API; an aborted signal rejects with its reason. */
export function attempt<T>(step: string, signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
  return runStep(act, { signal, explain: error => clusterError(error, step) })
}
