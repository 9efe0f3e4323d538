import { AwsError } from '../http/aws-error.ts'
import { identifier } from '../http/credentials.ts'
import { invalidParameter } from '../lambda/names.ts'
import type { AwsSetting } from '../options.ts'
import { isAllowed } from './policy.ts'

export interface Role {
  readonly name: string
  readonly path: string
  readonly arn: string
  readonly id: string
  readonly createdAtMs: number
  readonly description: string
  readonly trustPolicy: object
  readonly maxSessionS: number
  /** Inline policies, by name. */
  readonly policies: Map<string, object>
  readonly attached: Set<string>
  readonly tags: Map<string, string>
}

/** Who may assume a role: Lambda. */
export const LAMBDA_TRUST = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
}

/** Roles of the account. What was changed shows, and works, only after a while. */
export class Roles {
  readonly #setting: AwsSetting
  readonly #roles = new Map<string, Role>()
  readonly #deleted = new Map<string, { readonly role: Role; readonly atMs: number }>()

  constructor(setting: AwsSetting) {
    this.#setting = setting
  }

  get all(): readonly Role[] {
    return [...this.#roles.values()].filter(role => this.#isVisible(role))
  }

  create(options: {
    readonly name: string
    readonly path?: string
    readonly trustPolicy: object
    readonly description?: string
    readonly maxSessionS?: number
    /** For a role that was there before this cloud began. */
    readonly isOld?: boolean
  }): Role {
    const { name, path = '/', trustPolicy } = options
    if (this.#roles.has(name)) {
      throw new AwsError(409, 'EntityAlreadyExists', `Role with name ${name} already exists.`)
    }
    const role: Role = {
      name,
      path,
      arn: `arn:aws:iam::${this.#setting.accountId}:role${path}${name}`,
      id: `AROA${identifier(17)}`,
      createdAtMs: options.isOld === true ? 0 : Date.now(),
      description: options.description ?? '',
      trustPolicy,
      maxSessionS: options.maxSessionS ?? 3600,
      policies: new Map(),
      attached: new Set(),
      tags: new Map(),
    }
    this.#roles.set(name, role)
    this.#deleted.delete(name)
    return role
  }

  /** As IAM shows it, which may be what was there a while ago. Throws NoSuchEntity. */
  get(name: string): Role {
    const role = this.#roles.get(name)
    if (role !== undefined && this.#isVisible(role)) return role
    const deleted = this.#deleted.get(name)
    const { roleVisibleMs } = this.#setting.timing
    if (deleted !== undefined && Date.now() < deleted.atMs + roleVisibleMs) return deleted.role
    throw new AwsError(404, 'NoSuchEntity', `The role with name ${name} cannot be found.`)
  }

  delete(name: string): void {
    const role = this.get(name)
    if (role.policies.size > 0) {
      throw new AwsError(409, 'DeleteConflict', 'Cannot delete entity, must delete policies first.')
    }
    if (role.attached.size > 0) {
      throw new AwsError(409, 'DeleteConflict', 'Cannot delete entity, must detach all policies first.')
    }
    if (this.#roles.delete(name)) this.#deleted.set(name, { role, atMs: Date.now() })
  }

  findByArn(arn: string): Role | undefined {
    return [...this.#roles.values()].find(role => role.arn === arn)
  }

  /** Throws what Lambda says of a role that it cannot assume, be it too new. */
  assumeForLambda(arn: string): void {
    const role = this.findByArn(arn)
    const isReady =
      role !== undefined && Date.now() >= role.createdAtMs + this.#setting.timing.roleAssumableMs
    if (isReady && trusts(role, { Service: 'lambda.amazonaws.com' })) return
    throw invalidParameter('The role defined for the function cannot be assumed by Lambda.')
  }

  #isVisible(role: Role): boolean {
    return Date.now() >= role.createdAtMs + this.#setting.timing.roleVisibleMs
  }
}

/** Whether a role lets this principal assume it. */
export function trusts(role: Role, principal: Readonly<Record<string, string>>): boolean {
  return isAllowed([role.trustPolicy], { action: 'sts:AssumeRole', principal })
}
