import type { Monitor, PublisherAddress, StatusPublisher } from '@lithops/core/driver'
import { monitor } from '../src/index.ts'
import { publisher } from '../src/worker/index.ts'

const silent = () => {}
const context = {
  projectDirectory: process.cwd(),
  userName: 'test',
  log: { debug: silent, info: silent, warn: silent },
  storage: undefined,
}

/** The monitor as the config would open it, and its worker half as a worker would. */
export async function openMonitor(section: Readonly<Record<string, unknown>>): Promise<{
  readonly monitor: Monitor
  readonly openPublisher: (address: PublisherAddress) => Promise<StatusPublisher>
}> {
  const { config } = monitor.config?.parse(section, { name: 'test' }) ?? {}
  if (config === undefined) throw new Error('the driver has no section')
  const opened = await monitor.create(config, context)
  return {
    monitor: opened,
    openPublisher: async address => publisher.open(address, { secrets: opened.workerSecrets?.() ?? {} }),
  }
}
