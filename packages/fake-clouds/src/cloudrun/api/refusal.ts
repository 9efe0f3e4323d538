/** What an API answers in place of success. From: AIP-193, "Errors". */
export class Refusal extends Error {
  readonly status: number
  readonly body: string

  constructor(code: number, status: string, message: string, metadata?: Readonly<Record<string, string>>) {
    super(message)
    this.status = code
    const details =
      metadata === undefined
        ? {}
        : {
            details: [
              {
                '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
                reason: metadata.reason ?? status,
                domain: 'googleapis.com',
                metadata,
              },
            ],
          }
    this.body = JSON.stringify({ error: { code, message, status, ...details } })
  }
}

export const refusals = {
  unauthenticated: () =>
    new Refusal(
      401,
      'UNAUTHENTICATED',
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
    ),
  denied: (permission: string, resource: string) =>
    new Refusal(
      403,
      'PERMISSION_DENIED',
      `Permission '${permission}' denied on resource '${resource}' (or resource may not exist).`,
      { permission, resource, reason: 'IAM_PERMISSION_DENIED' },
    ),
  notFound: (what: string) => new Refusal(404, 'NOT_FOUND', `${what} could not be found.`),
  exists: (what: string) => new Refusal(409, 'ALREADY_EXISTS', `${what} already exists.`),
  aborted: (what: string) =>
    new Refusal(
      409,
      'ABORTED',
      `Conflict for resource '${what}': version was specified, but the current one is another.`,
    ),
  /** There are as many as there may be. */
  full: (what: string) =>
    new Refusal(
      429,
      'RESOURCE_EXHAUSTED',
      `Quota exceeded for total allowable count of ${what} per project per region.`,
    ),
  failedPrecondition: (message: string) => new Refusal(400, 'FAILED_PRECONDITION', message),
  invalid: (message: string) => new Refusal(400, 'INVALID_ARGUMENT', message),
  /** Too many requests in a minute. */
  rate: (limit: string) =>
    new Refusal(
      429,
      'RESOURCE_EXHAUSTED',
      `Quota exceeded for quota metric 'Write requests' and limit '${limit}' of service 'run.googleapis.com' for consumer 'project_number:123456789012'.`,
      { quota_limit: limit.replaceAll(' ', ''), quota_limit_value: '180', reason: 'RATE_LIMIT_EXCEEDED' },
    ),
}
