import { refusals } from '../api/refusal.ts'
import {
  checkEnvironment,
  checkMarks,
  type EnvVar,
  type GivenContainer,
  readContainer,
} from '../serving/template.ts'

// What a job of version 2 of the API asks for, checked as the platform checks it.

export interface GivenJob {
  readonly name?: string
  readonly etag?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly launchStage?: number | string
  readonly template?: {
    readonly labels?: Readonly<Record<string, string>>
    readonly taskCount?: number
    readonly parallelism?: number
    readonly template?: {
      readonly containers?: readonly GivenContainer[]
      readonly maxRetries?: number
      readonly timeout?: string
      readonly serviceAccount?: string
    }
  }
}

/** What `run` changes for one execution. */
export interface Overrides {
  readonly containerOverrides?: readonly {
    readonly name?: string
    readonly args?: readonly string[]
    readonly env?: readonly EnvVar[]
    readonly clearArgs?: boolean
  }[]
  readonly taskCount?: number
  readonly timeout?: string
}

/** The tasks of a job, as they are to run. */
export interface JobTemplate {
  readonly image: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly env: readonly EnvVar[]
  readonly taskCount: number
  /** 0: as many as there is room for. */
  readonly parallelism: number
  readonly maxRetries: number
  readonly timeoutMs: number
  readonly memoryMiB: number
  readonly cpuMillis: number
  readonly serviceAccount: string | undefined
}

const JOB_ID = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/
const MOST_TASKS = 10_000
const MOST_RETRIES = 10
const LONGEST_S = 168 * 3600
/** Longer ones are a preview. */
const LONGEST_GA_S = 24 * 3600
const BETA = new Set<unknown>([3, 'BETA', 2, 'ALPHA'])
/** The second generation of execution environments, which jobs have, needs so much. */
const LEAST_MEMORY_MIB = 512

/** Throws Refusal for what the platform does not take. */
export function readJob(id: string, given: GivenJob): JobTemplate {
  const { template, labels = {}, annotations = {}, launchStage } = given
  if (!JOB_ID.test(id))
    throw refusals.invalid(
      'Violation in CreateJobRequest.job_id: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 64 characters.',
    )
  checkMarks(labels, annotations)
  const { containers, maxRetries = 3, timeout = '600s', serviceAccount } = template?.template ?? {}
  const container = containers?.[0]
  const { image, env, cpuMillis, memoryMiB } = readContainer(container)
  if (cpuMillis < 1000)
    throw refusals.invalid(
      'template.template.containers[0].resources.limits.cpu: Invalid value specified for cpu. Jobs need at least 1 CPU.',
    )
  if (memoryMiB < LEAST_MEMORY_MIB)
    throw refusals.invalid(
      'template.template.containers[0].resources.limits.memory: Invalid value specified for container memory. For gen2 the minimum is 512Mi.',
    )
  if (maxRetries > MOST_RETRIES)
    throw refusals.invalid(`template.template.max_retries: must be between 0 and ${MOST_RETRIES}`)
  const timeoutMs = timeoutOf(timeout)
  if (timeoutMs > LONGEST_GA_S * 1000 && !BETA.has(launchStage))
    throw refusals.invalid(
      'template.template.timeout: A timeout of more than 24 hours needs the launch stage BETA.',
    )
  return {
    image,
    command: container?.command ?? [],
    args: container?.args ?? [],
    env,
    taskCount: countOf(template?.taskCount || 1),
    parallelism: template?.parallelism ?? 0,
    maxRetries,
    timeoutMs,
    memoryMiB,
    cpuMillis,
    // an empty text is none, in the API's JSON
    serviceAccount: serviceAccount || undefined,
  }
}

/** The tasks of one execution. Throws Refusal for overrides that the platform does not take. */
export function overridden(template: JobTemplate, overrides: Overrides): JobTemplate {
  const [container = {}] = overrides.containerOverrides ?? []
  const { args, env = [], clearArgs = false } = container
  checkEnvironment(env)
  const names = new Set(env.map(({ name }) => name))
  return {
    ...template,
    args: clearArgs ? [] : args === undefined || args.length === 0 ? template.args : args,
    env: [...template.env.filter(({ name }) => !names.has(name)), ...env],
    taskCount: countOf(overrides.taskCount || template.taskCount),
    timeoutMs: overrides.timeout === undefined ? template.timeoutMs : timeoutOf(overrides.timeout),
  }
}

function countOf(taskCount: number): number {
  if (Number.isInteger(taskCount) && taskCount >= 1 && taskCount <= MOST_TASKS) return taskCount
  throw refusals.invalid(`template.task_count: must be between 1 and ${MOST_TASKS}`)
}

function timeoutOf(text: string): number {
  const seconds = Number(/^(\d+(?:\.\d+)?)s$/.exec(text)?.[1])
  if (seconds >= 1 && seconds <= LONGEST_S) return seconds * 1000
  throw refusals.invalid(`template.template.timeout: must be between 1 and ${LONGEST_S} seconds`)
}
