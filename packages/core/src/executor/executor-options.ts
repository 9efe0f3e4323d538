import { type ResolvedConfig, resolveConfig } from '../config/resolve-config.ts'
import { COMPUTE_SPEC_VERSION, type ComputeBackend } from '../driver/compute-backend.ts'
import type { ComputeDriver, DriverContext, MonitorDriver, StorageDriver } from '../driver/driver.ts'
import { checkDriverShape } from '../driver/driver-shape.ts'
import type { Monitor } from '../driver/monitor.ts'
import { ConfigError, DriverContractError } from '../errors/index.ts'
import { type CallOptions, compileRetries, DEFAULT_RETRIES, type JobDefaults } from '../job/job-options.ts'
import {
  checker,
  isPositive,
  isPositiveInteger,
  isRecord,
  isText,
  unknownOption,
} from '../job/option-checks.ts'
import { importFallbackMonitor, importStorageMonitor } from '../lazy-imports.ts'
import type { Pause } from '../monitor/polling-pace.ts'
import type { OpenStorage } from '../storage/open-storage.ts'
import type { BakedFunction } from './baked-function.ts'
import { driverContext, LEVELS, makeLog, namesOf, sectionOf, tellOfConfig } from './driver-section.ts'
import { findDriver } from './find-driver.ts'
import { localhostBackend } from './localhost-choice.ts'
import { storageless } from './needs-storage.ts'
import type { ExecutorParts } from './open-executor.ts'
import { storageOpener } from './storage-opener.ts'

type BackendChoice = string | ComputeDriver | ComputeBackend

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

function backendChoices(
  options: ExecutorOptions,
  config: ResolvedConfig | undefined,
  kind: ExecutorKind,
): BackendChoice[] {
  const mode = config?.lithops.mode
  const named =
    options.backend ??
    config?.lithops.backend ??
    (mode === 'serverless' || kind.only === 'serverless' ? config?.serverless.backend : undefined)
  if (mode === 'standalone') {
    throw new ConfigError(
      'mode: standalone is not there: Lithops for TypeScript runs on localhost and on serverless backends.',
    )
  }
  const list = [named ?? []].flat() as BackendChoice[]
  if (named !== undefined && list.length === 0) {
    throw new ConfigError('backend must name at least one backend, and the list is empty.')
  }
  if (
    kind.only === 'localhost' &&
    options.backend !== undefined &&
    list.some(choice => choice !== 'localhost')
  ) {
    const name = list.map(choice => (typeof choice === 'string' ? choice : choice.name)).join(', ')
    throw new ConfigError(
      `${kind.className} runs on localhost, not on ${name}. Use FunctionExecutor for that.`,
    )
  }
  if (kind.only === 'localhost' || (mode === 'localhost' && list.length === 0)) return ['localhost']
  if (list.length === 0) {
    if (kind.only !== 'serverless' && mode !== 'serverless') return ['localhost']
    throw new ConfigError(
      `${kind.only === 'serverless' ? kind.className : 'mode: serverless'} needs a backend: name one, for instance backend: aws_lambda.`,
    )
  }
  if ((kind.only === 'serverless' || mode === 'serverless') && list.includes('localhost')) {
    throw new ConfigError(
      `${kind.only === 'serverless' ? kind.className : 'mode: serverless'} does not run on localhost. Use FunctionExecutor or LocalhostExecutor for that, or name a serverless backend.`,
    )
  }
  for (const choice of list) {
    if (typeof choice !== 'string' && (typeof choice !== 'object' || choice === null)) {
      throw new ConfigError(`backend must be a name, a driver or a list of them, not ${String(choice)}.`)
    }
  }
  return list
}

function openBackend(
  choice: BackendChoice,
  config: ResolvedConfig | undefined,
  context: DriverContext,
): ComputeBackend | Promise<ComputeBackend> {
  if (choice === 'localhost') return localhostBackend(config?.localhost, context.log)
  if (typeof choice === 'string') {
    return findDriver('backend', choice, context).then(async ({ driver }) => {
      return checkBackend(await driver.create(sectionOf(driver, config, context.log), context))
    })
  }
  if (isBackend(choice)) return checkBackend(choice)
  if (typeof choice.create !== 'function') {
    throw new DriverContractError(
      'The object given as backend is neither a backend (invoke) nor a driver (create).',
    )
  }
  checkDriverShape('backend', 'the option backend', choice)
  const made = choice.create(sectionOf(choice, config, context.log), context)
  return made instanceof Promise ? made.then(checkBackend) : checkBackend(made)
}

/** A backend object, not a driver that makes one. */
function isBackend(choice: BackendChoice): choice is ComputeBackend {
  return typeof choice === 'object' && 'invoke' in choice
}

const BACKEND_METHODS = [
  'deployRuntime',
  'listRuntimes',
  'deleteRuntime',
  'invoke',
  'clean',
  'close',
] as const

function checkBackend(backend: ComputeBackend): ComputeBackend {
  if (backend.specVersion !== COMPUTE_SPEC_VERSION) {
    throw new DriverContractError(
      `Backend '${backend.name}' has specVersion ${String(backend.specVersion)}, and this core needs ${COMPUTE_SPEC_VERSION}.`,
    )
  }
  for (const method of BACKEND_METHODS) {
    if (typeof backend[method] !== 'function') {
      throw new DriverContractError(`Backend '${backend.name}' has no method ${method}().`)
    }
  }
  if (typeof backend.capabilities !== 'object' || typeof backend.defaultRuntime !== 'object') {
    throw new DriverContractError(`Backend '${backend.name}' lacks capabilities or defaultRuntime.`)
  }
  return backend
}

function isRemote(backends: readonly BackendChoice[]): boolean {
  return backends.some(backend => typeof backend === 'string' && backend !== 'localhost')
}

function isStorageless(
  wanted: string | StorageDriver | undefined,
  backends: readonly BackendChoice[],
): boolean {
  return wanted === 'storageless' || (wanted === undefined && isRemote(backends))
}

function jobStorageOpener(
  wanted: string | StorageDriver | undefined,
  backends: readonly BackendChoice[],
  config: ResolvedConfig | undefined,
  context: DriverContext,
): ExecutorParts['openStorage'] {
  if (isStorageless(wanted, backends)) return () => undefined
  if (wanted === 'localhost' && isRemote(backends)) {
    throw new ConfigError(
      'storage: localhost cannot be used with a remote backend: its workers do not see this machine. Name another storage, or storageless.',
    )
  }
  const open = storageOpener(wanted ?? 'localhost', config, context)
  if (wanted !== undefined) return open
  const unasked = (storage: OpenStorage): OpenStorage => ({ ...storage, isDefault: true })
  return () => {
    const opened = open()
    return opened instanceof Promise ? opened.then(unasked) : opened && unasked(opened)
  }
}

/** A storage beside the job's own, by its config name. */
async function openNamedStorage(
  name: string,
  known: readonly (string | StorageDriver)[],
  backends: readonly BackendChoice[],
  config: ResolvedConfig | undefined,
  context: DriverContext,
): Promise<OpenStorage> {
  const driver = known.find(candidate => typeof candidate === 'object' && candidate.name === name)
  if (typeof driver === 'object') checkDriverShape('storage', 'the option storages', driver)
  if (driver !== undefined) return storageOpener(driver, config, context)()
  return jobStorageOpener(name, backends, config, context)() as Promise<OpenStorage>
}

function monitorOpener(
  options: ExecutorOptions,
  config: ResolvedConfig | undefined,
  context: DriverContext,
  chosen: {
    readonly storage: string | StorageDriver | undefined
    readonly backends: readonly BackendChoice[]
  },
): ExecutorParts['openMonitor'] {
  const wanted =
    options.monitoring ??
    config?.lithops.monitoring?.toLowerCase() ??
    (config?.lithops.rabbitmq_monitor === true ? 'rabbitmq' : undefined)
  if (
    options.monitoring === undefined &&
    config?.lithops.rabbitmq_monitor === true &&
    wanted !== 'rabbitmq'
  ) {
    throw new ConfigError(
      `lithops.rabbitmq_monitor is true, and lithops.monitoring is '${String(wanted)}': give one of them.`,
    )
  }
  if (wanted === undefined || wanted === 'direct') return undefined
  if (wanted === 'storage' && isStorageless(chosen.storage, chosen.backends))
    throw storageless('monitoring: storage')
  if (typeof wanted === 'object') checkDriverShape('monitor', 'the option monitoring', wanted)
  return async (storage): Promise<Monitor> => {
    const surroundings = { ...context, storage }
    if (wanted === 'storage') return openStorageMonitor(storage, config)
    const driver = typeof wanted === 'string' ? (await findDriver('monitor', wanted, context)).driver : wanted
    const monitor = await driver.create(sectionOf(driver, config, context.log), surroundings)
    if (monitor.fallsBackToStorage !== true || storage === undefined) return monitor
    const { FallbackMonitor } = await importFallbackMonitor()
    const second = await storageMonitorOpener(storage, config)
    return new FallbackMonitor(monitor, second, context.log)
  }
}

async function openStorageMonitor(
  storage: OpenStorage | undefined,
  config: ResolvedConfig | undefined,
): Promise<Monitor> {
  return (await storageMonitorOpener(storage, config))(usual => usual)
}

async function storageMonitorOpener(storage: OpenStorage | undefined, config: ResolvedConfig | undefined) {
  const storageMonitor = await importStorageMonitor()
  const interval = config?.lithops.monitoring_interval
  const section = interval === undefined ? {} : { monitoring_interval: interval }
  return (makePause: (usual: Pause) => Pause) =>
    storageMonitor.openStorageMonitor(section, { storage, makePause })
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
