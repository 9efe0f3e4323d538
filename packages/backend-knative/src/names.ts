import { createHash } from 'node:crypto'
import type { RuntimeSpec } from '@lithops/core/driver'
import { NAME_CHARACTERS } from './limits.ts'

/** What `app.kubernetes.io/managed-by` says of everything that is made: a name alone is no proof that it is ours. */
const MANAGER = 'lithops-typescript'
const PREFIX = 'lithops-ts'
const LABEL_MANAGER = 'app.kubernetes.io/managed-by'
const LABEL_USER = 'lithops-ts/user'
/** Label of Knative's own on the pods of a service. */
export const SERVICE_LABEL = 'serving.knative.dev/service'
/** The container with the worker, as Knative names it; the other one of a pod is its queue. */
export const WORKER_CONTAINER = 'user-container'
const RUNTIME = 'lithops-ts/runtime'
const MEMORY = 'lithops-ts/memory'
const VERSION = 'lithops-ts/version'

const HASH_CHARACTERS = 10
const USER_CHARACTERS = 10
const USER_HASH_CHARACTERS = 4

/** Part of names that tells users apart: what is legible of the name, and some of its hash. */
export function userKey(userName: string): string {
  const legible = slug(userName).slice(0, USER_CHARACTERS).replace(/-$/, '')
  return [legible, hashOf(userName).slice(0, USER_HASH_CHARACTERS)].filter(part => part !== '').join('-')
}

/** Text that names of Kubernetes may have. */
function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

function hashOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}

/** Labels of everything of one user. */
export function labelsOf(user: string): Readonly<Record<string, string>> {
  return { [LABEL_MANAGER]: MANAGER, [LABEL_USER]: user }
}

/** Finds what has `labelsOf(user)`. */
export function selectorOf(user: string): string {
  return `${LABEL_MANAGER}=${MANAGER},${LABEL_USER}=${user}`
}

/**
 * `lithops-ts-alice-2bd8-default-512-0123456789`: the last part is the hash of all that makes the service what it is, so
 * that what has a name is always the same, but for its secrets.
 */
export function serviceName(
  user: string,
  runtime: Required<Pick<RuntimeSpec, 'name' | 'memoryMiB'>>,
  content: unknown,
): string {
  const head = `${PREFIX}-${user}-`
  const tail = `${runtime.memoryMiB}-${hashOf(content).slice(0, HASH_CHARACTERS)}`
  const room = NAME_CHARACTERS - head.length - tail.length - 1
  const middle = slug(runtime.name.replace(/^.*\//, '')).slice(0, room).replace(/-$/, '')
  return `${head}${middle === '' ? '' : `${middle}-`}${tail}`
}

/** Of the Secret with what a service's workers need to open storages. */
export function secretName(service: string): string {
  return `${service}-keys`
}

/** Of the Secret with which the cluster pulls images of a registry. */
export function pullSecretName(user: string, server: string, registryUser: string): string {
  return `${PREFIX}-${user}-pull-${hashOf([server, registryUser]).slice(0, HASH_CHARACTERS)}`
}

/** What is known of a deployed service without asking more than its list. */
export interface ServiceFacts {
  readonly runtime: string
  readonly memoryMiB: number
  readonly version: string
}

/** Annotations: labels cannot hold names of images. */
export function annotationsOf({ runtime, memoryMiB, version }: ServiceFacts): Record<string, string> {
  return { [RUNTIME]: runtime, [MEMORY]: String(memoryMiB), [VERSION]: version }
}

/** Undefined for a service of somebody else. */
export function factsIn(annotations: Readonly<Record<string, string>> = {}): ServiceFacts | undefined {
  const { [RUNTIME]: runtime, [MEMORY]: memory, [VERSION]: version } = annotations
  if (runtime === undefined || version === undefined) return undefined
  return { runtime, version, memoryMiB: Number(memory) }
}
