import type { StorageBackend } from '@lithops/core/driver'
import type { RedisServer } from '@lithops/fake-clouds/real-parts'
import { storage } from '../src/index.ts'

const silent = () => {}
const context = {
  projectDirectory: process.cwd(),
  userName: 'test',
  log: { debug: silent, info: silent, warn: silent },
}

/** The storage as the config would open it. */
export async function openSection(section: Readonly<Record<string, unknown>>): Promise<StorageBackend> {
  const { config } = storage.config?.parse(section, { name: 'test' }) ?? {}
  if (config === undefined) throw new Error('the driver has no section')
  return storage.create(config, context)
}

export function sectionOf({ host, port, password }: Omit<RedisServer, 'close'>) {
  return { host, port, password }
}
