import { FunctionExecutor } from '@lithops/core'
import { rabbitmqTls, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'

const server = withRealPart(rabbitmqTls)

const open = (rabbit: object) =>
  new FunctionExecutor({
    config: {
      lithops: { backend: 'localhost', storage: 'storageless', monitoring: 'rabbitmq' },
      localhost: { worker_processes: 2 },
      rabbitmq: rabbit,
    },
  })

server.test(
  'amqps with the certificate of a CA of one’s own, also in worker processes',
  async () => {
    const { tlsUrl, caFile } = server.part
    await using fexec = open({ amqp_url: tlsUrl, ca_file: caFile })
    const futures = fexec.map((x: number) => x * 2, [1, 2, 3])
    expect(await fexec.getResult(futures)).toEqual([2, 4, 6])
  },
  { timeout: 120_000 },
)

server.test(
  'a certificate that nobody vouches for is refused, with what to do',
  async () => {
    await using fexec = open({ amqp_url: server.part.tlsUrl })
    await expect(fexec.callAsync((x: number) => x, 1).result()).rejects.toMatchObject({
      code: 'LITHOPS_MONITOR',
      message: expect.stringMatching(/certificate.*rabbitmq\.ca_file/s),
    })
  },
  { timeout: 120_000 },
)
