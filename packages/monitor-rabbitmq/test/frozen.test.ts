import { FunctionExecutor } from '@lithops/core'
import { TcpFaultProxy } from '@lithops/fake-clouds/fault-proxy'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'
import { MuteBackend } from './mute-backend.ts'

const server = withRealPart(rabbitmq)

server.test(
  'a worker that was frozen between calls does not trust the connection that the broker has given up',
  async () => {
    await using proxy = await TcpFaultProxy.start({ port: server.part.port })
    // The broker gives up after two heartbeats. By its own heartbeats the worker would find out after its patience.
    const workerUrl = `amqp://guest:guest@${proxy.host}:${proxy.port}?heartbeat=4`
    await using backend = new MuteBackend({ workers: 1, workerUrl })
    await using fexec = new FunctionExecutor({
      backend,
      config: {
        lithops: { storage: 'storageless', monitoring: 'rabbitmq' },
        rabbitmq: { amqp_url: server.part.url, timeout: 3 },
      },
    })
    const pid = (x: number) => [x, process.pid] as const
    const [, worker] = await fexec.callAsync(pid, 0).result()
    const connections = () => server.part.control('list_connections', 'client_properties')
    expect(await connections()).toContain(`lithops worker ${worker}`)
    process.kill(worker, 'SIGSTOP')
    proxy.silenceAll()
    await expect.poll(connections, { timeout: 60_000 }).not.toContain(`lithops worker ${worker}`)
    process.kill(worker, 'SIGCONT')
    expect(await fexec.callAsync(pid, 1).result()).toEqual([1, worker])
    expect(backend.failures).toEqual([])
    expect(backend.accepted).toBe(2)
  },
  { timeout: 120_000 },
)
