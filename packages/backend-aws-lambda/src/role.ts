import { ConfigError, type DriverLog } from '@lithops/core/driver'
import type { AwsClients } from './clients.ts'
import { type PolicyScope, TRUST_POLICY, workerPolicy } from './policies.ts'
import { attempt, isNamed } from './vendor-errors.ts'

const POLICY_NAME = 'lithops-worker'
const DESCRIPTION = 'Workers of Lithops for TypeScript'

export interface RoleOptions {
  readonly scope: PolicyScope
  readonly name: string
  readonly createsRole: boolean
  readonly log: DriverLog
  readonly signal?: AbortSignal | undefined
}

/** ARN of the role that workers get: the config's, or one that is made, where that is wanted. */
export async function roleFor(clients: AwsClients, options: RoleOptions): Promise<string> {
  const { scope, name, createsRole, log, signal } = options
  const { executionRole } = scope.settings
  if (executionRole !== undefined) return executionRole
  if (!createsRole) {
    throw new ConfigError(
      'aws_lambda.execution_role is missing: workers need a role. Put the ARN of one into the config, or let one be made: ' +
        '`lithops runtime deploy -b aws_lambda --create-role`, or `create_role: true` in the section aws_lambda.',
    )
  }
  const iam = await clients.iam()
  const { CreateRoleCommand, GetRoleCommand, PutRolePolicyCommand } = await import('@aws-sdk/client-iam')
  const found = await attempt(`looking for the role ${name}`, signal, () =>
    iam.send(new GetRoleCommand({ RoleName: name })).catch(error => {
      if (isNamed(error, 'NoSuchEntityException', 'NoSuchEntity')) return undefined
      throw error
    }),
  )
  const arn =
    found?.Role?.Arn ??
    (await attempt(`making the role ${name}`, signal, async () => {
      log.info(`making the role ${name} for workers of AWS Lambda`)
      const made = await iam
        .send(
          new CreateRoleCommand({
            RoleName: name,
            Description: DESCRIPTION,
            AssumeRolePolicyDocument: JSON.stringify(TRUST_POLICY),
          }),
        )
        .catch(error => {
          // another client was faster
          if (isNamed(error, 'EntityAlreadyExistsException', 'EntityAlreadyExists'))
            return iam.send(new GetRoleCommand({ RoleName: name }))
          throw error
        })
      return made.Role?.Arn
    }))
  await attempt(`giving the role ${name} its policy`, signal, () =>
    iam.send(
      new PutRolePolicyCommand({
        RoleName: name,
        PolicyName: POLICY_NAME,
        PolicyDocument: JSON.stringify(workerPolicy(scope)),
      }),
    ),
  )
  return arn as string
}

/** Removes the role if it was made by `roleFor`. Returns whether it was, or would be. */
export async function removeRole(
  clients: AwsClients,
  name: string,
  { dryRun }: { readonly dryRun: boolean },
): Promise<boolean> {
  const iam = await clients.iam()
  const { DeleteRoleCommand, DeleteRolePolicyCommand, GetRoleCommand } = await import('@aws-sdk/client-iam')
  const isGone = (error: unknown) => {
    if (!isNamed(error, 'NoSuchEntityException', 'NoSuchEntity')) throw error
    return undefined
  }
  const found = await iam.send(new GetRoleCommand({ RoleName: name })).catch(isGone)
  if (found?.Role?.Description !== DESCRIPTION) return false
  if (dryRun) return true
  await iam.send(new DeleteRolePolicyCommand({ RoleName: name, PolicyName: POLICY_NAME })).catch(isGone)
  await iam.send(new DeleteRoleCommand({ RoleName: name })).catch(isGone)
  return true
}
