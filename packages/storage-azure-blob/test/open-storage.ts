import type { StorageBackend } from '@lithops/core/driver'
import type { AzuriteServer } from '@lithops/fake-clouds/real-parts'
import { storage } from '../src/index.ts'

const silent = () => {}
const context = {
  projectDirectory: process.cwd(),
  userName: 'test',
  log: { debug: silent, info: silent, warn: silent },
}

export interface AzureKeys {
  readonly account: string
  readonly accountKey: string
}

/** The section that opens a server's account, or another way to it. */
export function sectionOf(endpoint: string, { account, accountKey }: AzureKeys) {
  return {
    storage_account_name: account,
    storage_account_key: accountKey,
    endpoint: `${endpoint}/${account}`,
  }
}

/** The storage as the config would open it. */
export function openStorage(endpoint: string, keys: AzureKeys): Promise<StorageBackend> {
  return openSection(sectionOf(endpoint, keys))
}

export async function openSection(section: Readonly<Record<string, unknown>>): Promise<StorageBackend> {
  const { config } = storage.config?.parse(section, { name: 'test' }) ?? {}
  if (config === undefined) throw new Error('the driver has no section')
  return storage.create(config, context)
}

export function connectionString({ endpoint, account, accountKey }: AzuriteServer): string {
  return [
    'DefaultEndpointsProtocol=http',
    `AccountName=${account}`,
    `AccountKey=${accountKey}`,
    `BlobEndpoint=${endpoint}/${account}`,
  ].join(';')
}
