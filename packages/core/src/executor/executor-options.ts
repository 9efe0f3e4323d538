import { type ResolvedConfig, resolveConfig } from '../config/resolve-config.ts'
import type { ComputeBackend } from '../driver/compute-backend.ts'
import type { MonitorDriver, StorageDriver } from '../driver/driver.ts'
import { ConfigError } from '../errors/index.ts'
import { type CallOptions, compileRetries, DEFAULT_RETRIES, type JobDefaults } from '../job/job-options.ts'
import {
  checker,
  isPositive,
  isPositiveInteger,
  isRecord,
  isText,
  unknownOption,
} from '../job/option-checks.ts'
import { type BackendChoice, backendChoices, isBackend, openBackend } from './backend-choice.ts'
import type { BakedFunction } from './baked-function.ts'
import { driverContext, LEVELS, makeLog, namesOf, tellOfConfig } from './driver-section.ts'
import { isStorageless, jobStorageOpener, openNamedStorage } from './job-storage-opener.ts'
import { monitorOpener, openStorageMonitor } from './monitor-opener.ts'
import type { ExecutorParts } from './open-executor.ts'

/** What the constructor of an executor takes. Everything is optional, and wins over the config. */
export interface ExecutorOptions {
  /** A whole config in code, by sections as in a file; files and LITHOPS_CONFIG are not looked at then. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Path of the config file to use instead of those that are searched. */
  readonly configFile?: string
  /** Name of the compute backend, a driver or a backend object; or a list of them to spread jobs over. */
  readonly backend?: BackendChoice | readonly BackendChoice[]
  /** Name of the storage, 'storageless', or a driver object. */
  readonly storage?: string | StorageDriver
  /**
   * Storages beside that one that sources of objects name in their addresses: needed for drivers that are objects, and
   * for packages of others that have a section in the config.
   */
  readonly storages?: readonly (string | StorageDriver)[]
  /** Way home of results: 'direct', 'storage', the name of a monitor, or a driver object. */
  readonly monitoring?: string | MonitorDriver
  /** Keys of the section `localhost`. */
  readonly localhost?: {
    readonly worker_processes?: number
    readonly isolation?: 'worker' | 'call'
    readonly runtime?: string
    readonly runtime_memory?: number
    readonly storage_folder?: string
  }
  /** Name of the runtime. Default: the backend's. */
  readonly runtime?: string
  /** Memory of the workers in MiB. Default: the runtime's. */
  readonly runtimeMemoryMiB?: number
  /** Default of the jobs' `retries`. */
  readonly retries?: CallOptions['retries']
  /** Default of the jobs' `timeoutMs`. */
  readonly timeoutMs?: number
  /** 'debug' tells more on standard error. Default: the config's, else 'warning'. */
  readonly logLevel?: 'debug' | 'info' | 'warning' | 'error'
}

const KNOWN_OPTIONS = [
  'config',
  'configFile',
  'backend',
  'storage',
  'storages',
  'monitoring',
  'localhost',
  'runtime',
  'runtimeMemoryMiB',
  'retries',
  'timeoutMs',
  'logLevel',
]

/** Names of Lithops (Python), with what they are called here. */
const RENAMED = {
  mode: 'backend',
  config_file: 'configFile',
  runtime_memory: 'runtimeMemoryMiB',
  runtimeMemory: 'runtimeMemoryMiB',
  log_level: 'logLevel',
  timeout: 'timeoutMs (milliseconds)',
  workers: "localhost: { worker_processes }, or a key of the backend's section in config",
  worker_processes: "localhost: { worker_processes }, or a key of the backend's section in config",
}

/** Restrictions of an executor class. */
export interface ExecutorKind {
  readonly className: string
  readonly only?: 'localhost' | 'serverless'
  /** Runs of a call after errors of its function, where neither options nor config say how many. Default: 0. */
  readonly userRetries?: number
}

const DEFAULT_TIMEOUT_MS = 1_800_000

/** Turns options and config into the parts of an executor. Checks everything before anything is started. */
export function resolveExecutor(options: ExecutorOptions, kind: ExecutorKind): ExecutorParts {
  checkOptions(options)
  const config = resolveConfig({
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.configFile === undefined ? {} : { configFile: options.configFile }),
    ...(options.localhost === undefined ? {} : { localhost: options.localhost }),
    drivers: namesOf([options.backend, options.storage, options.storages, options.monitoring].flat()),
  })
  const log = makeLog(options.logLevel ?? config?.lithops.log_level.toLowerCase() ?? 'warning')
  if (config !== undefined) tellOfConfig(config, log)
  const choices = backendChoices(options, config, kind)
  const context = driverContext(log)
  const backends = choices.map(choice => openBackend(choice, config, context))
  const wantedStorage = options.storage ?? config?.lithops.storage
  const openStorage = jobStorageOpener(wantedStorage, choices, config, context)
  return {
    jobDefaults: jobDefaults(options, config, kind),
    bakedFunction: bakedFunctionOf(config),
    runtime: {
      ...runtimeNameOf(options, config, choices),
      ...(options.runtimeMemoryMiB === undefined ? {} : { memoryMiB: options.runtimeMemoryMiB }),
    },
    log,
    backends: backends.some(backend => backend instanceof Promise)
      ? Promise.all(backends)
      : (backends as ComputeBackend[]),
    injected: new Set(choices.filter(isBackend)),
    isStorageless: isStorageless(wantedStorage, choices),
    openStorage,
    openNamedStorage: name => openNamedStorage(name, options.storages ?? [], choices, config, context),
    openMonitor: monitorOpener(options, config, context, { storage: wantedStorage, backends: choices }),
    wantsReplies: (options.monitoring ?? config?.lithops.monitoring?.toLowerCase()) === 'direct',
    openStorageMonitor: async storage => openStorageMonitor(storage, config),
  }
}

/** A runtime of the section serverless is none of this machine's. */
function runtimeNameOf(
  { runtime }: ExecutorOptions,
  config: ResolvedConfig | undefined,
  choices: readonly BackendChoice[],
): { readonly name?: string } {
  const isRemote = choices.some(choice => choice !== 'localhost')
  const name = runtime ?? (isRemote ? config?.serverless.runtime : undefined)
  return name === undefined ? {} : { name }
}

function bakedFunctionOf(config: ResolvedConfig | undefined): BakedFunction | undefined {
  const { map_func_mod: module, map_func: name } = config?.serverless ?? {}
  if (module === undefined || name === undefined) return undefined
  return { module, name, folders: config?.folder === undefined ? [] : [config.folder] }
}

function checkOptions(options: ExecutorOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError(
      `The options of an executor must be an object, not ${options === null ? 'null' : typeof options}.`,
    )
  }
  const problems = Object.keys(options).flatMap(key => unknownOption(key, KNOWN_OPTIONS, RENAMED))
  const is = checker(options as Readonly<Record<string, unknown>>, problems)
  is('config', 'an object of sections (a file is named with configFile)', isRecord)
  is('configFile', 'a path', isText)
  is('localhost', 'an object of keys', isRecord)
  is('runtime', 'the name of a runtime', isText)
  is('runtimeMemoryMiB', 'a positive whole number', isPositiveInteger)
  is('timeoutMs', 'a positive number', isPositive)
  is('logLevel', `one of ${LEVELS.join(', ')}`, value => LEVELS.includes(value as string))
  for (const kind of ['backend', 'storage', 'monitoring']) {
    is(kind, 'a name or a driver', value => value !== '' && (isText(value) || typeof value === 'object'))
  }
  const isStorage = (one: unknown) => isText(one) || isRecord(one)
  is('storages', 'a list of names and drivers', value => Array.isArray(value) && value.every(isStorage))
  if (problems.length === 0) return
  throw new ConfigError(`The options of the executor are wrong: ${problems.join('; ')}.`)
}

function jobDefaults(
  options: ExecutorOptions,
  config: ResolvedConfig | undefined,
  kind: ExecutorKind,
): JobDefaults {
  const problems: string[] = []
  const user = config?.lithops.retries || kind.userRetries || DEFAULT_RETRIES.user
  const retries = compileRetries(options.retries, { ...DEFAULT_RETRIES, user }, problems)
  if (problems.length > 0)
    throw new ConfigError(`The options of the executor are wrong: ${problems.join('; ')}.`)
  const {
    chunksize,
    include_modules: includeModules,
    exclude_modules: excludeModules,
  } = config?.lithops ?? {}
  return {
    timeoutMs:
      options.timeoutMs ??
      (config === undefined ? DEFAULT_TIMEOUT_MS : config.lithops.execution_timeout * 1000),
    retries,
    ...(chunksize === undefined ? {} : { chunksize }),
    ...(includeModules === undefined ? {} : { includeModules }),
    ...(excludeModules === undefined ? {} : { excludeModules }),
  }
}
