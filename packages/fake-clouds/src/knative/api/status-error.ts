/** A refusal in the form of Kubernetes: an object of kind Status. */
export class StatusError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: number,
    reason: string,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
  }

  get body(): string {
    const { code, reason, message, details } = this
    return JSON.stringify({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      details,
      code,
    })
  }
}

/** A kind of objects, as paths and messages name it. */
export interface Resource {
  /** Empty for those of Kubernetes itself. */
  readonly group: string
  readonly plural: string
}

function named({ group, plural }: Resource): string {
  return group === '' ? plural : `${plural}.${group}`
}

export const refusals = {
  notFound: (resource: Resource, name: string) =>
    new StatusError(404, 'NotFound', `${named(resource)} "${name}" not found`, {
      name,
      group: resource.group,
      kind: resource.plural,
    }),
  alreadyExists: (resource: Resource, name: string) =>
    new StatusError(409, 'AlreadyExists', `${named(resource)} "${name}" already exists`, { name }),
  conflict: (resource: Resource, name: string) =>
    new StatusError(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${named(resource)} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
      { name },
    ),
  unauthorized: () => new StatusError(401, 'Unauthorized', 'Unauthorized'),
  forbidden: (user: string, verb: string, resource: Resource, namespace: string | undefined) =>
    new StatusError(
      403,
      'Forbidden',
      `${named(resource)} is forbidden: User "${user}" cannot ${verb} resource "${resource.plural}" in API group "${resource.group}" ${
        namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`
      }`,
    ),
  /** What a webhook of Knative's says of an object that it does not take. */
  denied: (message: string) =>
    new StatusError(
      400,
      'BadRequest',
      `admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: ${message}`,
    ),
  overQuota: (
    resource: Resource,
    name: string,
    quota: {
      readonly name: string
      readonly requested: string
      readonly used: string
      readonly limited: string
    },
  ) =>
    new StatusError(
      403,
      'Forbidden',
      `${named(resource)} "${name}" is forbidden: exceeded quota: ${quota.name}, requested: ${quota.requested}, used: ${quota.used}, limited: ${quota.limited}`,
    ),
}
