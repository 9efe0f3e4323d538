import type { PublisherAddress, PublisherDriver } from '@lithops/core/worker'
import type { RabbitAddress } from './rabbit-publisher.ts'

/** The worker's half. */
export const publisher: PublisherDriver = {
  specVersion: 1,
  kind: 'rabbitmq',
  async open(address: PublisherAddress, { secrets }) {
    const { RabbitPublisher } = await import('./rabbit-publisher.ts')
    const opened = new RabbitPublisher(address as RabbitAddress, secrets.amqp_url)
    await opened.connect()
    return opened
  },
}
