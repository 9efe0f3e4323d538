import type { StorageBackend } from '@lithops/core/driver'
import { storage } from '../src/index.ts'

const silent = () => {}
const context = {
  projectDirectory: process.cwd(),
  userName: 'test',
  log: { debug: silent, info: silent, warn: silent },
}

/** Requests as the suites look for them. */
export const DIALECT = {
  writes: { method: 'POST', url: /^\/upload\// },
  reads: { method: 'GET', url: /alt=media/ },
  removes: { method: 'DELETE' },
  parts: { method: 'PUT' },
  pageKeys: 1000,
} as const

/** What every section of the tests has. */
export const PLACE = { region: 'europe-west1', storage_bucket: 'lithops-jobs' }

/** The storage as the config would open it. */
export async function openStorage(section: Readonly<Record<string, unknown>>): Promise<StorageBackend> {
  const { config } = storage.config?.parse({ ...PLACE, ...section }, { name: 'test' }) ?? {}
  if (config === undefined) throw new Error('the driver has no section')
  return storage.create(config, context)
}
