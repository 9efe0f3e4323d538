import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { promisify } from 'node:util'
import { FunctionExecutor } from '@lithops/core'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { connect } from 'amqplib'
import { expect } from 'vitest'
import { openMonitor } from './open-monitor.ts'

const server = withRealPart(rabbitmq)
const timeout = 120_000

const configOf = (rabbit: object = {}, lithops: object = {}) => ({
  lithops: { backend: 'localhost', storage: 'storageless', monitoring: 'rabbitmq', ...lithops },
  localhost: { worker_processes: 3 },
  rabbitmq: { amqp_url: server.part.url, ...rabbit },
})

/** Whether the broker has this queue. */
async function hasQueue(queue: string): Promise<boolean> {
  const connection = await connect(server.part.url)
  const channel = await connection.createChannel()
  channel.on('error', () => {}) // that there is none is an error of the channel
  const found = await channel.checkQueue(queue).then(
    () => true,
    () => false,
  )
  await connection.close()
  return found
}

server.test(
  'a job of several worker processes returns with no storage, and leaves no queue',
  async () => {
    const fexec = new FunctionExecutor({ config: configOf() })
    const futures = fexec.map(
      async (x: number) => {
        await new Promise(resolve => setTimeout(resolve, 50))
        return [x * 2, process.pid] as const
      },
      [1, 2, 3, 4, 5, 6],
    )
    const results = await fexec.getResult(futures)
    expect(results.map(([value]) => value)).toEqual([2, 4, 6, 8, 10, 12])
    expect(new Set(results.map(([, pid]) => pid)).size).toBe(3)
    await expect(
      fexec
        .callAsync(() => {
          throw new RangeError('out of it')
        }, 0)
        .result(),
    ).rejects.toThrow(RangeError)
    expect(await hasQueue(`lithops-${fexec.executorId}`)).toBe(true)
    await fexec.close()
    expect(await hasQueue(`lithops-${fexec.executorId}`)).toBe(false)
  },
  { timeout },
)

server.test(
  'the other spelling, rabbitmq_monitor: True, means the same; credentials may come from the environment',
  async () => {
    const { host, port } = server.part
    process.env.LITHOPS_RABBITMQ_USERNAME = 'guest'
    process.env.LITHOPS_RABBITMQ_PASSWORD = 'guest'
    try {
      const config = configOf(
        { amqp_url: `amqp://${host}:${port}/%2F` },
        { monitoring: undefined, rabbitmq_monitor: true },
      )
      await using fexec = new FunctionExecutor({ config })
      expect(await fexec.callAsync((x: number) => x + 1, 1).result()).toBe(2)
      expect(await hasQueue(`lithops-${fexec.executorId}`)).toBe(true)
    } finally {
      delete process.env.LITHOPS_RABBITMQ_USERNAME
      delete process.env.LITHOPS_RABBITMQ_PASSWORD
    }
  },
  { timeout },
)

server.test(
  '10,000 calls end once each, and their order is that of the items',
  async () => {
    await using fexec = new FunctionExecutor({ config: configOf() })
    const items = Array.from({ length: 10_000 }, (_, i) => i)
    const futures = fexec.map((x: number) => x * 3, items)
    expect(await fexec.getResult(futures)).toEqual(items.map(x => x * 3))
    const chunks = fexec.map((x: number) => x + 1, items.slice(0, 1_000), { chunksize: 1 })
    expect(await fexec.getResult(chunks)).toEqual(items.slice(1, 1_001))
  },
  { timeout },
)

server.test(
  'running calls are seen to run, and a log comes while they do',
  async () => {
    await using fexec = new FunctionExecutor({ config: configOf() })
    const connection = await connect(server.part.url)
    const channel = await connection.createChannel()
    const gate = `gate-${process.pid}`
    const future = fexec.callAsync(async (gate: string, context) => {
      context.logger.info('waiting')
      const channel = await context.rabbitmq
      for (;;) {
        const { messageCount } = await channel.assertQueue(gate, { durable: true })
        if (messageCount > 0) break
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      await channel.deleteQueue(gate)
      return 'through'
    }, gate)
    // a function that never lets go of the process is seen too
    const busy = fexec.callAsync(() => {
      for (const end = Date.now() + 1_500; Date.now() < end; );
      return 'busy'
    }, 0)
    await expect.poll(() => busy.state, { timeout: 20_000 }).toBe('running')
    await expect.poll(() => future.state, { timeout: 20_000 }).toBe('running')
    await channel.assertQueue(gate, { durable: true })
    channel.sendToQueue(gate, Buffer.from('go'))
    expect(await future.result()).toBe('through')
    expect(future.logs).toContain('waiting')
    expect(await busy.result()).toBe('busy')
    await connection.close()
  },
  { timeout },
)

server.test(
  'a map function publishes its results to a third party',
  async () => {
    const connection = await connect(server.part.url)
    const channel = await connection.createChannel()
    const { queue } = await channel.assertQueue('', { exclusive: true })
    const received: string[] = []
    await channel.consume(queue, message => received.push(String(message?.content)), { noAck: true })
    await using fexec = new FunctionExecutor({ config: configOf() })
    const futures = fexec.map(
      async (x: number, name: string, context) => {
        const channel = await context.rabbitmq
        channel.sendToQueue(name, Buffer.from(`value ${x}`))
      },
      [1, 2, 3],
      { extraArgs: [queue] },
    )
    await fexec.getResult(futures)
    await expect
      .poll(() => received.toSorted(), { timeout: 10_000 })
      .toEqual(['value 1', 'value 2', 'value 3'])
    await connection.close()
  },
  { timeout },
)

server.test(
  'large results travel in pieces without a storage, up to the limit, and by reference with one',
  async () => {
    await using fexec = new FunctionExecutor({ config: configOf({ max_result_bytes: 8_000_000 }) })
    const futures = fexec.map((n: number) => 'x'.repeat(n), [10, 300_000, 3_000_000, 7_900_000])
    expect((await fexec.getResult(futures)).map(text => text.length)).toEqual([
      10, 300_000, 3_000_000, 7_900_000,
    ])
    await expect(fexec.callAsync(() => 'x'.repeat(9_000_000), 0).result()).rejects.toMatchObject({
      code: 'LITHOPS_RESULT_TOO_LARGE',
      message: expect.stringMatching(/9000001 bytes.*8000000.*storage.*rabbitmq\.max_result_bytes/s),
    })
    const error = await fexec
      .callAsync(() => {
        throw new Error('y'.repeat(2_000_000))
      }, 0)
      .result()
      .catch((error: Error) => error)
    expect(error).toMatchObject({ message: 'y'.repeat(2_000_000) })
    await using stored = new FunctionExecutor({ config: configOf({}, { storage: 'localhost' }) })
    expect((await stored.callAsync(() => 'z'.repeat(2_000_000), 0).result()).length).toBe(2_000_000)
  },
  { timeout },
)

server.test(
  'a worker process keeps its connection between calls',
  async () => {
    await using fexec = new FunctionExecutor({
      config: { ...configOf(), localhost: { worker_processes: 1 } },
    })
    const ports = (port: number) => {
      const report = process.report.getReport() as unknown as {
        readonly libuv: readonly { remoteEndpoint?: { port: number }; localEndpoint?: { port: number } }[]
      }
      return report.libuv.flatMap(({ remoteEndpoint, localEndpoint }) =>
        remoteEndpoint?.port === port ? [localEndpoint?.port] : [],
      )
    }
    const first = await fexec.callAsync(ports, server.part.port).result()
    const later = await fexec.callAsync(ports, server.part.port).result()
    expect(first).toHaveLength(1)
    expect(later).toEqual(first)
  },
  { timeout },
)

server.test(
  'the password is in no activation, argument, environment or log of a worker',
  async () => {
    const { monitor } = await openMonitor({
      amqp_url: server.part.url.replace('guest:guest', 'guest:g%75est'),
    })
    const address = await monitor.publisherAddress({ executorId: 'secret-0', jobId: 'M000' })
    expect(JSON.stringify(address)).not.toMatch(/guest/)
    await monitor.close()
    await using fexec = new FunctionExecutor({ config: configOf() })
    const seen = await fexec.callAsync(() => JSON.stringify([process.env, process.argv, process.execArgv]), 0)
    expect(seen).not.toContain(server.part.url)
  },
  { timeout },
)

server.test(
  "an executor in a function has a queue of its own, and its workers' statuses reach the ancestor's too",
  async () => {
    const parent = { executorId: 'parent-0', jobId: 'M000' }
    const child = { executorId: 'parent-0-M000-00003-d4e5f6-0', jobId: 'M001' }
    const [outer, inner] = await Promise.all([1, 2].map(() => openMonitor({ amqp_url: server.part.url })))
    if (outer === undefined || inner === undefined) throw new Error('not opened')
    await outer.monitor.publisherAddress(parent)
    const ending = new AbortController()
    const received = (monitor: typeof outer.monitor, found: string[]) =>
      void (async () => {
        const options = { signal: ending.signal, openCalls: () => 1 }
        for await (const frames of monitor.watch(child, options)) found.push(Buffer.from(frames).toString())
      })()
    const [atOuter, atInner] = [[] as string[], [] as string[]]
    received(outer.monitor, atOuter)
    const half = await inner.openPublisher(await inner.monitor.publisherAddress(child))
    received(inner.monitor, atInner)
    await half.publish(Buffer.from('news'), child, { callId: 0, attempt: 0 })
    await expect.poll(() => [atOuter, atInner], { timeout: 10_000 }).toEqual([['news'], ['news']])
    await half.close()
    ending.abort()
    await Promise.all([inner.monitor.close(), outer.monitor.close()])
    expect(await hasQueue('lithops-parent-0')).toBe(false)
    expect(await hasQueue(`lithops-${child.executorId}`)).toBe(false)
  },
  { timeout },
)

server.test(
  'the queue of a program that died goes by itself',
  async () => {
    const source = `
      const { monitor } = await import('@lithops/monitor-rabbitmq')
      const section = { amqp_url: '${server.part.url}', timeout: 1, queue_expires: 2 }
      const opened = await monitor.create(monitor.config.parse(section, { name: 'test' }).config, { log: console })
      await opened.publisherAddress({ executorId: 'dead-0', jobId: 'M000' })
      console.log('ready')
      setInterval(() => {}, 1000)`
    const program = spawn(process.execPath, ['--input-type=module', '-e', source], {
      cwd: path.dirname(import.meta.dirname),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(program.stdout, 'data')
    expect(await hasQueue('lithops-dead-0')).toBe(true)
    program.kill('SIGKILL')
    // asking for a queue counts as its use: not as often as it expires
    await expect.poll(() => hasQueue('lithops-dead-0'), { timeout: 60_000, interval: 3_500 }).toBe(false)
  },
  { timeout },
)

server.test(
  'a program that forgets to close its executor ends, and leaves no queue',
  async () => {
    const source = `
      const { FunctionExecutor } = await import('@lithops/core')
      const fexec = new FunctionExecutor({ config: ${JSON.stringify(configOf())} })
      const value = await fexec.callAsync(x => x + 1, 1).result()
      console.log(value, fexec.executorId)`
    const options = { cwd: path.dirname(import.meta.dirname), timeout: 60_000 }
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', source],
      options,
    )
    const [value, executorId] = stdout.trim().split(' ')
    expect(value).toBe('2')
    expect(await hasQueue(`lithops-${executorId}`)).toBe(false)
  },
  { timeout },
)

server.test(
  'an executor that a function makes runs jobs of its own, and is named by its ancestors',
  async () => {
    await using fexec = new FunctionExecutor({ config: configOf() })
    const [executorId, values] = await fexec.callAsync(async (config: object) => {
      const { FunctionExecutor } = await import('@lithops/core')
      const inner = new FunctionExecutor({ config: config as Record<string, unknown> })
      try {
        const values = await inner.getResult(inner.map((x: number) => x + 1, [1, 2, 3]))
        return [inner.executorId, values] as const
      } finally {
        await inner.close()
      }
    }, configOf())
    expect(values).toEqual([2, 3, 4])
    expect(executorId).toMatch(new RegExp(`^${fexec.executorId}-A000-00000-[0-9a-f]+-\\d+$`))
    expect(await hasQueue(`lithops-${executorId}`)).toBe(false)
  },
  { timeout },
)

server.test(
  'a queue that somebody deletes is made again, and nothing of what comes later is lost',
  async () => {
    await using fexec = new FunctionExecutor({ config: configOf() })
    const futures = fexec.map(
      async (x: number) => {
        await new Promise(resolve => setTimeout(resolve, 100))
        return x
      },
      Array.from({ length: 60 }, (_, i) => i),
      { chunksize: 1 },
    )
    await expect
      .poll(() => futures.filter(({ state }) => state === 'success').length, { timeout: 60_000 })
      .toBeGreaterThan(5)
    const connection = await connect(server.part.url)
    const channel = await connection.createChannel()
    await channel.deleteQueue(`lithops-${fexec.executorId}`)
    await connection.close()
    expect(await fexec.getResult(futures)).toEqual(Array.from({ length: 60 }, (_, i) => i))
  },
  { timeout },
)
