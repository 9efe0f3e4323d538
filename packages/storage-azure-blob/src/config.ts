import { createHash } from 'node:crypto'
import { ConfigError, defineConfigSection, field } from '@lithops/core/driver'

/** The section `azure_storage`. From: lithops/storage/backends/azure_storage/config.py; the last three are of this driver. */
export const azureStorageSection = defineConfigSection({
  name: 'azure_storage',
  inherits: ['azure'],
  fields: {
    storage_account_name: field.string({
      doc: 'Name of the storage account. Needed unless connection_string or endpoint is given.',
    }),
    storage_account_key: field.string({
      secret: true,
      doc: 'A key of the account. Without key, token or connection string, @azure/identity looks for credentials in its usual places: environment, workload or managed identity, the Azure CLI.',
    }),
    storage_bucket: field.string({
      doc: 'Container of jobs. Default: lithops-<from the account>, and with storage_account_key its first 6 characters.',
    }),
    connection_string: field.string({
      secret: true,
      doc: 'Connection string of the account, as the portal shows it, instead of name and key.',
    }),
    sas_token: field.string({
      secret: true,
      doc: 'A shared access signature of the account or the container, instead of the key.',
    }),
    endpoint: field.string({
      doc: 'URL of the account, for clouds other than the public one. Default: https://<storage_account_name>.blob.core.windows.net.',
    }),
    resource_group: field.ignored('storage has no need of it'),
    subscription_id: field.ignored('storage has no need of it'),
    region: field.ignored('the account has its own'),
  },
})

type Text = string | undefined

/** What the section comes to. */
export interface AzureStorageConfig {
  readonly storage_account_name?: Text
  readonly storage_account_key?: Text
  readonly storage_bucket?: Text
  readonly connection_string?: Text
  readonly sas_token?: Text
  readonly endpoint?: Text
}

/** How requests are authorised. */
export type AzureAccess =
  | { readonly kind: 'connection string'; readonly connectionString: string }
  | { readonly kind: 'key'; readonly url: string; readonly account: string; readonly key: string }
  | { readonly kind: 'sas'; readonly url: string; readonly token: string }
  | { readonly kind: 'identity'; readonly url: string }

const PUBLIC_CLOUD = 'blob.core.windows.net'

/** What of the section is to be used. Throws ConfigError when it says too little, or two things at once. */
export function accessOf(config: AzureStorageConfig): AzureAccess {
  const { storage_account_name: account, storage_account_key: key, connection_string, sas_token } = config
  const given = Object.entries({ storage_account_key: key, connection_string, sas_token })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name)
  if (given.length > 1) {
    throw new ConfigError(`azure_storage has ${given.join(' and ')}: give one of them.`)
  }
  checkBucket(config.storage_bucket)
  if (connection_string !== undefined) {
    return { kind: 'connection string', connectionString: connection_string }
  }
  const url = urlOf(config)
  if (sas_token !== undefined) return { kind: 'sas', url, token: sas_token.replace(/^\?/, '') }
  if (key === undefined) return { kind: 'identity', url }
  if (account === undefined) {
    throw new ConfigError('azure_storage.storage_account_key is given without storage_account_name.')
  }
  return { kind: 'key', url, account, key: checkedKey(key) }
}

/**
 * From: Lithops azure_storage.py. It shows the first six characters of the key, with what a name of a container cannot
 * have as 'x'.
 */
export function automaticContainer(account: string, key: Text): string {
  const place = createHash('sha1').update(account).digest('hex').slice(0, 6)
  const ofKey = (key ?? '')
    .slice(0, 6)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, 'x')
  return `lithops-${place}${ofKey === '' ? '' : `-${ofKey}`}`
}

function urlOf({ endpoint, storage_account_name: account }: AzureStorageConfig): string {
  if (endpoint === undefined) {
    if (account === undefined) {
      throw new ConfigError(
        'azure_storage: give storage_account_name, or connection_string, or the URL of the account as endpoint.',
      )
    }
    // From: Azure, "Storage account overview"
    if (!/^[a-z0-9]{3,24}$/.test(account)) {
      throw new ConfigError(
        `azure_storage.storage_account_name must be 3 to 24 lower-case letters and digits, not '${account}'.`,
      )
    }
    return `https://${account}.${PUBLIC_CLOUD}`
  }
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(
      'azure_storage.endpoint must be a URL that begins with https:// or http://, such as https://name.blob.core.windows.net.',
    )
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new ConfigError(
      'azure_storage.endpoint must have no credentials in it; give storage_account_key or sas_token.',
    )
  }
  return endpoint.replace(/\/+$/, '')
}

function checkedKey(key: string): string {
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return key
  throw new ConfigError('azure_storage.storage_account_key must be base64, as the portal shows it.')
}

/** From: Azure, "Naming and Referencing Containers, Blobs, and Metadata". */
function checkBucket(bucket: Text): void {
  if (bucket === undefined || /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket)) return
  throw new ConfigError(
    `azure_storage.storage_bucket must be the name of a container, 3 to 63 lower-case letters, digits and single hyphens, not '${bucket}'.`,
  )
}
