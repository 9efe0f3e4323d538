import { ConfigError } from '../errors/index.ts'
import {
  checker,
  isPositive,
  isPositiveInteger,
  isRecord,
  isSignal,
  isTexts,
  show,
  unknownOption,
} from './option-checks.ts'

/** How often a call may be run again. */
export interface RetryBudget {
  /** After faults of the infrastructure: a lost or killed worker, a refused activation. Default: 5. */
  readonly infrastructure: number
  /** After errors of the function itself, and after its timeout. Default: 0. */
  readonly user: number
}

/** What a user may say about one job. */
export interface CallOptions<Extra extends readonly unknown[] = readonly unknown[]> {
  /** Calls per activation. Default: chosen by the measured time of the calls on localhost, else the config's. */
  readonly chunksize?: number
  /** Given to the function after its item. */
  readonly extraArgs?: Extra
  /** Environment variables for the function. */
  readonly extraEnv?: Readonly<Record<string, string>>
  /** Memory of the workers in MiB. Default: the runtime's. */
  readonly runtimeMemoryMiB?: number
  /** Time limit of one call in milliseconds. Default: the config's execution_timeout (30 minutes). */
  readonly timeoutMs?: number
  /** Runs again after errors of the function; a number means that many for both kinds. */
  readonly retries?: number | Partial<RetryBudget>
  /** Modules to bundle though nothing imports them literally. */
  readonly includeModules?: readonly string[]
  /** Modules to leave out of the bundle because the runtime has them. */
  readonly excludeModules?: readonly string[]
  /**
   * How many calls may fail, as a number or a percentage like '5%', before the rest of the job is cancelled. Results
   * of failed calls within it are undefined and are left out of what a reducer gets. Default: failures do not stop the
   * job, and reading the results throws the first of them.
   */
  readonly toleratedFailures?: number | `${number}%`
  /**
   * 'storage' leaves every result in the job's storage until it is read (`future.result()`, `getResult`) or another
   * call needs it, for results that are many, large, or only for other calls. Default: 'client', where only what is
   * too large for its way home goes to storage.
   */
  readonly results?: 'client' | 'storage'
  /**
   * The job outlives this program: what is needed to read its results and to run what is left of it lies in storage until
   * its results are read, and `FunctionExecutor.attach(jobKey)` of another program takes it over. Items must be a list,
   * and values that are there. Default: false, where `close()` ends the job.
   */
  readonly durable?: boolean
  /** Cancels the job when aborted. */
  readonly signal?: AbortSignal
  /** Progress bar while results are waited for. Default: on a terminal only. */
  readonly progress?: boolean
}

/** The same with defaults filled in and contradictions refused. */
export interface JobOptions {
  readonly chunksize: number | undefined
  readonly extraEnv: Readonly<Record<string, string>> | undefined
  readonly memoryMiB: number | undefined
  readonly timeoutMs: number
  readonly retries: RetryBudget
  readonly includeModules: readonly string[]
  readonly excludeModules: readonly string[]
  readonly toleratedFailures: { readonly count: number } | { readonly share: number } | undefined
  readonly results: 'client' | 'storage'
  readonly durable: boolean
  readonly signal: AbortSignal | undefined
  readonly progress: boolean | undefined
}

/** Defaults of an executor for its jobs. */
export interface JobDefaults {
  readonly chunksize?: number
  readonly timeoutMs: number
  readonly retries: RetryBudget
  readonly includeModules?: readonly string[]
  readonly excludeModules?: readonly string[]
  readonly memoryMiB?: number
}

export const DEFAULT_RETRIES: RetryBudget = { infrastructure: 5, user: 0 }

const KNOWN = [
  'chunksize',
  'extraArgs',
  'extraEnv',
  'runtimeMemoryMiB',
  'timeoutMs',
  'retries',
  'includeModules',
  'excludeModules',
  'toleratedFailures',
  'results',
  'durable',
  'signal',
  'progress',
]

/** Names of Lithops (Python) and near misses, with what they are called here. */
const RENAMED: Readonly<Record<string, string>> = {
  timeout: 'timeoutMs (milliseconds)',
  runtimeMemory: 'runtimeMemoryMiB',
  runtime_memory: 'runtimeMemoryMiB',
  extra_args: 'extraArgs',
  extra_env: 'extraEnv',
  chunk_size: 'chunksize',
  chunkSize: 'chunksize',
  include_modules: 'includeModules',
  exclude_modules: 'excludeModules',
  spawn_reducer: 'spawnReducer (an option of mapReduce)',
  obj_reduce_by_key: 'reduceByKey (an option of mapReduce)',
  reduce_by_key: 'reduceByKey (an option of mapReduce)',
  return_when: 'returnWhen (an option of wait)',
}

/** Checks the options of one job and fills in defaults. Throws ConfigError that names every problem. */
export function compileJobOptions(
  options: CallOptions,
  defaults: JobDefaults,
  alsoKnown: readonly string[] = [],
): JobOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigError(`The options of the job must be an object, not ${show(options)}.`)
  }
  const known = [...KNOWN, ...alsoKnown]
  const problems = Object.keys(options).flatMap(key => unknownOption(key, known, RENAMED))
  const is = checker(options as Readonly<Record<string, unknown>>, problems)
  is('chunksize', 'a positive whole number', isPositiveInteger)
  is('runtimeMemoryMiB', 'a positive whole number', isPositiveInteger)
  is('timeoutMs', 'a positive number', isPositive)
  is('extraArgs', 'an array', Array.isArray)
  is('includeModules', 'an array of module names', isTexts)
  is('excludeModules', 'an array of module names', isTexts)
  is('signal', 'an AbortSignal', isSignal)
  is('progress', 'true or false', value => typeof value === 'boolean')
  is('extraEnv', 'an object of texts', isRecord)
  for (const [key, value] of Object.entries(options.extraEnv ?? {})) {
    if (typeof value !== 'string') problems.push(`extraEnv.${key} must be a text, not ${show(value)}`)
  }
  if (options.results !== undefined && options.results !== 'client' && options.results !== 'storage') {
    problems.push(`results must be 'client' or 'storage', not ${show(options.results)}`)
  }
  if (options.durable !== undefined && typeof options.durable !== 'boolean') {
    problems.push(`durable must be true or false, not ${show(options.durable)}`)
  }
  const retries = compileRetries(options.retries, defaults.retries, problems)
  const toleratedFailures = compileTolerated(options.toleratedFailures, problems)
  if (problems.length > 0) throw new ConfigError(`The options of the job are wrong: ${problems.join('; ')}.`)
  return {
    chunksize: options.chunksize ?? defaults.chunksize,
    extraEnv: options.extraEnv,
    memoryMiB: options.runtimeMemoryMiB ?? defaults.memoryMiB,
    timeoutMs: options.timeoutMs ?? defaults.timeoutMs,
    retries,
    includeModules: [...(defaults.includeModules ?? []), ...(options.includeModules ?? [])],
    excludeModules: [...(defaults.excludeModules ?? []), ...(options.excludeModules ?? [])],
    toleratedFailures,
    results: options.results ?? 'client',
    durable: options.durable ?? false,
    signal: options.signal,
    progress: options.progress,
  }
}

/** What is wrong with `retries` is added to `problems`. */
export function compileRetries(
  retries: CallOptions['retries'],
  defaults: RetryBudget,
  problems: string[],
): RetryBudget {
  if (retries === undefined) return defaults
  if (typeof retries !== 'number' && !isRecord(retries)) {
    problems.push(`retries must be a whole number or { infrastructure, user }, not ${show(retries)}`)
    return defaults
  }
  const budget =
    typeof retries === 'number'
      ? { user: retries, infrastructure: Math.max(retries, defaults.infrastructure) }
      : { ...defaults, ...retries }
  for (const [name, value] of Object.entries(budget)) {
    if (name !== 'user' && name !== 'infrastructure')
      problems.push(`there is no retries.${name}, only retries.infrastructure and retries.user`)
    else if (!Number.isInteger(value) || value < 0)
      problems.push(`retries.${name} must be a whole number from 0, not ${show(value)}`)
  }
  return budget
}

function compileTolerated(
  tolerated: CallOptions['toleratedFailures'],
  problems: string[],
): JobOptions['toleratedFailures'] {
  if (tolerated === undefined) return undefined
  if (typeof tolerated === 'number' && Number.isInteger(tolerated) && tolerated >= 0)
    return { count: tolerated }
  const percent = typeof tolerated === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(tolerated) : null
  if (percent !== null && Number(percent[1]) <= 100) return { share: Number(percent[1]) / 100 }
  problems.push(`toleratedFailures must be a whole number or a percentage like '5%', not ${show(tolerated)}`)
  return undefined
}
