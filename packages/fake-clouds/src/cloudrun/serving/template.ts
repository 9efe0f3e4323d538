import { refusals } from '../api/refusal.ts'
import type { CloudRunQuota } from '../options.ts'

// What a service of version 2 of the API asks for, checked as the platform checks it.

export interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueSource?: { readonly secretKeyRef?: { readonly secret: string; readonly version?: string } }
}

export interface GivenContainer {
  readonly image?: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly EnvVar[]
  readonly ports?: readonly { readonly containerPort?: number }[]
  readonly resources?: {
    readonly limits?: Readonly<Record<string, string>>
    readonly cpuIdle?: boolean
    readonly startupCpuBoost?: boolean
  }
}

export interface GivenService {
  readonly name?: string
  readonly etag?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly template?: {
    readonly labels?: Readonly<Record<string, string>>
    readonly scaling?: { readonly minInstanceCount?: number; readonly maxInstanceCount?: number }
    readonly timeout?: string
    readonly serviceAccount?: string
    readonly maxInstanceRequestConcurrency?: number
    readonly executionEnvironment?: number | string
    readonly containers?: readonly GivenContainer[]
  }
}

/** A revision, as it is to run. */
export interface RevisionTemplate {
  readonly image: string
  readonly concurrency: number
  readonly timeoutMs: number
  readonly minInstances: number
  readonly maxInstances: number
  readonly memoryMiB: number
  readonly cpuMillis: number
  readonly env: readonly EnvVar[]
  readonly serviceAccount: string | undefined
}

const RESERVED_LABELS =
  /(run\.googleapis\.com|cloud\.googleapis\.com|serving\.knative\.dev|autoscaling\.knative\.dev)/
const RESERVED_ENV = /^(PORT|K_SERVICE|K_REVISION|K_CONFIGURATION|CLOUD_RUN_\w+)$/
/** From: "Cloud Run quotas and limits". */
const ENV_CHARACTERS = 32 * 1024
const SERVICE_ID = /^[a-z]([a-z0-9-]{0,47}[a-z0-9])?$/
const FIRST_GENERATION = new Set<unknown>([1, 'EXECUTION_ENVIRONMENT_GEN1'])
const SECOND_GENERATION = new Set<unknown>([2, 'EXECUTION_ENVIRONMENT_GEN2'])
/** Thousandths of processors, and the memory in MiB that goes with them. */
const PAIRS: readonly (readonly [number, number, number])[] = [
  [80, 128, 512],
  [500, 128, 1024],
  [1000, 128, 4096],
  [2000, 128, 8192],
  [4000, 2048, 16_384],
  [6000, 4096, 24_576],
  [8000, 4096, 32_768],
]

/** Throws Refusal for what the platform does not take. */
export function readService(
  id: string,
  given: GivenService,
  quota: CloudRunQuota | undefined,
): RevisionTemplate {
  const { template, labels = {}, annotations = {} } = given
  if (!SERVICE_ID.test(id))
    throw refusals.invalid(
      `Violation in CreateServiceRequest.service_id: metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.`,
    )
  checkMarks(labels, annotations)
  const container = template?.containers?.[0]
  const { cpuIdle = false } = container?.resources ?? {}
  const { image, env, cpuMillis, memoryMiB } = readContainer(container)
  const concurrency = template?.maxInstanceRequestConcurrency || (cpuMillis >= 1000 ? 80 : 1)
  const environment = template?.executionEnvironment
  if (cpuMillis < 1000) {
    if (concurrency !== 1)
      throw refusals.invalid(
        'spec.template.spec.containerConcurrency: Total cpu < 1 is not supported with concurrency > 1.',
      )
    if (!cpuIdle) throw refusals.invalid('Total cpu < 1 is not supported with cpu-throttling disabled.')
    if (!FIRST_GENERATION.has(environment))
      throw refusals.invalid(
        'Total cpu < 1 is only supported with the first generation execution environment.',
      )
  }
  if (memoryMiB < 512 && SECOND_GENERATION.has(environment))
    throw refusals.invalid('Invalid value specified for container memory. For gen2 the minimum is 512Mi.')
  const timeoutMs = Number(/^(\d+(?:\.\d+)?)s$/.exec(template?.timeout ?? '300s')?.[1]) * 1000
  if (!(timeoutMs >= 1000 && timeoutMs <= 3_600_000))
    throw refusals.invalid('template.timeout: must be between 1 and 3600 seconds')
  const maxInstances = template?.scaling?.maxInstanceCount || 100
  checkQuota(quota, { maxInstances, cpuMillis, memoryMiB })
  return {
    image,
    concurrency,
    timeoutMs,
    minInstances: template?.scaling?.minInstanceCount ?? 0,
    maxInstances,
    memoryMiB,
    cpuMillis,
    env,
    serviceAccount: template?.serviceAccount,
  }
}

/** Throws Refusal for labels and annotations that the platform does not take. */
export function checkMarks(
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): void {
  for (const key of [...Object.keys(labels), ...Object.keys(annotations)])
    if (RESERVED_LABELS.test(key))
      throw refusals.invalid(`System annotations and labels are not allowed: ${key}`)
  for (const [key, value] of Object.entries(labels))
    if (!/^[a-z][a-z0-9_-]{0,62}$/.test(key) || !/^[a-z0-9_-]{0,63}$/.test(value))
      throw refusals.invalid(`Violation in label ${key}: '${value}' is not allowed`)
}

/** What services and jobs say of their container alike. Throws Refusal for what the platform does not take. */
export function readContainer(
  container: GivenContainer | undefined,
): Pick<RevisionTemplate, 'image' | 'env' | 'cpuMillis' | 'memoryMiB'> {
  const image = container?.image ?? ''
  if (image === '') throw refusals.invalid('template.containers[0].image: a container must specify an image')
  const { limits = {} } = container?.resources ?? {}
  const cpuMillis = millisOf(limits.cpu ?? '1')
  const memoryMiB = mebibytesOf(limits.memory ?? '512Mi')
  const pair = PAIRS.findLast(([cpu]) => cpu <= cpuMillis)
  if (pair === undefined || (cpuMillis > 1000 && pair[0] !== cpuMillis))
    throw refusals.invalid(
      `spec.template.spec.containers[0].resources.limits.cpu: Invalid value specified for cpu: ${limits.cpu}.`,
    )
  if (memoryMiB < pair[1] || memoryMiB > pair[2])
    throw refusals.invalid(
      `spec.template.spec.containers[0].resources.limits.memory: Invalid value specified for container memory. For ${cpuMillis / 1000} CPU, memory must be between ${pair[1]}Mi and ${pair[2]}Mi inclusive.`,
    )
  const env = container?.env ?? []
  checkEnvironment(env)
  return { image, env, cpuMillis, memoryMiB }
}

/** Throws Refusal for names that are the platform's own, and values that are too long. */
export function checkEnvironment(env: readonly EnvVar[]): void {
  for (const { name, value = '' } of env) {
    if (RESERVED_ENV.test(name))
      throw refusals.invalid(
        `spec.template.spec.containers[0].env: The following reserved env names were provided: ${name}.`,
      )
    if (value.length > ENV_CHARACTERS)
      throw refusals.invalid(`spec.template.spec.containers[0].env[${name}].value: must be less than 32 KiB`)
  }
}

/** The words are those of the platform, which counts what instances of the service could come to. */
function checkQuota(
  quota: CloudRunQuota | undefined,
  { maxInstances, cpuMillis, memoryMiB }: Pick<RevisionTemplate, 'maxInstances' | 'cpuMillis' | 'memoryMiB'>,
): void {
  const check = (what: string, name: string, each: number, allowed: number | undefined, unit: number) => {
    if (allowed === undefined || maxInstances * each <= allowed) return
    throw refusals.invalid(
      `spec.template.metadata.annotations[autoscaling.knative.dev/maxScale]: Max instances must be set to ${Math.floor(allowed / each)} or fewer to set the requested total ${what}.\n` +
        'Consider running your workload in a region with greater capacity, or requesting an increase in quota for this region if you are seeing sustained usage near this limit, see https://cloud.google.com/run/quotas.\n\n' +
        `Quota violated:\n${name} requested: ${maxInstances * each * unit} allowed: ${allowed * unit}`,
    )
  }
  check('CPU', 'CpuAllocPerProjectRegion', cpuMillis, quota?.cpuMillis, 1)
  check('memory', 'MemAllocPerProjectRegion', memoryMiB, quota?.memoryMiB, 1024 * 1024)
}

function millisOf(quantity: string): number {
  return quantity.endsWith('m') ? Number(quantity.slice(0, -1)) : Number(quantity) * 1000
}

/** 'Mi' and 'Gi' are binary, 'M' and 'G' decimal. */
function mebibytesOf(quantity: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|k|M|G)?$/.exec(quantity) ?? []
  const bytes = { Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, k: 1e3, M: 1e6, G: 1e9, '': 1 }[unit] ?? Number.NaN
  return (Number(number) * bytes) / 1024 ** 2
}
