import type { StorageBackend } from '@lithops/core/driver'
import { storage } from '../src/index.ts'

const silent = () => {}
const context = {
  projectDirectory: process.cwd(),
  userName: 'test',
  log: { debug: silent, info: silent, warn: silent },
}

/** The storage as the config would open it. */
export async function openStorage(
  endpoint: string,
  keys: { readonly accessKeyId: string; readonly secretAccessKey: string },
): Promise<StorageBackend> {
  const section = {
    endpoint,
    access_key_id: keys.accessKeyId,
    secret_access_key: keys.secretAccessKey,
  }
  const { config } = storage.config?.parse(section, { name: 'test' }) ?? {}
  if (config === undefined) throw new Error('the driver has no section')
  return storage.create(config, context)
}
