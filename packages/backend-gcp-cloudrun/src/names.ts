import { prefixOf } from '@lithops/container-runtime'

/** What the label managed-by says of everything that is made: a name alone is no proof that it is ours. */
const MANAGER = 'lithops-typescript'
const LABEL_MANAGER = 'managed-by'
const LABEL_USER = 'lithops-ts-user'
const RUNTIME = 'lithops.org/runtime'
const MEMORY = 'lithops.org/memory'
const VERSION = 'lithops.org/version'
const FUNCTIONS = 'lithops.org/functions'

/** Labels of everything of one user. */
export function labelsOf(user: string): Readonly<Record<string, string>> {
  return { [LABEL_MANAGER]: MANAGER, [LABEL_USER]: user }
}

/** Whether something of that name and with those labels is this user's and of this tool. */
export function isOf(
  user: string,
  name: string,
  labels: Readonly<Record<string, string>> | null | undefined,
): boolean {
  return name.startsWith(prefixOf(user)) && labels?.[LABEL_MANAGER] === MANAGER && labels[LABEL_USER] === user
}

/** Of the secret with what a service's workers need to open storages. */
export function secretName(service: string): string {
  return `${service}-keys`
}

/** Path of the images of the default runtime, below the repository: each user's own, so that `clean` can remove them. */
export function imagePath(user: string): string {
  return `${prefixOf(user)}worker`
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
export function annotationsOf(facts: ServiceFacts): Record<string, string> {
  const { runtime, memoryMiB, version, functions } = facts
  return {
    [RUNTIME]: runtime,
    [MEMORY]: String(memoryMiB),
    [VERSION]: version,
    ...(functions.length === 0 ? {} : { [FUNCTIONS]: functions.join(' ') }),
  }
}

/** Undefined for a service of somebody else. */
export function factsIn(
  annotations: Readonly<Record<string, string>> | null | undefined,
): ServiceFacts | undefined {
  const {
    [RUNTIME]: runtime,
    [MEMORY]: memory,
    [VERSION]: version,
    [FUNCTIONS]: functions,
  } = annotations ?? {}
  if (runtime === undefined || version === undefined) return undefined
  return { runtime, version, memoryMiB: Number(memory), functions: functions?.split(' ') ?? [] }
}

/** The last part of `projects/p/locations/r/services/name`. */
export function shortName(resource: string | null | undefined): string {
  return (resource ?? '').replace(/^.*\//, '')
}
