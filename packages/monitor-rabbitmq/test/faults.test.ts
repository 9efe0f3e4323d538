import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FunctionExecutor } from '@lithops/core'
import { TcpFaultProxy } from '@lithops/fake-clouds/fault-proxy'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { afterAll, expect } from 'vitest'

const server = withRealPart(rabbitmq)
const timeout = 180_000
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-rabbit-faults-'))
afterAll(() => rmSync(folder, { recursive: true }))

const open = (rabbit: object, lithops: object = {}) =>
  new FunctionExecutor({
    config: {
      lithops: { backend: 'localhost', storage: 'storageless', monitoring: 'rabbitmq', ...lithops },
      localhost: { worker_processes: 3, storage_folder: path.join(folder, 'storage') },
      rabbitmq: { amqp_url: server.part.url, ...rabbit },
    },
    logLevel: 'error',
  })

const urlOf = (proxy: TcpFaultProxy) => `amqp://guest:guest@${proxy.host}:${proxy.port}`

/** Takes a while, logs a line, and notes in a file that it ran. */
const noted = async (x: number, file: string) => {
  const { appendFileSync } = await import('node:fs')
  await new Promise(resolve => setTimeout(resolve, 20))
  appendFileSync(file, `${x}\n`)
  console.log(`call ${x}`)
  return x * 2
}

/** Runs of each call, by what they noted. */
const runsIn = (file: string) => readFileSync(file, 'utf8').trim().split('\n').length

server.test(
  'the broker restarts in the middle of a job: nothing is lost, nothing runs or counts twice',
  async () => {
    await using fexec = open({})
    const file = path.join(folder, 'restart')
    const items = Array.from({ length: 600 }, (_, i) => i)
    const futures = fexec.map<number, number, [string]>(noted, items, { extraArgs: [file], chunksize: 5 })
    await expect
      .poll(() => futures.filter(future => future.state === 'success').length, { timeout })
      .toBeGreaterThan(30)
    await server.part.stop()
    expect(futures.some(future => future.state !== 'success')).toBe(true)
    await server.part.start()
    expect(await fexec.getResult(futures)).toEqual(items.map(x => x * 2))
    expect(runsIn(file)).toBe(items.length)
    expect(futures.map(future => future.logs)).toEqual(items.map(x => `call ${x}\n`))
  },
  { timeout },
)

server.test(
  'connections that break all the time: every call ends once with its value',
  async () => {
    await using proxy = await TcpFaultProxy.start({ port: server.part.port })
    await using fexec = open({ amqp_url: urlOf(proxy) })
    const file = path.join(folder, 'cuts')
    const items = Array.from({ length: 300 }, (_, i) => i)
    const futures = fexec.map<number, number, [string]>(noted, items, { extraArgs: [file], chunksize: 3 })
    // in the middle of messages, on the way there and back
    for (let cut = 0; cut < 12; cut++) {
      const direction = cut % 2 === 0 ? 'toService' : 'toClient'
      const strikes = proxy.strikes
      proxy.inject({ kind: 'cut', direction, afterBytes: 500 + cut * 157 })
      const isDone = () => futures.every(future => future.state === 'success')
      await expect.poll(() => proxy.strikes > strikes || isDone(), { timeout: 30_000 }).toBe(true)
      if (cut === 5) proxy.cutAll()
    }
    expect(await fexec.getResult(futures)).toEqual(items.map(x => x * 2))
    expect(proxy.strikes).toBeGreaterThan(3)
    expect(runsIn(file)).toBe(items.length)
    expect(futures.map(future => future.logs)).toEqual(items.map(x => `call ${x}\n`))
  },
  { timeout },
)

server.test(
  'pieces of a large result whose connection breaks come whole',
  async () => {
    await using proxy = await TcpFaultProxy.start({ port: server.part.port })
    await using fexec = open({ amqp_url: urlOf(proxy) })
    await fexec.callAsync((x: number) => x, 1).result()
    for (const direction of ['toService', 'toClient'] as const) {
      proxy.inject({ kind: 'cut', direction, afterBytes: 3_500_000 })
      const text = await fexec.callAsync((n: number) => 'abcdefgh'.repeat(n), 1_000_000).result()
      expect(text === 'abcdefgh'.repeat(1_000_000)).toBe(true)
    }
    expect(proxy.strikes).toBe(2)
  },
  { timeout },
)

/** A function that lasts until the broker has been away for longer than the config allows. */
const lasting = async (x: number) => {
  await new Promise(resolve => setTimeout(resolve, 6_000))
  return x
}

server.test(
  'a broker that never comes back ends the calls with an error that names it',
  async () => {
    await using proxy = await TcpFaultProxy.start({ port: server.part.port })
    await using fexec = open({ amqp_url: urlOf(proxy), timeout: 2 })
    const futures = fexec.map(lasting, [1, 2])
    await expect
      .poll(() => futures.every(future => future.state === 'running'), { timeout: 30_000 })
      .toBe(true)
    proxy.refuse()
    proxy.cutAll()
    for (const future of futures) {
      await expect(future.result()).rejects.toMatchObject({
        code: 'LITHOPS_MONITOR',
        message: expect.stringMatching(/RabbitMQ has been away for 2 s \(amqp:\/\/127\.0\.0\.1:\d+\)/),
      })
    }
    proxy.clear()
    // the same executor goes on when it is back
    expect(await fexec.callAsync((x: number) => x + 1, 1).result()).toBe(2)
  },
  { timeout },
)

server.test(
  'with a storage the results come through it instead, and large ones too',
  async () => {
    await using proxy = await TcpFaultProxy.start({ port: server.part.port })
    await using fexec = open({ amqp_url: urlOf(proxy), timeout: 2 }, { storage: 'localhost' })
    const futures = fexec.map(lasting, [1, 2, 3])
    await expect
      .poll(() => futures.every(future => future.state === 'running'), { timeout: 30_000 })
      .toBe(true)
    proxy.refuse()
    proxy.cutAll()
    expect(await fexec.getResult(futures)).toEqual([1, 2, 3])
    // jobs that begin while it is away, too
    expect((await fexec.callAsync((n: number) => 'x'.repeat(n), 2_000_000).result()).length).toBe(2_000_000)
  },
  { timeout },
)

server.test(
  'what is wrong with the broker is said before anything runs, with what to check and without the password',
  async () => {
    const { port } = server.part
    const cases = [
      [`amqp://guest:gehe1m@127.0.0.1:${port}`, /ACCESS.REFUSED.*Check user and password/is],
      [`amqp://guest:guest@127.0.0.1:${port}/nowhere`, /Check the vhost/],
      ['amqp://guest:gehe1m@127.0.0.1:1', /ECONNREFUSED.*Check host and port/s],
      ['amqp://guest:gehe1m@no-such-host.invalid', /Check the host/],
    ] as const
    for (const [amqp_url, message] of cases) {
      const file = path.join(folder, 'never')
      await using fexec = open({ amqp_url })
      const error = await fexec
        .callAsync<number, number, [string]>(noted, 0, { extraArgs: [file] })
        .result()
        .catch((error: Error) => error)
      expect(error).toMatchObject({ code: 'LITHOPS_MONITOR' })
      expect(String(error)).toMatch(message)
      expect(String(error)).not.toContain('gehe1m')
      expect(() => readFileSync(file)).toThrow()
    }
  },
  { timeout },
)
