/** What somebody wants to do, as policies see it. */
export interface PolicyQuestion {
  /** E.g. 'lambda:CreateFunction'. */
  readonly action: string
  /** An ARN, or '*'. Not asked of policies that belong to a resource. */
  readonly resource?: string
  /** For policies that belong to a resource. */
  readonly principal?: Readonly<Record<string, string>>
  /** Values of condition keys, e.g. 'iam:PassedToService'. */
  readonly context?: Readonly<Record<string, string>>
}

type OneOrMore = string | readonly string[]

interface Statement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Action?: OneOrMore
  readonly NotAction?: OneOrMore
  readonly Resource?: OneOrMore
  readonly Principal?: '*' | Readonly<Record<string, OneOrMore>>
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMore>>>>
}

/** Operators of conditions that are understood. Others are an error: a policy must not seem to work here only. */
const OPERATORS: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  StringEquals: (value, wanted) => value === wanted,
  StringLike: (value, wanted) => matches(wanted, value),
  ArnLike: (value, wanted) => matches(wanted, value),
  ArnEquals: (value, wanted) => matches(wanted, value),
}

/**
 * Whether policies allow something: some statement must, and none may deny it. From: "Policy evaluation logic" of the IAM
 * user guide.
 */
export function isAllowed(policies: readonly object[], question: PolicyQuestion): boolean {
  const fitting = policies
    .flatMap(policy => list((policy as { readonly Statement: Statement | readonly Statement[] }).Statement))
    .filter(statement => fits(statement, question))
  return fitting.some(({ Effect }) => Effect === 'Allow') && fitting.every(({ Effect }) => Effect !== 'Deny')
}

function fits(statement: Statement, { action, resource, principal, context = {} }: PolicyQuestion): boolean {
  const { Action, NotAction, Resource, Principal, Condition = {} } = statement
  const isAction = (pattern: string) => matches(pattern.toLowerCase(), action.toLowerCase())
  if (Action !== undefined && !list(Action).some(isAction)) return false
  if (NotAction !== undefined && list(NotAction).some(isAction)) return false
  if (resource !== undefined && !list(Resource ?? []).some(pattern => matches(pattern, resource)))
    return false
  if (principal !== undefined && !isPrincipal(Principal, principal)) return false
  return Object.entries(Condition).every(([operator, keys]) => {
    const holds = OPERATORS[operator]
    if (holds === undefined) throw new Error(`this cloud does not know the condition operator ${operator}`)
    return Object.entries(keys).every(([key, wanted]) => {
      const value = context[key]
      return value !== undefined && list(wanted).some(one => holds(value, one))
    })
  })
}

function isPrincipal(allowed: Statement['Principal'], asking: Readonly<Record<string, string>>): boolean {
  if (allowed === '*') return true
  return Object.entries(asking).some(([kind, name]) =>
    list(allowed?.[kind] ?? []).some(one => one === '*' || one === name),
  )
}

function list<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T]
}

/** With '*' for anything and '?' for one character. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(text)
}
