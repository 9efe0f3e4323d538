import { defineConfigSection, type StorageDriver } from '@lithops/core/driver'
import { type EndpointConfig, endpointFields } from '@lithops/s3-family/config'

export const storage: StorageDriver<EndpointConfig> = {
  specVersion: 1,
  name: 'garage',
  config: defineConfigSection({ name: 'garage', fields: endpointFields }),
  async create(config, { log }) {
    const { openEndpointStorage } = await import('@lithops/s3-family')
    return openEndpointStorage('garage', config, {
      log,
      service: {
        takesChecksums: false,
        expiresUploads: true,
        completesConditionally: false,
        presignsUrls: true,
      },
    })
  },
}
