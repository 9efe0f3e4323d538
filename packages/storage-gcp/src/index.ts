import type { StorageDriver } from '@lithops/core/driver'
import { type GcpStorageConfig, gcpStorageSection } from './config.ts'

export { type GcpStorageConfig, gcpStorageSection }

/** Objects in Google Cloud Storage. */
export const storage: StorageDriver<GcpStorageConfig> = {
  specVersion: 1,
  name: 'gcp_storage',
  config: gcpStorageSection,
  async create(config) {
    const { openGcs } = await import('./open-gcs.ts')
    return openGcs(config)
  },
}
