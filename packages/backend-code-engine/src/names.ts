import { randomBytes } from 'node:crypto'
import { shortHash } from '@lithops/container-runtime'
import type { RuntimeSpec } from '@lithops/core/driver'
import { NAME_CHARACTERS } from './limits.ts'

/**
 * What everything that is made here begins with. The API knows no labels: the name is all that tells whose a thing is, so its parts
 * are such that no user's prefix begins another's.
 */
const PREFIX = 'lithops-ts'
/** Variable of jobs and applications that tells what they are: the API knows no annotations. */
export const RUNTIME_VARIABLE = 'LITHOPS_RUNTIME'

const USER_CHARACTERS = 10
const USER_HASH_CHARACTERS = 6
const RANDOM_BYTES = 5

/** Part of names that tells users apart: what is legible of the name, and some of its hash; no '-'. */
export function userKey(userName: string): string {
  const legible = userName.toLowerCase().replace(/[^a-z0-9]+/g, '')
  return `${legible.slice(0, USER_CHARACTERS)}${shortHash(userName).slice(0, USER_HASH_CHARACTERS)}`
}

/** What names of one user begin with. */
export function prefixOf(user: string): string {
  return `${PREFIX}-${user}-`
}

/** Path of the images of the default runtime in the registry: each user's own, so that `clean` can remove them. */
export function imagePath(user: string): string {
  return `${prefixOf(user)}worker`
}

/**
 * `lithops-ts-alice2bd806-default-512-0123456789`: the last part is the hash of all that makes the job or application what it
 * is, so that what has a name is always the same, but for its secrets.
 */
export function runtimeName(
  user: string,
  runtime: Required<Pick<RuntimeSpec, 'name' | 'memoryMiB'>>,
  content: unknown,
): string {
  const head = prefixOf(user)
  const tail = `${runtime.memoryMiB}-${shortHash(content)}`
  const room = NAME_CHARACTERS - head.length - tail.length - 1
  const middle = slug(runtime.name.replace(/^.*\//, '')).slice(0, Math.max(0, room)).replace(/-$/, '')
  return `${head}${middle === '' ? '' : `${middle}-`}${tail}`
}

/** Of a job run, and of the config map with its batch: never given twice. `label` is for people. */
export function runName(user: string, label: string): string {
  const head = prefixOf(user)
  const tail = `run-${randomBytes(RANDOM_BYTES).toString('hex')}`
  const room = NAME_CHARACTERS - head.length - tail.length - 1
  const middle = slug(label).slice(0, Math.max(0, room)).replace(/-$/, '')
  return `${head}${middle === '' ? '' : `${middle}-`}${tail}`
}

/** Whether a name is one of `runName`. */
export function isRunName(user: string, name: string): boolean {
  return name.startsWith(prefixOf(user)) && /-run-[0-9a-f]{10}$/.test(name)
}

/** Of the secret with what a runtime's workers need to open storages. */
export function secretName(runtime: string): string {
  return `${runtime}-keys`
}

/** Of the secret with the key that an application asks for. */
export function accessSecretName(application: string): string {
  return `${application}-door`
}

/** Of the secret with which the platform pulls images of a registry. */
export function pullSecretName(user: string, server: string, registryUser: string): string {
  return `${prefixOf(user)}pull-${shortHash([server, registryUser])}`
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

/** What is known of a deployed runtime without asking more than its list. */
export interface RuntimeFacts {
  readonly runtime: string
  readonly memoryMiB: number
  readonly version: string
}

/** Undefined for what somebody else has made. */
export function factsIn(
  variables: readonly { readonly name?: string; readonly value?: string }[] = [],
): RuntimeFacts | undefined {
  const text = variables.find(({ name }) => name === RUNTIME_VARIABLE)?.value
  try {
    const facts = JSON.parse(text ?? 'null') as RuntimeFacts | null
    return typeof facts?.runtime === 'string' && typeof facts.version === 'string' ? facts : undefined
  } catch {
    return undefined
  }
}
