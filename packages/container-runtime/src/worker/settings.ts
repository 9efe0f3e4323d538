import { ACCESS_KEY_VARIABLE } from '../http-protocol.ts'

/** What the environment says of how a worker is to run. */
export interface WorkerSettings {
  readonly port: number
  /** Processes that run functions. */
  readonly workerProcesses: number
  /** Activations that each of them runs at the same time. */
  readonly concurrency: number
  /** From SIGTERM until what still runs is given up. */
  readonly graceMs: number
  /** What every request must have; undefined: nothing. */
  readonly accessKey: string | undefined
}

export const WORKER_PROCESSES_VARIABLE = 'LITHOPS_WORKER_PROCESSES'
export const CONCURRENCY_VARIABLE = 'LITHOPS_CONCURRENCY'
export const GRACE_VARIABLE = 'LITHOPS_GRACE_MS'

/** Cloud Run and Knative inject PORT, and mean this one where they do not. */
const DEFAULT_PORT = 8080
const MAX_PORT = 65_535
/** Cloud Run ends a container 10 seconds after SIGTERM: the last answers must be out by then. */
const DEFAULT_GRACE_MS = 8_000
/** Node fires longer timers at once. */
const MAX_GRACE_MS = 2 ** 31 - 1
/** More is a mistake: no container has so much memory. */
const MAX_PROCESSES = 1_000
/** The most that Cloud Run sends to one instance, from its documentation of "maximum concurrent requests per instance". */
const MAX_CONCURRENCY = 1_000

/** Reads the settings. Throws a RangeError that names the variable, its value, and what it may be. */
export function readSettings(environment: NodeJS.ProcessEnv): WorkerSettings {
  const read = (name: string, fallback: number, least: number, most: number): number => {
    const text = environment[name]
    if (text === undefined || text === '') return fallback
    const value = Number(text)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw new RangeError(
      `${name} is ${JSON.stringify(text)}: a whole number from ${least} to ${most} is needed.`,
    )
  }
  return {
    port: read('PORT', DEFAULT_PORT, 0, MAX_PORT),
    workerProcesses: read(WORKER_PROCESSES_VARIABLE, 1, 1, MAX_PROCESSES),
    concurrency: read(CONCURRENCY_VARIABLE, 1, 1, MAX_CONCURRENCY),
    accessKey: environment[ACCESS_KEY_VARIABLE],
    graceMs: read(GRACE_VARIABLE, DEFAULT_GRACE_MS, 0, MAX_GRACE_MS),
  }
}
