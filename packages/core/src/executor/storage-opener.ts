import { fileURLToPath } from 'node:url'
import type { ResolvedConfig } from '../config/resolve-config.ts'
import type { DriverContext, StorageDriver } from '../driver/driver.ts'
import { checkDriverShape } from '../driver/driver-shape.ts'
import type { StorageBackend } from '../driver/storage-backend.ts'
import { DEFAULT_LOCALHOST_BUCKET, localhostStorageDriver } from '../localhost/localhost-storage.ts'
import type { OpenStorage } from '../storage/open-storage.ts'
import { sectionOf } from './driver-section.ts'
import { findDriver } from './find-driver.ts'

/** Opens a storage by its config name or with a driver. Nothing is opened before it is called. */
export function storageOpener(
  wanted: string | StorageDriver,
  config: ResolvedConfig | undefined,
  context: DriverContext,
): () => OpenStorage | Promise<OpenStorage> {
  if (wanted === 'localhost') return () => openLocalhost(config, context)
  if (typeof wanted === 'object') checkDriverShape('storage', 'the option storage', wanted)
  return async () => {
    const { driver, file } =
      typeof wanted === 'string'
        ? await findDriver('storage', wanted, context)
        : { driver: wanted, file: undefined }
    const section = sectionOf(driver, config, context.log)
    const backend = await driver.create(section, context)
    const bucket =
      typeof section.storage_bucket === 'string'
        ? section.storage_bucket
        : (backend.defaultBucket ?? DEFAULT_LOCALHOST_BUCKET)
    return file === undefined ? { backend, bucket } : { backend, bucket, module: fileURLToPath(file) }
  }
}

function openLocalhost(config: ResolvedConfig | undefined, context: DriverContext): OpenStorage {
  const { storage_folder: root, storage_bucket: bucket = DEFAULT_LOCALHOST_BUCKET } = config?.localhost ?? {}
  const section = { storage_bucket: bucket, ...(root === undefined ? {} : { root }) }
  return { backend: localhostStorageDriver.create(section, context) as StorageBackend, bucket }
}
