import { monitorConformance } from '@lithops/core/testing'
import { TcpFaultProxy } from '@lithops/fake-clouds/fault-proxy'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { connect } from 'amqplib'
import { openMonitor } from './open-monitor.ts'

const server = withRealPart(rabbitmq)

monitorConformance({
  test: (name, run) => server.test(name, run, { timeout: 60_000 }),
  createMonitor: async () => {
    const proxy = await TcpFaultProxy.start({ port: server.part.port })
    return {
      ...(await openMonitor({ amqp_url: `amqp://guest:guest@${proxy.host}:${proxy.port}` })),
      interrupt: async () => proxy.cutAll(),
      close: () => proxy.close(),
      leftovers: async ({ executorId }) => {
        const connection = await connect(server.part.url)
        const channel = await connection.createChannel()
        channel.on('error', () => {}) // that there is none is an error of the channel
        const found = await channel.checkQueue(`lithops-${executorId}`).then(
          ({ queue }) => [queue],
          () => [],
        )
        await connection.close()
        return found
      },
    }
  },
  // more than one message carries
  timing: { deliveryMs: 15_000, maxFrameBytes: 5 * 1024 * 1024 },
})
