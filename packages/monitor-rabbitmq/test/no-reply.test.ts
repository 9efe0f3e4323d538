// Faults where no reply of the platform can make up for what a worker did not publish.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FunctionExecutor } from '@lithops/core'
import { TcpFaultProxy } from '@lithops/fake-clouds/fault-proxy'
import { rabbitmq, redis, withRealPart } from '@lithops/fake-clouds/real-parts'
import { afterAll, expect } from 'vitest'
import { MuteBackend } from './mute-backend.ts'

const server = withRealPart(rabbitmq)
const redisServer = withRealPart(redis)
const timeout = 180_000
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-rabbit-mute-'))
afterAll(() => rmSync(folder, { recursive: true }))

const open = (backend: MuteBackend, rabbit: object = {}, config: object = {}) =>
  new FunctionExecutor({
    backend,
    config: {
      lithops: { storage: 'storageless', monitoring: 'rabbitmq' },
      rabbitmq: { amqp_url: server.part.url, timeout: 30, ...rabbit },
      ...config,
    },
    logLevel: 'error',
  })

const urlOf = (proxy: TcpFaultProxy) => `amqp://guest:guest@${proxy.host}:${proxy.port}`

/** Takes a while, logs a line that is told before its end and one with it, and notes in a file that it ran. */
const noted = async (x: number, file: string) => {
  const { appendFileSync } = await import('node:fs')
  console.log(`begin ${x}`)
  await new Promise(resolve => setTimeout(resolve, 15))
  appendFileSync(file, `${x}\n`)
  console.log(`end ${x}`)
  return x * 2
}

const items = Array.from({ length: 450 }, (_, i) => i)
const CHUNK = 5

/** Starts the job whose calls note that they ran, with calls that count as lost soon. */
function startNoted(fexec: FunctionExecutor, name: string) {
  const file = path.join(folder, name)
  appendFileSync(file, '')
  const options = { extraArgs: [file] as [string], chunksize: CHUNK, timeoutMs: 1_000 }
  return { file, futures: fexec.map<number, number, [string]>(noted, items, options) }
}

/** Every call ran once, was sent once and told all of it once. */
async function expectOnce(
  { file, futures }: ReturnType<typeof startNoted>,
  fexec: FunctionExecutor,
  backend: MuteBackend,
) {
  expect(await fexec.getResult(futures)).toEqual(items.map(x => x * 2))
  expect(backend.failures).toEqual([])
  expect(backend.accepted).toBe(items.length / CHUNK)
  expect(readFileSync(file, 'utf8').trim().split('\n').length).toBe(items.length)
  expect(futures.map(future => future.logs)).toEqual(items.map(x => `begin ${x}\nend ${x}\n`))
}

const successes = ({ futures }: ReturnType<typeof startNoted>) =>
  futures.filter(future => future.state === 'success').length

server.test(
  'the broker restarts in the middle of a job',
  async () => {
    await using backend = new MuteBackend()
    await using fexec = open(backend)
    const job = startNoted(fexec, 'restart')
    await expect.poll(() => successes(job), { timeout }).toBeGreaterThan(20)
    await server.part.stop()
    expect(successes(job)).toBeLessThan(items.length)
    await server.part.start()
    await expectOnce(job, fexec, backend)
  },
  { timeout },
)

for (const [who, through] of [
  ['of the workers', { workers: true, client: false }],
  ['of the program', { workers: false, client: true }],
  ['of both', { workers: true, client: true }],
] as const) {
  server.test(
    `connections ${who} break all the time`,
    async () => {
      await using proxy = await TcpFaultProxy.start({ port: server.part.port })
      await using backend = new MuteBackend({ workerUrl: through.workers ? urlOf(proxy) : server.part.url })
      await using fexec = open(backend, through.client ? { amqp_url: urlOf(proxy) } : {})
      const job = startNoted(fexec, `cuts ${who}`)
      // in the middle of messages, before and after the broker has taken them
      for (let cut = 0; cut < 12; cut++) {
        const { strikes } = proxy
        const direction = cut % 2 === 0 ? 'toService' : 'toClient'
        // beyond what is said when a connection is made
        proxy.inject({ kind: 'cut', direction, afterBytes: 1_500 + cut * 211 })
        const isDone = () => job.futures.every(future => future.state === 'success')
        await expect.poll(() => proxy.strikes > strikes || isDone(), { timeout: 60_000 }).toBe(true)
      }
      await expectOnce(job, fexec, backend)
      expect(proxy.strikes).toBeGreaterThan(3)
    },
    { timeout },
  )
}

server.test(
  'pieces of a large result whose worker loses its connection come whole',
  async () => {
    await using proxy = await TcpFaultProxy.start({ port: server.part.port })
    await using backend = new MuteBackend({ workers: 1, workerUrl: urlOf(proxy) })
    await using fexec = open(backend)
    proxy.inject({ kind: 'cut', direction: 'toService', afterBytes: 3_500_000 })
    const text = await fexec.callAsync((n: number) => 'abcdefgh'.repeat(n), 1_000_000).result()
    expect(text === 'abcdefgh'.repeat(1_000_000)).toBe(true)
    expect(proxy.strikes).toBe(1)
    expect(backend.accepted).toBe(1)
  },
  { timeout },
)

server.test(
  'workers that cannot reach the broker, though the program can: the calls end with an error that says so',
  async () => {
    await using proxy = await TcpFaultProxy.start({ port: server.part.port })
    proxy.refuse()
    await using backend = new MuteBackend({ workerUrl: urlOf(proxy), maxStartDelayMs: 3_000 })
    await using fexec = open(backend, { timeout: 2 })
    const futures = fexec.map((x: number) => x, [1, 2, 3])
    for (const future of futures) {
      await expect(future.result()).rejects.toMatchObject({
        code: 'LITHOPS_MONITOR',
        message: expect.stringMatching(
          /No worker .* RabbitMQ \(amqp:\/\/127\.0\.0\.1:\d+\) for 5 s.*cannot reach it.*rabbitmq\.amqp_url/s,
        ),
      })
    }
    expect(backend.accepted).toBe(3) // none was run again
    // the same workers go on when they have their connections
    proxy.clear()
    await expect.poll(() => proxy.openConnections, { timeout: 30_000 }).toBe(3)
    expect(await fexec.callAsync((x: number) => x + 1, 1).result()).toBe(2)
  },
  { timeout },
)

/** Waits until a file is there. */
const gated = async (file: string) => {
  const { existsSync, writeFileSync } = await import('node:fs')
  writeFileSync(`${file}.begun`, '')
  while (!existsSync(file)) await new Promise(resolve => setTimeout(resolve, 20))
  return 'through'
}

server.test(
  'workers that lose the broker for good while calls run: the same error, when nothing can come any more',
  async () => {
    await using proxy = await TcpFaultProxy.start({ port: server.part.port })
    await using backend = new MuteBackend({ workerUrl: urlOf(proxy), maxStartDelayMs: 2_000 })
    await using fexec = open(backend, { timeout: 1 })
    const gate = path.join(folder, 'lost-gate')
    const future = fexec.callAsync(gated, gate, { timeoutMs: 5_000 })
    await expect.poll(() => future.state, { timeout: 30_000 }).toBe('running')
    proxy.refuse()
    proxy.cutAll()
    writeFileSync(gate, '')
    await expect(future.result()).rejects.toMatchObject({
      code: 'LITHOPS_MONITOR',
      message: expect.stringContaining('No worker has told anything over RabbitMQ'),
    })
    expect(backend.failures[0]).toMatch(/MonitorError: RabbitMQ has been away for 1 s/)
  },
  { timeout },
)

server.test(
  'a worker that dies is no worker that cannot reach the broker: its call is run again',
  async () => {
    await using backend = new MuteBackend({ maxStartDelayMs: 2_000 })
    await using fexec = open(backend, { timeout: 1 })
    const file = path.join(folder, 'died')
    const futures = fexec.map<number, number, [string]>(
      async (x: number, file: string) => {
        const { existsSync, writeFileSync } = await import('node:fs')
        if (x === 1 && !existsSync(file)) {
          writeFileSync(file, '')
          process.kill(process.pid, 'SIGKILL')
        }
        return x
      },
      [0, 1, 2, 3],
      { extraArgs: [file], timeoutMs: 2_000 },
    )
    expect(await fexec.getResult(futures)).toEqual([0, 1, 2, 3])
    expect(existsSync(file)).toBe(true)
    expect(futures.map(future => future.stats.retryCount)).toEqual([0, 1, 0, 0])
  },
  { timeout },
)

server.test(
  'with a storage, workers that cannot reach the broker tell by way of it',
  async () => {
    await using proxy = await TcpFaultProxy.start({ port: server.part.port })
    await using backend = new MuteBackend({ workerUrl: urlOf(proxy), maxStartDelayMs: 5_000 })
    const { host, port, password } = redisServer.part
    await using fexec = open(
      backend,
      { timeout: 2 },
      { lithops: { storage: 'redis', monitoring: 'rabbitmq' }, redis: { host, port, password } },
    )
    const gate = path.join(folder, 'storage-gate')
    const running = fexec.map(gated, [`${gate}-0`, `${gate}-1`])
    await expect
      .poll(() => running.every(future => future.state === 'running'), { timeout: 30_000 })
      .toBe(true)
    proxy.refuse()
    proxy.cutAll()
    for (const i of [0, 1]) writeFileSync(`${gate}-${i}`, '')
    expect(await fexec.getResult(running)).toEqual(['through', 'through'])
    // and jobs none of whose workers ever reached it
    const large = fexec.map((n: number) => 'x'.repeat(n), [1, 2_000_000])
    expect((await fexec.getResult(large)).map(text => text.length)).toEqual([1, 2_000_000])
    expect(backend.accepted).toBe(4)
    expect(backend.failures).toEqual([])
  },
  { timeout },
)
