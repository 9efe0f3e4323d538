import type { StorageDriver } from '@lithops/core/driver'
import { type AzureStorageConfig, azureStorageSection } from './config.ts'

export { type AzureStorageConfig, azureStorageSection }

/** Objects in Azure Blob Storage. */
export const storage: StorageDriver<AzureStorageConfig> = {
  specVersion: 1,
  name: 'azure_storage',
  config: azureStorageSection,
  async create(config) {
    const { openAzureBlob } = await import('./open-azure-blob.ts')
    return openAzureBlob(config)
  },
}
