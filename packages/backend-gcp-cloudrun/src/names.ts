import { randomBytes } from 'node:crypto'
import { prefixOf } from '@lithops/container-runtime'
import type { RuntimeMetadata } from '@lithops/core/driver'

/** What the label managed-by says of everything that is made: a name alone is no proof that it is ours. */
const MANAGER = 'lithops-typescript'
const LABEL_MANAGER = 'managed-by'
const LABEL_USER = 'lithops-ts-user'
const RUNTIME = 'lithops.org/runtime'
const MEMORY = 'lithops.org/memory'
const VERSION = 'lithops.org/version'
const FUNCTIONS = 'lithops.org/functions'
const WORKER = 'lithops.org/worker'
const RUN_BYTES = 8

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

/** Whether something with those labels is any user's of this tool. */
export function isOfAnybody(labels: Readonly<Record<string, string>> | null | undefined): boolean {
  return labels?.[LABEL_MANAGER] === MANAGER
}

/** Of the secret with what the workers of a service, or a job, need to open storages. */
export function secretName(service: string): string {
  return `${service}-keys`
}

/** Path of the images of the default runtime, below the repository: each user's own, so that `clean` can remove them. */
export function imagePath(user: string): string {
  return `${prefixOf(user)}worker`
}

/** What is known of a deployed service, or job, without asking more than its list. */
export interface RuntimeFacts {
  readonly runtime: string
  readonly memoryMiB: number
  readonly version: string
  /** Names of functions that were put into its image for jobs; empty for none. */
  readonly functions: readonly string[]
}

/** Annotations: labels cannot hold names of images. */
export function annotationsOf(facts: RuntimeFacts): Record<string, string> {
  const { runtime, memoryMiB, version, functions } = facts
  return {
    [RUNTIME]: runtime,
    [MEMORY]: String(memoryMiB),
    [VERSION]: version,
    ...(functions.length === 0 ? {} : { [FUNCTIONS]: functions.join(' ') }),
  }
}

/** Undefined for what somebody else has made. */
export function factsIn(
  annotations: Readonly<Record<string, string>> | null | undefined,
): RuntimeFacts | undefined {
  const {
    [RUNTIME]: runtime,
    [MEMORY]: memory,
    [VERSION]: version,
    [FUNCTIONS]: functions,
  } = annotations ?? {}
  if (runtime === undefined || version === undefined) return undefined
  return { runtime, version, memoryMiB: Number(memory), functions: functions?.split(' ') ?? [] }
}

/** What a job's workers have told of themselves; undefined where they have not been asked. */
export function metadataIn(
  annotations: Readonly<Record<string, string>> | null | undefined,
): RuntimeMetadata | undefined {
  try {
    return JSON.parse(annotations?.[WORKER] ?? 'null') ?? undefined
  } catch {
    return undefined
  }
}

/** The annotation that `metadataIn` reads. */
export function metadataAnnotation(metadata: RuntimeMetadata): Record<string, string> {
  return { [WORKER]: JSON.stringify(metadata) }
}

/** What an execution is called by the program that begins it: never given twice. */
export function runMark(): string {
  return randomBytes(RUN_BYTES).toString('hex')
}

/** The last part of `projects/p/locations/r/services/name`. */
export function shortName(resource: string | null | undefined): string {
  return (resource ?? '').replace(/^.*\//, '')
}
