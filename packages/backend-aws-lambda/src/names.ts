import { createHash } from 'node:crypto'
import type { RuntimeSpec } from '@lithops/core/driver'
import { DESCRIPTION_CHARACTERS, NAME_CHARACTERS } from './limits.ts'

/** Begins the description of all functions of ours: a name alone is no proof that one is. */
const MARK = 'Lithops for TypeScript'
/** What code in `code_bucket` begins with, while a function is being made of it. */
export const CODE_PREFIX = 'lithops.code/'
const HASH_CHARACTERS = 12
const USER_CHARACTERS = 4

/** Part of names that tells users apart: the last characters of the user id. From: Lithops, aws_lambda.py. */
export function userKey(userId: string): string {
  return (userId.split(':', 1)[0] as string).slice(-USER_CHARACTERS).replace(/\W/g, '_')
}

/** Text that names may have. */
function slug(text: string): string {
  return text.replace(/[^a-zA-Z0-9-]+/g, '-').replace(/^-|-$/g, '')
}

export interface FunctionNaming {
  /** With its '-', or empty. */
  readonly namespace: string
  readonly userKey: string
}

/** All that this user has deployed begins so, of any version. */
export function namePattern({ namespace, userKey: user }: FunctionNaming): RegExp {
  return new RegExp(`^${namespace}lithops_v[\\dA-Za-z-]+_${user}_`)
}

/** What all names begin with, for policies. */
export function namePrefix(namespace: string): string {
  return `${namespace}lithops_v`
}

/**
 * `lithops_v0-1-0_abcd_default_256_0123456789ab`: the last part is the hash of all that makes the function what it is, so
 * that what has a name is always the same.
 */
export function functionName(
  naming: FunctionNaming,
  runtime: Required<Pick<RuntimeSpec, 'name' | 'memoryMiB'>>,
  version: string,
  content: unknown,
): string {
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, HASH_CHARACTERS)
  const head = `${namePrefix(naming.namespace)}${slug(version)}_${naming.userKey}_`
  const tail = `_${runtime.memoryMiB}_${hash}`
  return `${head}${slug(runtime.name).slice(0, NAME_CHARACTERS - head.length - tail.length)}${tail}`
}

/** Of a runtime's images in ECR: all of this user's begin so. Lower case, as names there are. */
export function repositoryName({ namespace, userKey: user }: FunctionNaming, path: string): string {
  const key = user.toLowerCase().replace(/[^a-z0-9]/g, '0')
  return `${repositoryPrefix(namespace)}${key}/${path}`
}

/** What names of repositories begin with, for policies. */
export function repositoryPrefix(namespace: string): string {
  return `${namespace.toLowerCase()}lithops-ts/`
}

/** Name of the role that `create_role` makes. */
export function roleName(naming: FunctionNaming): string {
  return `${naming.namespace}lithops-worker-${naming.userKey}`
}

/** What is known of a deployed function without asking more than its list. */
export interface FunctionFacts {
  readonly runtime: string
  readonly version: string
  /** Names of functions of the user's that it has, but for such without a name. Default: none. */
  readonly functions?: readonly string[]
}

export function describe({ runtime, version, functions = [] }: FunctionFacts): string {
  const names = functions.map(name => name.replace(/[^\w$.-]/g, '')).filter(name => name !== '')
  const brought = names.length === 0 ? '' : `, functions ${names.join(' ')}`
  return `${MARK}, runtime ${runtime}, version ${version}${brought}`.slice(0, DESCRIPTION_CHARACTERS)
}

/** Undefined for a function of somebody else. */
export function factsIn(description: string | undefined): FunctionFacts | undefined {
  const found = new RegExp(`^${MARK}, runtime (.+?), version ([^\\s,]+)(?:, functions (.+))?$`).exec(
    description ?? '',
  )
  if (found === null) return undefined
  const [, runtime = '', version = '', functions] = found
  return { runtime, version, functions: functions?.split(' ') ?? [] }
}

export function logGroupOf(name: string): string {
  return `/aws/lambda/${name}`
}
