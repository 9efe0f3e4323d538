import { defineConfigSection, type StorageDriver } from '@lithops/core/driver'
import { type EndpointConfig, endpointFields } from '@lithops/s3-family/config'

export type MinioConfig = EndpointConfig

/** The section `minio`. From: lithops/storage/backends/minio/config.py. */
export const minioSection = defineConfigSection({ name: 'minio', fields: endpointFields })

/** Objects in MinIO, or in another service that speaks S3, by its endpoint. */
export const storage: StorageDriver<MinioConfig> = {
  specVersion: 1,
  name: 'minio',
  config: minioSection,
  async create(config, { log }) {
    const { openEndpointStorage } = await import('@lithops/s3-family')
    return openEndpointStorage('minio', config, {
      log,
      service: {
        takesChecksums: false,
        // MinIO removes them by itself after a day
        expiresUploads: false,
        completesConditionally: true,
        presignsUrls: true,
        keysAreFilePaths: true,
      },
    })
  },
}
