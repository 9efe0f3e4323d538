import { answer, type Fault } from './faults.ts'

/**
 * An error as Azure Blob Storage gives it. Source: "Status and error codes" of its REST API reference, read in November
 * 2026; Azurite answers in the same form. A HEAD has the code in its header alone.
 */
export function azureError(
  status: number,
  code: string,
  message: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly detail?: string } = {},
): Fault {
  const { headers = {}, detail } = options
  const more = detail === undefined ? '' : `<AuthenticationErrorDetail>${detail}</AuthenticationErrorDetail>`
  const body =
    '<?xml version="1.0" encoding="utf-8"?>' +
    `<Error><Code>${code}</Code><Message>${message}\nRequestId:00000000-0000-0000-0000-000000000001\nTime:2026-11-24T08:00:00.0000000Z</Message>${more}</Error>`
  return answer(status, {
    headers: { 'content-type': 'application/xml', 'x-ms-error-code': code, ...headers },
    body,
  })
}

/** The faults of Azure Blob Storage that a driver must tell apart. */
export const azureFaults = {
  slowDown: () => azureError(503, 'ServerBusy', 'The server is busy.'),
  throttled: (retryAfterS: number) =>
    azureError(429, 'TooManyRequests', 'Too many requests.', {
      headers: { 'retry-after': String(retryAfterS) },
    }),
  internalError: () =>
    azureError(
      500,
      'InternalError',
      'Server encountered an internal error. Please try again after some time.',
    ),
  accessDenied: () =>
    azureError(
      403,
      'AuthorizationPermissionMismatch',
      'This request is not authorized to perform this operation using this permission.',
    ),
  expiredToken: () =>
    azureError(
      403,
      'AuthenticationFailed',
      'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.',
      {
        detail:
          'Signature not valid in the specified time frame: Start [Mon, 23 Nov 2026 08:00:00 GMT] - Expiry [Mon, 23 Nov 2026 09:00:00 GMT] - Current [Tue, 24 Nov 2026 08:00:00 GMT]',
      },
    ),
  beingDeleted: () =>
    azureError(
      409,
      'ContainerBeingDeleted',
      'The specified container is being deleted. Try operation later.',
    ),
} as const
