import { randomBytes } from 'node:crypto'
import type { Resource } from './status-error.ts'

/** Rules of a Role. From: rbac.authorization.k8s.io/v1. */
export interface RbacRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

/** A Role or ClusterRole, as far as it is looked at: one with a namespace holds there alone. */
export interface RbacRole {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly rules: readonly RbacRule[]
}

export interface Account {
  readonly name: string
  /** Undefined: everything is allowed. */
  readonly roles: readonly RbacRole[] | undefined
}

export interface Wish {
  readonly verb: string
  readonly resource: Resource
  /** 'log' of a pod, for instance. */
  readonly subresource: string | undefined
  readonly namespace: string | undefined
  readonly name: string | undefined
}

/** Who has which bearer token, and what they may do. */
export class Accounts {
  readonly #byToken = new Map<string, Account>()

  /** Returns a token of the account. */
  add(account: Account): string {
    const token = randomBytes(12).toString('hex')
    this.#byToken.set(token, account)
    return token
  }

  /** Tokens are good for nothing from now on; undefined: all of them. */
  expire(token?: string): void {
    if (token === undefined) this.#byToken.clear()
    else this.#byToken.delete(token)
  }

  of(authorization: string | undefined): Account | undefined {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1]
    return token === undefined ? undefined : this.#byToken.get(token)
  }
}

export function isAllowed({ roles }: Account, wish: Wish): boolean {
  if (roles === undefined) return true
  const { verb, resource, subresource, namespace, name } = wish
  const what = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`
  return roles.some(
    ({ kind, metadata, rules }) =>
      (kind === 'ClusterRole' || metadata.namespace === namespace) &&
      rules.some(
        rule =>
          has(rule.apiGroups, resource.group) &&
          has(rule.resources, what) &&
          has(rule.verbs, verb) &&
          (rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name))),
      ),
  )
}

function has(list: readonly string[], one: string): boolean {
  return list.includes('*') || list.includes(one)
}
