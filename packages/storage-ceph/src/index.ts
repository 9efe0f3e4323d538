import { defineConfigSection, type StorageDriver } from '@lithops/core/driver'
import { type EndpointConfig, endpointFields } from '@lithops/s3-family/config'

export type CephConfig = EndpointConfig

/** The section `ceph`. From: lithops/storage/backends/ceph/config.py. */
export const cephSection = defineConfigSection({ name: 'ceph', fields: endpointFields })

/** Objects in Ceph, by its object gateway. */
export const storage: StorageDriver<CephConfig> = {
  specVersion: 1,
  name: 'ceph',
  config: cephSection,
  async create(config, { log }) {
    const { openEndpointStorage } = await import('@lithops/s3-family')
    return openEndpointStorage('ceph', config, {
      log,
      service: {
        takesChecksums: false,
        expiresUploads: true,
        // seen with 16.2: If-None-Match is honoured by PutObject and ignored by CompleteMultipartUpload
        completesConditionally: false,
        presignsUrls: true,
      },
    })
  },
}
