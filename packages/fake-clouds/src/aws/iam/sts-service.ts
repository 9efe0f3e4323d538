import { AwsError } from '../http/aws-error.ts'
import type { AwsAnswer, AwsRequest, AwsService } from '../http/aws-service.ts'
import type { Credentials } from '../http/credentials.ts'
import { queryAnswer, queryParameters, required } from '../http/query-service.ts'
import { type Roles, trusts } from './roles.ts'

const BODY_LIMIT_BYTES = 1024 * 1024
const OPERATIONS = ['AssumeRole', 'GetCallerIdentity']

/** Who somebody is, and sessions of roles. */
export class StsService implements AwsService {
  readonly name = 'sts'
  readonly protocol = 'query'
  readonly #roles: Roles
  readonly #credentials: Credentials

  constructor(roles: Roles, credentials: Credentials) {
    this.#roles = roles
    this.#credentials = credentials
  }

  bodyLimitBytes(): number {
    return BODY_LIMIT_BYTES
  }

  operationOf(request: Omit<AwsRequest, 'caller'>): string | undefined {
    const action = queryParameters(request).get('Action') ?? ''
    return OPERATIONS.includes(action) ? action : undefined
  }

  resourceOf(operation: string, request: AwsRequest): string {
    return operation === 'AssumeRole' ? (queryParameters(request).get('RoleArn') ?? '*') : '*'
  }

  answer(operation: string, request: AwsRequest): AwsAnswer {
    if (operation === 'AssumeRole') return this.#assumeRole(request)
    const { arn, userId, accountId } = request.caller
    return queryAnswer('sts', operation, request, { Arn: arn, UserId: userId, Account: accountId })
  }

  #assumeRole(request: AwsRequest): AwsAnswer {
    const parameters = queryParameters(request)
    const arn = required(parameters, 'RoleArn')
    const sessionName = required(parameters, 'RoleSessionName')
    const lifetimeS = Number(parameters.get('DurationSeconds') ?? 3600)
    const role = this.#roles.findByArn(arn)
    const { caller } = request
    const principals = [caller.arn, `arn:aws:iam::${caller.accountId}:root`, caller.accountId]
    if (role === undefined || !principals.some(AWS => trusts(role, { AWS }))) {
      throw new AwsError(
        403,
        'AccessDenied',
        `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
      )
    }
    if (lifetimeS < 900 || lifetimeS > role.maxSessionS) {
      throw new AwsError(
        400,
        'ValidationError',
        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      )
    }
    const session = this.#credentials.addSession(
      {
        arn: `arn:aws:sts::${caller.accountId}:assumed-role/${role.name}/${sessionName}`,
        userId: `${role.id}:${sessionName}`,
        accountId: caller.accountId,
        ...(role.policies.size > 0 && { policies: [...role.policies.values()] }),
      },
      lifetimeS,
    )
    return queryAnswer('sts', 'AssumeRole', request, {
      Credentials: {
        AccessKeyId: session.accessKeyId,
        SecretAccessKey: session.secretAccessKey,
        SessionToken: session.sessionToken,
        Expiration: new Date(session.expiresAtMs ?? 0).toISOString().replace(/\.\d{3}/, ''),
      },
      AssumedRoleUser: { AssumedRoleId: session.identity.userId, Arn: session.identity.arn },
    })
  }
}
