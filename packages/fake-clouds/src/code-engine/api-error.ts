/**
 * A request that the API refuses, in its own form. From: "Getting started with the API" of Code Engine's documentation,
 * https://cloud.ibm.com/docs/codeengine?topic=codeengine-ceapi-getstart, which shows an answer with status 404.
 */
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

/** How Kubernetes counts things of a project in its quotas. */
const COUNTED: Readonly<Record<string, string>> = {
  jobs: 'count/jobdefinitions.codeengine.cloud.ibm.com',
  job_runs: 'count/jobruns.codeengine.cloud.ibm.com',
  apps: 'count/services.serving.knative.dev',
  config_maps: 'configmaps',
  secrets: 'secrets',
}

/**
 * Only the one of `notFound` is documented in all its parts. Of the others the status is, and their words are this stand-in's:
 * clients must go by the status.
 */
export const refusals = {
  unauthorized: () => new ApiRefusal(401, 'unauthorized', 'The token is expired or invalid.'),
  forbidden: (what: string) => new ApiRefusal(403, 'forbidden', `You are not authorized to ${what}.`),
  notFound: () => new ApiRefusal(404, 'resource_not_found', 'Resource not found.'),
  exists: (kind: string, name: string) =>
    new ApiRefusal(
      409,
      'resource_already_exists',
      `A ${kind.replaceAll('_', ' ')} with the name '${name}' already exists.`,
    ),
  changed: () =>
    new ApiRefusal(412, 'precondition_failed', 'The entity tag does not match: the resource was changed.'),
  invalid: (message: string) => new ApiRefusal(400, 'bad_request', message),
  /** "you receive a size limit exceeded error", as "Job size limit" of "Limits and quotas for Code Engine" says. */
  tooLarge: (bytes: number) =>
    new ApiRefusal(400, 'bad_request', `Size limit exceeded: the resource is larger than ${bytes} bytes.`),
  /**
   * The words of Kubernetes, which keeps the quotas of a project, as a user has met them in Code Engine:
   * https://github.com/lithops-cloud/lithops/issues/536. The code that the API gives with them is not documented.
   */
  overQuota: (kind: string, name: string, most: number) => {
    const counted = COUNTED[kind] ?? kind
    return new ApiRefusal(
      403,
      'forbidden',
      `${kind.replaceAll('_', '')} "${name}" is forbidden: exceeded quota: 4n0aofskzbm, requested: ${counted}=1, used: ${counted}=${most}, limited: ${counted}=${most}`,
    )
  },
}
