import { AwsError } from '../http/aws-error.ts'
import type { AwsAnswer, AwsRequest, AwsService } from '../http/aws-service.ts'
import { queryAnswer, queryParameters, required } from '../http/query-service.ts'
import type { XmlValue } from '../http/xml.ts'
import type { AwsSetting } from '../options.ts'
import type { Role, Roles } from './roles.ts'

const BODY_LIMIT_BYTES = 1024 * 1024
const PAGE_LENGTH = 100
const OPERATIONS = [
  'AttachRolePolicy',
  'CreateRole',
  'DeleteRole',
  'DeleteRolePolicy',
  'DetachRolePolicy',
  'GetRole',
  'GetRolePolicy',
  'ListAttachedRolePolicies',
  'ListRolePolicies',
  'ListRoles',
  'ListRoleTags',
  'PutRolePolicy',
  'TagRole',
  'UntagRole',
]

/** Roles over the IAM API. */
export class IamService implements AwsService {
  readonly name = 'iam'
  readonly protocol = 'query'
  readonly #setting: AwsSetting
  readonly #roles: Roles

  constructor(setting: AwsSetting, roles: Roles) {
    this.#setting = setting
    this.#roles = roles
  }

  bodyLimitBytes(): number {
    return BODY_LIMIT_BYTES
  }

  operationOf(request: Omit<AwsRequest, 'caller'>): string | undefined {
    const action = queryParameters(request).get('Action') ?? ''
    return OPERATIONS.includes(action) ? action : undefined
  }

  resourceOf(operation: string, request: AwsRequest): string {
    const parameters = queryParameters(request)
    const path = operation === 'ListRoles' ? '/' : (parameters.get('Path') ?? '/')
    return `arn:aws:iam::${this.#setting.accountId}:role${path}${parameters.get('RoleName') ?? ''}`
  }

  answer(operation: string, request: AwsRequest): AwsAnswer {
    const parameters = queryParameters(request)
    const result = this.#run(operation, parameters)
    return queryAnswer('iam', operation, request, result)
  }

  #run(operation: string, parameters: URLSearchParams): { readonly [name: string]: XmlValue } | undefined {
    if (operation === 'ListRoles') return this.#list(parameters)
    const name = required(parameters, 'RoleName')
    if (operation === 'CreateRole') return { Role: viewOf(this.#create(name, parameters)) }
    if (operation === 'DeleteRole') return void this.#roles.delete(name)
    const role = this.#roles.get(name)
    switch (operation) {
      case 'GetRole':
        return { Role: viewOf(role) }
      case 'TagRole':
        for (const [key, value] of tagsOf(parameters)) role.tags.set(key, value)
        return undefined
      case 'UntagRole':
        for (const key of membersOf(parameters, 'TagKeys')) role.tags.delete(key)
        return undefined
      case 'ListRoleTags':
        return { Tags: tagList(role), IsTruncated: false }
      case 'AttachRolePolicy':
        role.attached.add(required(parameters, 'PolicyArn'))
        return undefined
      case 'DetachRolePolicy':
        if (role.attached.delete(required(parameters, 'PolicyArn'))) return undefined
        throw noEntity(`Policy ${parameters.get('PolicyArn')} was not found.`)
      case 'ListAttachedRolePolicies': {
        const AttachedPolicies = [...role.attached].map(arn => ({
          PolicyName: arn.split('/').at(-1),
          PolicyArn: arn,
        }))
        return { AttachedPolicies, IsTruncated: false }
      }
      case 'ListRolePolicies':
        return { PolicyNames: [...role.policies.keys()], IsTruncated: false }
      default:
        return this.#inlinePolicy(operation, role, parameters)
    }
  }

  #inlinePolicy(operation: string, role: Role, parameters: URLSearchParams) {
    const name = required(parameters, 'PolicyName')
    if (operation === 'PutRolePolicy') {
      role.policies.set(name, policyOf(parameters, 'PolicyDocument'))
      return undefined
    }
    const policy = role.policies.get(name)
    if (policy === undefined) throw noEntity(`The role policy with name ${name} cannot be found.`)
    if (operation === 'DeleteRolePolicy') return void role.policies.delete(name)
    return {
      RoleName: role.name,
      PolicyName: name,
      PolicyDocument: encodeURIComponent(JSON.stringify(policy)),
    }
  }

  #create(name: string, parameters: URLSearchParams): Role {
    if (!/^[\w+=,.@-]{1,64}$/.test(name)) {
      throw new AwsError(
        400,
        'ValidationError',
        'The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-',
      )
    }
    const role = this.#roles.create({
      name,
      path: parameters.get('Path') ?? '/',
      description: parameters.get('Description') ?? '',
      maxSessionS: Number(parameters.get('MaxSessionDuration') ?? 3600),
      trustPolicy: policyOf(parameters, 'AssumeRolePolicyDocument'),
    })
    for (const [key, value] of tagsOf(parameters)) role.tags.set(key, value)
    return role
  }

  #list(parameters: URLSearchParams) {
    const prefix = parameters.get('PathPrefix') ?? '/'
    const all = this.#roles.all.filter(({ path }) => path.startsWith(prefix))
    const start = Number(parameters.get('Marker') ?? 0)
    const end = start + Number(parameters.get('MaxItems') ?? PAGE_LENGTH)
    return {
      Roles: all.slice(start, end).map(viewOf),
      IsTruncated: end < all.length,
      ...(end < all.length && { Marker: String(end) }),
    }
  }
}

function viewOf(role: Role): { readonly [name: string]: XmlValue } {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: new Date(role.createdAtMs).toISOString().replace(/\.\d{3}/, ''),
    AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(role.trustPolicy)),
    Description: role.description,
    MaxSessionDuration: role.maxSessionS,
    ...(role.tags.size > 0 && { Tags: tagList(role) }),
  }
}

function tagList(role: Role) {
  return [...role.tags].map(([Key, Value]) => ({ Key, Value }))
}

function tagsOf(parameters: URLSearchParams): [string, string][] {
  const tags: [string, string][] = []
  for (let i = 1; parameters.has(`Tags.member.${i}.Key`); i++) {
    tags.push([
      String(parameters.get(`Tags.member.${i}.Key`)),
      String(parameters.get(`Tags.member.${i}.Value`)),
    ])
  }
  return tags
}

function membersOf(parameters: URLSearchParams, name: string): string[] {
  const members: string[] = []
  for (let i = 1; parameters.has(`${name}.member.${i}`); i++) {
    members.push(String(parameters.get(`${name}.member.${i}`)))
  }
  return members
}

function policyOf(parameters: URLSearchParams, name: string): object {
  const text = required(parameters, name)
  let policy: unknown
  try {
    policy = JSON.parse(text)
  } catch {
    throw malformed('This policy contains invalid Json')
  }
  if (typeof policy === 'object' && policy !== null && 'Statement' in policy) return policy
  throw malformed('Syntax errors in policy.')
}

function malformed(message: string): AwsError {
  return new AwsError(400, 'MalformedPolicyDocument', message)
}

function noEntity(message: string): AwsError {
  return new AwsError(404, 'NoSuchEntity', message)
}
