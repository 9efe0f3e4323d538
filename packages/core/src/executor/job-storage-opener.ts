import type { ResolvedConfig } from '../config/resolve-config.ts'
import type { DriverContext, StorageDriver } from '../driver/driver.ts'
import { checkDriverShape } from '../driver/driver-shape.ts'
import { ConfigError } from '../errors/index.ts'
import type { OpenStorage } from '../storage/open-storage.ts'
import { type BackendChoice, isRemote } from './backend-choice.ts'
import type { ExecutorParts } from './open-executor.ts'
import { storageOpener } from './storage-opener.ts'

/** `storage: storageless`, or none for a remote backend. */
export function isStorageless(
  wanted: string | StorageDriver | undefined,
  backends: readonly BackendChoice[],
): boolean {
  return wanted === 'storageless' || (wanted === undefined && isRemote(backends))
}

/** Opens the storage of jobs; undefined where there is none. Throws ConfigError for one that workers could not see. */
export function jobStorageOpener(
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
export async function openNamedStorage(
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
