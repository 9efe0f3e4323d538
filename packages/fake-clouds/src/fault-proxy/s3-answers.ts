import { answer, type Fault } from './faults.ts'

/**
 * An error as S3 gives it. Source: "Error responses" of the Amazon S3 API reference, read in November 2026; Ceph RGW and
 * MinIO answer in the same form.
 */
export function s3Error(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Fault {
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>TX0000001</RequestId><HostId>fault-proxy</HostId></Error>`
  return answer(status, { headers: { 'content-type': 'application/xml', ...headers }, body })
}

/** The faults of S3 that a driver must tell apart. */
export const s3Faults = {
  slowDown: () => s3Error(503, 'SlowDown', 'Please reduce your request rate.'),
  throttled: (retryAfterS: number) =>
    s3Error(429, 'TooManyRequests', 'Too many requests.', { 'retry-after': String(retryAfterS) }),
  internalError: () => s3Error(500, 'InternalError', 'We encountered an internal error. Please try again.'),
  accessDenied: () => s3Error(403, 'AccessDenied', 'Access Denied'),
  expiredToken: () => s3Error(400, 'ExpiredToken', 'The provided token has expired.'),
  requestTimeTooSkewed: () =>
    s3Error(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
    ),
  conditionalConflict: () =>
    s3Error(
      409,
      'ConditionalRequestConflict',
      'A conflicting conditional operation is currently in progress.',
    ),
} as const
