import { answer, type Fault } from './faults.ts'

/**
 * An error as the JSON API of Google Cloud Storage gives it. Source: "HTTP status and error codes for JSON" of its
 * reference, read in November 2026; fake-gcs-server answers in the same form.
 */
export function gcsError(
  status: number,
  reason: string,
  message: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly domain?: string } = {},
): Fault {
  const { headers = {}, domain = 'global' } = options
  const error = { code: status, message, errors: [{ message, domain, reason }] }
  return answer(status, {
    headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
    body: JSON.stringify({ error }),
  })
}

/** The faults of Google Cloud Storage that a driver must tell apart. */
export const gcsFaults = {
  slowDown: () => gcsError(503, 'backendError', 'We encountered an internal error. Please try again.'),
  throttled: (retryAfterS: number) =>
    gcsError(
      429,
      'rateLimitExceeded',
      'The object exceeded the rate limit for object mutation operations (create, update, and delete). Please reduce your request rate.',
      { headers: { 'retry-after': String(retryAfterS) }, domain: 'usageLimits' },
    ),
  internalError: () => gcsError(500, 'backendError', 'We encountered an internal error. Please try again.'),
  accessDenied: () =>
    gcsError(
      403,
      'forbidden',
      "worker@project.iam.gserviceaccount.com does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist).",
    ),
  expiredToken: () =>
    gcsError(401, 'authError', 'Invalid Credentials', {
      headers: {
        'www-authenticate': 'Bearer realm="https://accounts.google.com/", error="invalid_token"',
      },
    }),
} as const
