/** Time limit of one request in seconds. From: "Set request timeout for services" of the Cloud Run documentation. */
export const TIMEOUT_S = { least: 1, most: 3600 } as const
/** Time limit of one task of a job in seconds. From: "Set task timeout for jobs". */
export const JOB_TIMEOUT_S = { least: 1, most: 168 * 3600 } as const
/** What is longer is a preview of the platform. From the same page. */
export const JOB_TIMEOUT_GA_S = 24 * 3600
/** Tasks of one execution. From: "Cloud Run quotas and limits", as all that says nothing else. */
export const EXECUTION_TASKS = 10_000
/** Jobs of a project and region. */
export const MOST_JOBS = 1_000
/** Jobs from which on old ones are removed: other programs may make some at the same time. */
export const CROWDED_JOBS = 950
/** Characters of an environment variable: 32 KiB. */
export const VARIABLE_CHARACTERS = 32 * 1024 - 1
/**
 * Variables that a batch may take. How large an execution may be in all is documented nowhere; this stays well below the megabyte
 * that the platform's resources are known to have.
 */
export const BATCH_VARIABLES = 8
/** A task is billed for so long at least, in milliseconds. From: "Cloud Run pricing". */
export const LEAST_TASK_MS = 60_000
/** Processors of a job's instance. From: "Configure CPU limits for jobs". */
export const LEAST_JOB_CPU = 1
/** Memory of an instance in MiB; the least is that of the first generation. From: "Configure memory limits for services". */
export const MEMORY_MIB = { least: 128, most: 32_768 } as const
/** The second generation of execution environments needs so much. From the same page. */
export const SECOND_GENERATION_MIB = 512
/** Processors below one: in thousandths. From: "Configure CPU limits for services". */
export const LEAST_CPU = 0.08
/** Requests at once in one instance. From: "Set maximum concurrent requests per instance". */
export const MOST_CONCURRENCY = 1000
/** Processes of one worker: more than the processors that an instance may have is a mistake. */
export const MOST_PROCESSES = 8
/** Instances of a service that are kept or made at most; the quota of the region is lower, as a rule. */
export const MOST_WORKERS = 10_000
/**
 * Bytes of a request over HTTP/1. From: "Cloud Run quotas and limits", "Maximum HTTP/1 request size". Answers that are streamed,
 * as those of workers are, have no limit.
 */
export const REQUEST_BYTES = 32 * 1024 * 1024
/** Characters of a service's name: fewer than 50. From: `CreateServiceRequest.service_id` of the API, version 2. */
export const NAME_CHARACTERS = 49
/** Bytes of a version of a secret. From: "Quotas and limits" of Secret Manager. */
export const SECRET_BYTES = 64 * 1024

interface CpuRow {
  readonly cpu: number
  /** In MiB. */
  readonly least: number
  readonly most: number
}

/** Memory that goes with so many processors, from this row to the next. From: "vCPU and memory table", November 2026. */
const CPU_TABLE: readonly CpuRow[] = [
  { cpu: LEAST_CPU, least: MEMORY_MIB.least, most: 512 },
  { cpu: 0.5, least: MEMORY_MIB.least, most: 1024 },
  { cpu: 1, least: MEMORY_MIB.least, most: 4096 },
  { cpu: 2, least: MEMORY_MIB.least, most: 8192 },
  { cpu: 4, least: 2048, most: 16_384 },
  { cpu: 6, least: 4096, most: 24_576 },
  { cpu: 8, least: 4096, most: 32_768 },
]

/** What is wrong with so many processors and so much memory for instances of a job, which are of the second generation. */
export function flawOfJobPair(cpu: number, memoryMiB: number): string | undefined {
  if (cpu < LEAST_JOB_CPU) return `jobs have ${LEAST_JOB_CPU} processor at least, not ${cpu}`
  if (memoryMiB < SECOND_GENERATION_MIB)
    return `jobs have ${SECOND_GENERATION_MIB} MiB at least, not ${memoryMiB}`
  return flawOfPair(cpu, memoryMiB)
}

/** What is wrong with so many processors and so much memory, and which pair would do; undefined for a pair that Cloud Run has. */
export function flawOfPair(cpu: number, memoryMiB: number): string | undefined {
  if (cpu > 1 && !CPU_TABLE.some(row => row.cpu === cpu))
    return `Cloud Run has 0.08 to 1 processors, or 2, 4, 6 or 8, not ${cpu}`
  const row = CPU_TABLE.findLast(one => one.cpu <= cpu)
  if (row === undefined) return `Cloud Run gives no less than ${LEAST_CPU} processors, not ${cpu}`
  if (memoryMiB >= row.least && memoryMiB <= row.most) return undefined
  const fitting = CPU_TABLE.find(one => memoryMiB >= one.least && memoryMiB <= one.most)
  const range = `${row.least} to ${row.most} MiB go with ${cpu} processors`
  return `${memoryMiB} MiB with ${cpu} processors is no pair of Cloud Run: ${range}${
    fitting === undefined ? '' : `, and ${fitting.cpu} or more with ${memoryMiB} MiB`
  }`
}
