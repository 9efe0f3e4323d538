import { prefixOf, shortHash } from '@lithops/container-runtime'

/** What `app.kubernetes.io/managed-by` says of everything that is made: a name alone is no proof that it is ours. */
const MANAGER = 'lithops-typescript'
const LABEL_MANAGER = 'app.kubernetes.io/managed-by'
const LABEL_USER = 'lithops-ts/user'
/** Label of Knative's own on the pods of a service. */
export const SERVICE_LABEL = 'serving.knative.dev/service'
/** The container with the worker, as Knative names it; the other one of a pod is its queue. */
export const WORKER_CONTAINER = 'user-container'
const RUNTIME = 'lithops-ts/runtime'
const MEMORY = 'lithops-ts/memory'
const VERSION = 'lithops-ts/version'
const FUNCTIONS = 'lithops-ts/functions'

/** Labels of everything of one user. */
export function labelsOf(user: string): Readonly<Record<string, string>> {
  return { [LABEL_MANAGER]: MANAGER, [LABEL_USER]: user }
}

/** Finds what has `labelsOf(user)`. */
export function selectorOf(user: string): string {
  return `${LABEL_MANAGER}=${MANAGER},${LABEL_USER}=${user}`
}

/** Finds what has the labels of any user. */
export const SELECTOR_OF_ALL = `${LABEL_MANAGER}=${MANAGER}`

/** Path of the images of the default runtime in the registry: each user's own, so that `clean` can remove them. */
export function imagePath(user: string): string {
  return `${prefixOf(user)}worker`
}

/** Of the Secret with what a service's workers need to open storages. */
export function secretName(service: string): string {
  return `${service}-keys`
}

/** Of the Secret with which the cluster pulls images of a registry. */
export function pullSecretName(user: string, server: string, registryUser: string): string {
  return `${prefixOf(user)}pull-${shortHash([server, registryUser])}`
}

/** What is known of a deployed service without asking more than its list. */
export interface ServiceFacts {
  readonly runtime: string
  readonly memoryMiB: number
  readonly version: string
  /** Names of functions that were put into its image for jobs; empty for none. */
  readonly functions: readonly string[]
}

/** Annotations: labels cannot hold names of images. */
export function annotationsOf({
  runtime,
  memoryMiB,
  version,
  functions,
}: ServiceFacts): Record<string, string> {
  return {
    [RUNTIME]: runtime,
    [MEMORY]: String(memoryMiB),
    [VERSION]: version,
    ...(functions.length === 0 ? {} : { [FUNCTIONS]: functions.join(' ') }),
  }
}

/** Undefined for a service of somebody else. */
export function factsIn(annotations: Readonly<Record<string, string>> = {}): ServiceFacts | undefined {
  const { [RUNTIME]: runtime, [MEMORY]: memory, [VERSION]: version, [FUNCTIONS]: functions } = annotations
  if (runtime === undefined || version === undefined) return undefined
  return { runtime, version, memoryMiB: Number(memory), functions: functions?.split(' ') ?? [] }
}

/** A worker's id is the name of its pod, and some characters that tell its processes apart. */
export function podOfWorker(workerId: string | undefined): string | undefined {
  return workerId?.replace(/-[0-9a-f]+$/, '')
}
