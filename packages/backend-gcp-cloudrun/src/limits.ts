/** Time limit of one request in seconds. From: "Set request timeout for services" of the Cloud Run documentation. */
export const TIMEOUT_S = { least: 1, most: 3600 } as const
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
