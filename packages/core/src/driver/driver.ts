import type { ComputeBackend } from './compute-backend.ts'
import type { ConfigSection } from './config-section.ts'
import type { Monitor } from './monitor.ts'
import type { StorageBackend } from './storage-backend.ts'

/** What core tells a driver when it makes a backend. */
export interface DriverContext {
  /** The user's project folder, from which packages are resolved. */
  readonly projectDirectory: string
  /** Name of the user as in the names of temporary folders and deployed things. */
  readonly userName: string
  readonly log: DriverLog
}

/** Lines for the person who runs the program; they appear by `log_level`. */
export interface DriverLog {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
}

/** The named export `backend` of a compute package. Making a driver object does no I/O and loads no SDK. */
export interface ComputeDriver<Config = Record<string, unknown>> {
  readonly specVersion: 1
  /** Config name and section name, e.g. 'aws_lambda'. */
  readonly name: string
  /** The config section that belongs to it; absent: any keys are taken as they are. */
  readonly config?: ConfigSection<Config>
  create(config: Config, context: DriverContext): ComputeBackend | Promise<ComputeBackend>
}

/** The named export `storage` of a storage package. */
export interface StorageDriver<Config = Record<string, unknown>> {
  readonly specVersion: 1
  readonly name: string
  readonly config?: ConfigSection<Config>
  create(config: Config, context: DriverContext): StorageBackend | Promise<StorageBackend>
}

/** The named export `monitor` of a monitor package. */
export interface MonitorDriver<Config = Record<string, unknown>> {
  readonly specVersion: 1
  readonly name: string
  readonly config?: ConfigSection<Config>
  /** `storage` is the job's storage, undefined for `storage: storageless`. */
  create(
    config: Config,
    context: DriverContext & {
      readonly storage: { readonly backend: StorageBackend; readonly bucket: string } | undefined
    },
  ): Monitor | Promise<Monitor>
}
