import type { MonitorDriver } from '@lithops/core/driver'
import { compileConfig, type RabbitmqConfig, rabbitmqSection } from './config.ts'

export { type RabbitmqConfig, rabbitmqSection }

/** The way home over RabbitMQ: results in real time, with no storage needed. */
export const monitor: MonitorDriver<RabbitmqConfig> = {
  specVersion: 1,
  name: 'rabbitmq',
  config: rabbitmqSection,
  async create(config, { log }) {
    const options = compileConfig(config)
    const { RabbitMonitor } = await import('./rabbit-monitor.ts')
    return new RabbitMonitor(options, log)
  },
}
