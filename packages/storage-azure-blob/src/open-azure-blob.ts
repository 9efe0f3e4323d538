import { AzureBlobStorage } from './azure-blob-storage.ts'
import { AzureClients } from './azure-clients.ts'
import { type AzureStorageConfig, accessOf, automaticContainer } from './config.ts'
import { PAGE_KEYS } from './limits.ts'

/** Opens the storage. Nothing is asked of the service. */
export async function openAzureBlob(
  config: AzureStorageConfig,
  options: { readonly idleTimeoutMs?: number; readonly pageKeys?: number } = {},
): Promise<AzureBlobStorage> {
  const access = accessOf(config)
  const clients = await AzureClients.open(access, options)
  const account = config.storage_account_name ?? clients.single.accountName
  const defaultBucket = config.storage_bucket ?? automaticContainer(account, config.storage_account_key)
  const { storage_account_name, endpoint } = config
  const { storage_account_key, connection_string, sas_token } = config
  return new AzureBlobStorage(clients, {
    defaultBucket,
    pageKeys: options.pageKeys ?? PAGE_KEYS,
    presignsUrls: access.kind !== 'sas' && !/SharedAccessSignature=/i.test(connection_string ?? ''),
    workerConfig: setFields({ storage_account_name, endpoint, storage_bucket: defaultBucket }),
    workerSecrets: setFields({ storage_account_key, connection_string, sas_token }),
  })
}

function setFields(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >
}
