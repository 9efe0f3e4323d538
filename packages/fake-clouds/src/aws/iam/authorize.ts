import { AwsError } from '../http/aws-error.ts'
import type { AwsRequest } from '../http/aws-service.ts'
import type { Identity } from '../http/credentials.ts'
import { isAllowed, type PolicyQuestion } from './policy.ts'

/** Where policies name an action otherwise than the API its operation. From: the service authorization reference. */
const ACTIONS: Readonly<Record<string, string>> = {
  'lambda:GetLayerVersionByArn': 'lambda:GetLayerVersion',
  'lambda:Invoke': 'lambda:InvokeFunction',
}

/** Operations that give a role away. */
const PASSING_ROLES = new Set(['lambda:CreateFunction', 'lambda:UpdateFunctionConfiguration'])

/** Throws what AWS answers when the caller's policies do not allow something. */
export function authorize(caller: Identity, operation: string, resource: string, request: AwsRequest): void {
  // nobody can be kept from this
  if (caller.policies === undefined || operation === 'sts:GetCallerIdentity') return
  const action = ACTIONS[operation] ?? operation
  demand(caller, caller.policies, { action, resource })
  if (!PASSING_ROLES.has(operation)) return
  const { Role } = JSON.parse(request.body.toString()) as { readonly Role?: string }
  if (Role === undefined) return
  const context = { 'iam:PassedToService': 'lambda.amazonaws.com' }
  demand(caller, caller.policies, { action: 'iam:PassRole', resource: Role, context })
}

function demand(caller: Identity, policies: readonly object[], question: PolicyQuestion): void {
  if (isAllowed(policies, question)) return
  const { action, resource = '*' } = question
  const why = 'because no identity-based policy allows the action'
  const isQuery = /^(?:iam|sts):(?!PassRole)/.test(action)
  const isJson = /^(?:ecr|logs):/.test(action)
  throw new AwsError(
    isJson ? 400 : 403,
    isQuery ? 'AccessDenied' : 'AccessDeniedException',
    `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
  )
}
