import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'
import { runExamples } from './examples.ts'

const server = withRealPart(rabbitmq)

server.test(
  'all examples run on Lambda as events whose results come by RabbitMQ, without any storage',
  async () => {
    const types = await runExamples(['monitor-rabbitmq'], {
      lithops: { storage: 'storageless', monitoring: 'rabbitmq' },
      rabbitmq: { amqp_url: server.part.url },
    })
    expect(types).toContain('Event')
  },
  { timeout: 180_000 },
)
