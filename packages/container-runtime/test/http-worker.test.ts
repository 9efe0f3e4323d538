import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type CallContext, FunctionExecutor } from '@lithops/core'
import { afterAll, expect, test } from 'vitest'
import { WorkerConnections } from '../src/index.ts'
import { HttpPlatform, type HttpPlatformOptions } from './http-platform.ts'
import { idleProxy } from './idle-proxy.ts'
import { WorkerProgram } from './worker-program.ts'

const once = { retries: { infrastructure: 0, user: 0 } } as const
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-worker-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
/** A file that a function makes, and others look for. */
let files = 0
const newFile = () => path.join(folder, `${files++}`)

async function withPlatform(
  options: HttpPlatformOptions,
  use: (fexec: FunctionExecutor, platform: HttpPlatform) => Promise<void>,
): Promise<void> {
  const platform = new HttpPlatform(options)
  try {
    await using fexec = new FunctionExecutor({ backend: platform })
    await use(fexec, platform)
  } finally {
    await platform.close()
  }
}

async function withProgram(
  environment: Record<string, string>,
  use: (program: WorkerProgram) => Promise<void>,
) {
  const program = new WorkerProgram(environment)
  try {
    await use(program)
  } finally {
    await program.end()
  }
}

/** Says that it runs, and ends when the file is there. */
const untilThere = async (started: string, file: string): Promise<string> => {
  const fs = await import('node:fs')
  fs.writeFileSync(started, '')
  while (!fs.existsSync(file)) await new Promise(done => setTimeout(done, 5))
  return 'there'
}

test('it says what it is, and what it does not take', () =>
  withProgram({ LITHOPS_CONCURRENCY: '3' }, async program => {
    const origin = await program.origin()
    await expect.poll(async () => (await fetch(`${origin}/healthz`)).status).toBe(200)
    for (const place of ['/', '/healthz', '/?x']) {
      const answer = await fetch(`${origin}${place}`)
      expect(answer.headers.get('lithops-worker')).toBe('1')
      expect(await answer.json()).toMatchObject({
        state: 'ready',
        protocolVersion: 1,
        nodeVersion: process.version,
        workerProcesses: 1,
        concurrency: 3,
      })
    }
    expect((await fetch(`${origin}/other`)).status).toBe(404)
    expect((await fetch(origin, { method: 'PUT', body: 'x' })).status).toBe(405)
    const broken = await fetch(origin, { method: 'POST', body: 'no message' })
    expect(broken.status).toBe(400)
    expect(await broken.json()).toMatchObject({ kind: 'protocol', mayHaveRun: false })
    const later = await fetch(origin, { method: 'POST', body: 'LT\u0009' })
    expect(await later.json()).toMatchObject({ message: expect.stringContaining('lithops runtime update') })
    const connections = new WorkerConnections({ origin })
    const nothing = { payload: Buffer.from('LT'), onReply: () => {} }
    await expect(connections.run(nothing)).rejects.toMatchObject({ code: 'LITHOPS_PROTOCOL' })
    expect(await connections.metadata()).toMatchObject({ protocolVersion: 1, nodeVersion: process.version })
    await connections.close()
    await expect(connections.run(nothing)).rejects.toMatchObject({ mayHaveRun: false })
  }))

test.each([
  ['LITHOPS_WORKER_PROCESSES', '0'],
  ['LITHOPS_CONCURRENCY', 'many'],
  ['PORT', '70000'],
])('a wrong setting %s ends it with the reason', async (name, value) => {
  await withProgram({ [name]: value }, async program => {
    expect(await program.exited).toMatchObject({ code: 1 })
    expect(program.log).toContain(`lithops worker: ${name} is "${value}": a whole number from`)
  })
})

test('results of any size come back, and logs with them', () =>
  withPlatform({}, async fexec => {
    const future = fexec.callAsync((bytes: number) => {
      console.log('large')
      return new Uint8Array(bytes).fill(7)
    }, 40_000_000)
    const value = await future.result()
    expect([value.length, value.at(-1)]).toEqual([40_000_000, 7])
    expect(future.logs).toBe('large\n')
  }))

test('a process that a function ends, breaks or fills is told as what it was, and replaced', () =>
  withPlatform({ environment: { NODE_OPTIONS: '--max-old-space-size=64' } }, async fexec => {
    const exit = fexec.callAsync(() => process.exit(7), 0, once)
    await expect(exit.result()).rejects.toMatchObject({
      code: 'LITHOPS_WORKER_LOST',
      message: expect.stringContaining('exit code 7'),
    })
    const kill = fexec.callAsync(() => process.kill(process.pid, 'SIGSEGV'), 0, once)
    await expect(kill.result()).rejects.toMatchObject({
      code: 'LITHOPS_WORKER_LOST',
      message: expect.stringContaining('SIGSEGV'),
    })
    const fill = () => {
      const kept: unknown[] = []
      for (;;) kept.push(new Array(100_000).fill(kept.length))
    }
    await expect(fexec.callAsync(fill, 0, once).result()).rejects.toMatchObject({
      code: 'LITHOPS_CALL_OUT_OF_MEMORY',
      message: expect.stringContaining("limit of Node's heap"),
    })
    expect(await fexec.callAsync((x: number) => x, 1, once)).toBe(1)
  }))

test('nothing of ended processes stays in the folder for temporary files', () => {
  const TMPDIR = mkdtempSync(path.join(folder, 'tmp-'))
  return withPlatform({ environment: { TMPDIR } }, async fexec => {
    await expect(fexec.callAsync(() => process.exit(7), 0, once).result()).rejects.toThrow()
    await fexec.callAsync(() => 1, 0, once)
    await expect.poll(() => readdirSync(TMPDIR)).toHaveLength(1)
  })
})

test('a call whose client is gone is told to stop, and its process goes on', () =>
  withPlatform({}, async fexec => {
    const [started, stopped] = [newFile(), newFile()]
    const stops = async ([begin, end]: readonly [string, string], { signal }: CallContext) => {
      const fs = await import('node:fs')
      fs.writeFileSync(begin, '')
      await new Promise<void>(done => {
        signal.addEventListener('abort', () => {
          fs.writeFileSync(end, '')
          done()
        })
      })
    }
    const first = fexec.callAsync(() => process.pid, 0, once)
    const future = fexec.callAsync(stops, [started, stopped] as const, once)
    await expect.poll(() => existsSync(started), { timeout: 20_000 }).toBe(true)
    future.cancel()
    await expect.poll(() => existsSync(stopped), { timeout: 20_000 }).toBe(true)
    expect(await fexec.callAsync(() => process.pid, 0, once)).toBe(await first)
  }))

test('a call whose client is gone, and that does not stop, is ended with its process', () =>
  withPlatform({}, async fexec => {
    const started = newFile()
    const stays = (file: string) => {
      const { writeFileSync } = process.getBuiltinModule('node:fs')
      writeFileSync(file, `${process.pid}`)
      for (;;);
    }
    const first = await fexec.callAsync(() => process.pid, 0, once)
    const future = fexec.callAsync(stays, started, once)
    await expect.poll(() => existsSync(started), { timeout: 20_000 }).toBe(true)
    future.cancel()
    const next = await fexec.callAsync(() => process.pid, 0, once)
    expect(next).not.toBe(first)
    expect(() => process.kill(first, 0)).toThrow()
  }))

test('calls whose results go another way go on without their client', () =>
  withProgram({}, async program => {
    const platform = new HttpPlatform()
    const payloads: Uint8Array[] = []
    const [started, file, ended] = [newFile(), newFile(), newFile()]
    const work = async ([begin, wait, end]: readonly [string, string, string], { signal }: CallContext) => {
      const fs = await import('node:fs')
      fs.writeFileSync(begin, '')
      while (!fs.existsSync(wait)) await new Promise(done => setTimeout(done, 5))
      fs.writeFileSync(end, `${signal.aborted}`)
    }
    const invoke = platform.invoke.bind(platform)
    platform.invoke = (activation, options) => {
      payloads.push(activation.payload)
      return invoke(activation, options)
    }
    await using fexec = new FunctionExecutor({ backend: platform })
    const future = fexec.callAsync(work, [started, file, ended] as const, once)
    await expect.poll(() => existsSync(started), { timeout: 20_000 }).toBe(true)
    future.cancel()
    rmSync(started)
    const connections = new WorkerConnections({ origin: await program.origin() })
    const controller = new AbortController()
    const running = connections.run({
      payload: payloads[0] as Uint8Array,
      goesOnAlone: true,
      signal: controller.signal,
      onReply: () => {},
    })
    await expect.poll(() => existsSync(started), { timeout: 20_000 }).toBe(true)
    controller.abort(new Error('gone'))
    await expect(running).rejects.toThrow('gone')
    writeFileSync(file, '')
    await expect.poll(() => existsSync(ended), { timeout: 20_000 }).toBe(true)
    await connections.close()
    await platform.close()
  }))

test('told to end, it finishes what runs, refuses the rest as not run, and exits in order', () =>
  withPlatform({ maxActivations: 2 }, async (fexec, platform) => {
    const [started, file] = [newFile(), newFile()]
    const [running, waiting] = fexec.map(
      untilThereOf,
      [
        [started, file],
        [newFile(), file],
      ] as const,
      { ...once, chunksize: 1 },
    )
    await expect.poll(() => existsSync(started), { timeout: 20_000 }).toBe(true)
    const program = await platform.program()
    const origin = await program.origin()
    program.child.kill('SIGTERM')
    await expect.poll(async () => (await fetch(origin)).status).toBe(503)
    const refused = await fetch(origin, { method: 'POST', body: 'LT' })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await refused.json()).toMatchObject({ kind: 'ending', mayHaveRun: false })
    writeFileSync(file, '')
    expect(await running).toBe('there')
    await expect(waiting?.result()).rejects.toMatchObject({ code: 'LITHOPS_INVOCATION', mayHaveRun: false })
    expect(await program.exited).toEqual({ code: 0, signal: null })
  }))

test('what does not end within the grace is told as ended by the platform', () =>
  withPlatform({ environment: { LITHOPS_GRACE_MS: '50' } }, async (fexec, platform) => {
    const started = newFile()
    const future = fexec.callAsync(untilThereOf, [started, newFile()] as const, once)
    await expect.poll(() => existsSync(started), { timeout: 20_000 }).toBe(true)
    const program = await platform.program()
    program.child.kill('SIGTERM')
    await expect(future.result()).rejects.toMatchObject({ code: 'LITHOPS_INVOCATION', mayHaveRun: true })
    expect(await program.exited).toEqual({ code: 0, signal: null })
  }))

test('heartbeats keep the connection through a proxy that cuts silent ones, though the function is busy', async () => {
  const proxies: { close(): void }[] = []
  const before = async (origin: string) => {
    const proxy = await idleProxy(origin, 600)
    proxies.push(proxy)
    return proxy.origin
  }
  const busy = (ms: number) => {
    const end = Date.now() + ms
    while (Date.now() < end);
    return 'done'
  }
  try {
    await withPlatform({ before, heartbeatMs: 100 }, async fexec => {
      expect(await fexec.callAsync(busy, 2_000, once)).toBe('done')
    })
    await withPlatform({ before, heartbeatMs: 60_000 }, async fexec => {
      await expect(fexec.callAsync(busy, 2_000, once).result()).rejects.toMatchObject({
        code: 'LITHOPS_INVOCATION',
        mayHaveRun: true,
        message: expect.stringContaining('was cut'),
      })
    })
  } finally {
    for (const proxy of proxies) proxy.close()
  }
})

async function untilThereOf([started, file]: readonly [string, string]): Promise<string> {
  return untilThere(started, file)
}
