import type { ComputeBackend } from '../driver/compute-backend.ts'
import type { ComputeDriver, DriverLog, MonitorDriver, StorageDriver } from '../driver/driver.ts'
import { DEFAULT_RETRIES } from '../job/job-options.ts'
import { LocalhostBackend } from '../localhost/localhost-backend.ts'
import { localhostStorageDriver } from '../localhost/localhost-storage.ts'
import { StorageMonitor } from '../monitor/storage-monitor.ts'
import type { ExecutorParts } from './open-executor.ts'

/** What the constructor of an executor takes. */
export interface ExecutorOptions {
  readonly backend?: string | ComputeDriver | ComputeBackend
  readonly storage?: string | StorageDriver
  readonly monitoring?: string | MonitorDriver
  readonly localhost?: { readonly worker_processes?: number; readonly isolation?: 'worker' | 'call' }
}

const log: DriverLog = { debug() {}, info() {}, warn: message => console.warn(message) }

export function resolveExecutor(options: ExecutorOptions): ExecutorParts {
  const context = { projectDirectory: process.cwd(), userName: 'user', log }
  const { backend } = options
  const workers = options.localhost?.worker_processes
  const isolation = options.localhost?.isolation
  const made =
    typeof backend === 'object'
      ? 'create' in backend
        ? backend.create({}, context)
        : backend
      : new LocalhostBackend({ ...(workers ? { workers } : {}), ...(isolation ? { isolation } : {}) })
  const openStorage = async () => {
    const driver = typeof options.storage === 'object' ? options.storage : localhostStorageDriver
    return { backend: await driver.create({} as never, context), bucket: 'storage' }
  }
  let storage: ReturnType<typeof openStorage> | undefined
  const isDefaultStorage = options.storage === undefined
  const openDefault = () => ({
    backend: localhostStorageDriver.create({}, context) as never,
    bucket: 'storage',
  })
  const getStorage = isDefaultStorage ? openDefault : () => (storage ??= openStorage())
  return {
    jobDefaults: { timeoutMs: 1_800_000, retries: DEFAULT_RETRIES },
    runtime: {},
    log,
    backends: made instanceof Promise ? made.then(b => [b]) : [made],
    openStorage: options.storage === 'storageless' ? () => undefined : getStorage,
    openMonitor:
      options.monitoring === undefined
        ? undefined
        : async () =>
            typeof options.monitoring === 'object'
              ? options.monitoring.create({}, { ...context, storage: await getStorage() })
              : new StorageMonitor(await getStorage()),
  }
}
