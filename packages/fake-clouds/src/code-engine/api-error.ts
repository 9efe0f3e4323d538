/** A request that the API refuses, in its own form. From: "Error handling" of https://cloud.ibm.com/apidocs/codeengine/v2. */
export class ApiRefusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
  }
}

export const refusals = {
  unauthorized: () => new ApiRefusal(401, 'unauthorized', 'The token is expired or invalid.'),
  forbidden: (what: string) => new ApiRefusal(403, 'forbidden', `You are not authorized to ${what}.`),
  notFound: (kind: string, name: string) =>
    new ApiRefusal(404, `${kind}_not_found`, `The ${kind.replaceAll('_', ' ')} '${name}' was not found.`),
  exists: (kind: string, name: string) =>
    new ApiRefusal(
      409,
      `${kind}_already_exists`,
      `A ${kind.replaceAll('_', ' ')} with the name '${name}' already exists.`,
    ),
  changed: () =>
    new ApiRefusal(412, 'precondition_failed', 'The entity tag does not match: the resource was changed.'),
  invalid: (message: string) => new ApiRefusal(400, 'bad_request', message),
  // words of its own for this are not documented
  overQuota: (kinds: string, most: number) =>
    new ApiRefusal(
      403,
      'quota_exceeded',
      `The project has reached the limit of ${most} ${kinds.replaceAll('_', ' ')}.`,
    ),
}
