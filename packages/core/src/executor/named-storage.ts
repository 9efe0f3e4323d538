import { resolveConfig } from '../config/resolve-config.ts'
import type { StorageDriver } from '../driver/driver.ts'
import { STORAGE_SPEC_VERSION, type StorageBackend } from '../driver/storage-backend.ts'
import { ConfigError, DriverContractError, NotSupportedError } from '../errors/index.ts'
import type { StorageParts } from '../storage/object-operations.ts'
import type { RetryPolicy } from '../storage/retrying-storage.ts'
import { isStorage, Storage as OpenedStorage } from '../storage/storage.ts'
import { driverContext, makeLog, namesOf } from './driver-section.ts'
import { storageOpener } from './storage-opener.ts'

/** What `new Storage()` takes. Everything is optional, and wins over the config. */
export interface StorageOptions {
  /** Config name of the storage, a driver, or an opened backend. Default: the config's, else 'localhost'. */
  readonly backend?: string | StorageDriver | StorageBackend
  /** The bucket of operations that name none. Default: the section's `storage_bucket`, else the driver's own. */
  readonly bucket?: string
  /** A whole config in code, by sections as in a file; files and LITHOPS_CONFIG are not looked at then. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Path of the config file to use instead of those that are searched. */
  readonly configFile?: string
  /** How often and after which pauses an operation that a passing fault broke is tried again. */
  readonly retry?: RetryPolicy
}

const KNOWN_OPTIONS = ['backend', 'bucket', 'config', 'configFile', 'retry']

/**
 * Object storage for programs: any service that a driver is installed for, by its name in the config. The driver is
 * loaded by the first operation. Functions in workers have the one of their job: `context.storage`.
 */
export class Storage extends OpenedStorage {
  constructor(options: StorageOptions = {}) {
    super(partsOf(options))
  }

  /** Those of executors and of workers are storages too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === Storage ? isStorage(value) : Function.prototype[Symbol.hasInstance].call(this, value)
  }
}

function partsOf(options: StorageOptions): StorageParts {
  checkOptions(options)
  const { backend, bucket, retry } = options
  const given = { ...(bucket === undefined ? {} : { bucket }), ...(retry === undefined ? {} : { retry }) }
  if (isBackend(backend)) {
    if (backend.specVersion !== STORAGE_SPEC_VERSION) {
      throw new DriverContractError(
        `Storage '${backend.name}' has specVersion ${String(backend.specVersion)}, and this core needs ${STORAGE_SPEC_VERSION}.`,
      )
    }
    return { bucket: backend.defaultBucket ?? 'storage', ...given, backend }
  }
  const config = resolveConfig({
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.configFile === undefined ? {} : { configFile: options.configFile }),
    drivers: namesOf([backend]),
  })
  const log = makeLog(config?.lithops.log_level.toLowerCase() ?? 'warning')
  const wanted = backend ?? config?.lithops.storage ?? 'localhost'
  if (wanted === 'storageless') {
    throw new NotSupportedError(
      "There is no storage: the config has `storage: storageless`. Name one: new Storage({ backend: 'localhost' }).",
      { code: 'LITHOPS_STORAGELESS' },
    )
  }
  return {
    ...given,
    backend: storageOpener(wanted, config, driverContext(log)),
    name: typeof wanted === 'string' ? wanted : wanted.name,
  }
}

function isBackend(backend: StorageOptions['backend']): backend is StorageBackend {
  return typeof backend === 'object' && backend !== null && 'putObject' in backend
}

function checkOptions(options: StorageOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError(
      `The options of Storage must be an object, not ${options === null ? 'null' : typeof options}.`,
    )
  }
  const unknown = Object.keys(options).filter(key => !KNOWN_OPTIONS.includes(key))
  if (unknown.length > 0) {
    throw new ConfigError(
      `There is no option of Storage ${unknown.map(key => `'${key}'`).join(', ')}. There are: ${KNOWN_OPTIONS.join(', ')}. ` +
        'Sections of the config go into `config`.',
    )
  }
  const { backend, bucket } = options
  if (
    backend !== undefined &&
    typeof backend !== 'string' &&
    (typeof backend !== 'object' || backend === null)
  ) {
    throw new ConfigError(
      `The option backend of Storage is a name, a driver or a backend, not ${String(backend)}.`,
    )
  }
  if (bucket !== undefined && (typeof bucket !== 'string' || bucket === '')) {
    throw new ConfigError(
      `The option bucket of Storage is the name of a bucket, not ${JSON.stringify(bucket)}.`,
    )
  }
}
