import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { ancestorsOf, type MonitorDriver, type PublisherLimit } from '../../src/driver/index.ts'
import { FunctionExecutor, MonitorError } from '../../src/index.ts'
import { FrameQueue } from '../../src/monitor/frame-queue.ts'
import { MemoryCompute, memoryStorage } from '../../src/testing/index.ts'

interface PostOffice {
  readonly boxes: Map<string, (bytes: Uint8Array) => void>
  readonly opened: { readonly secrets: unknown }[]
  fails: boolean
  limit: PublisherLimit | undefined
}

const workerModule = fileURLToPath(new URL('post-office.mjs', import.meta.url))
await import(workerModule)
const office = (globalThis as Record<symbol, unknown>)[Symbol.for('test.post-office')] as PostOffice

beforeEach(() => {
  office.boxes.clear()
  office.opened.length = 0
  office.fails = false
  office.limit = undefined
})

/** The client's half: a box per job. `isOpen: false` is one that cannot be reached. */
function post(
  options: { readonly fallsBackToStorage?: boolean; readonly isOpen?: boolean } = {},
): MonitorDriver {
  const { fallsBackToStorage = false, isOpen = true } = options
  return {
    specVersion: 1,
    name: 'post',
    create: () => {
      const queues = new Map<string, FrameQueue>()
      return {
        specVersion: 1,
        name: 'post',
        workerModule,
        fallsBackToStorage,
        workerSecrets: () => ({ password: 'sesame' }),
        async *watch(job, { signal }) {
          if (!isOpen) throw new MonitorError('The post office is closed.')
          const queue = queues.get(`${job.executorId}/${job.jobId}`) ?? new FrameQueue()
          signal.addEventListener('abort', () => queue.end())
          yield* queue
        },
        publisherAddress: async job => {
          if (!isOpen) throw new MonitorError('The post office is closed.')
          const key = `${job.executorId}/${job.jobId}`
          const queue = queues.get(key) ?? new FrameQueue()
          queues.set(key, queue)
          office.boxes.set(key, frames => queue.push(frames))
          return { kind: 'post', street: 'Main' }
        },
        forget: async () => {},
        close: async () => {},
      }
    },
  }
}

/** A platform that does not reply, and what was sent to it. */
class Mute extends MemoryCompute {
  readonly payloads: string[] = []

  constructor() {
    super({ synchronousReply: false, maxStartDelayMs: 500 })
  }

  override invoke(...[activation, options]: Parameters<MemoryCompute['invoke']>) {
    this.payloads.push(Buffer.from(activation.payload).toString('latin1'))
    return super.invoke(activation, options)
  }
}

const open = (monitoring: MonitorDriver, more: object = {}) =>
  new FunctionExecutor({ backend: new Mute(), storage: 'storageless', monitoring, ...more })

test("a monitor's worker half is found by its module, and its secrets are placed and do not travel", async () => {
  const backend = new Mute()
  await using fexec = open(post(), { backend })
  expect(await fexec.getResult(fexec.map((x: number) => x * 2, [1, 2, 3]))).toEqual([2, 4, 6])
  expect(office.opened).toEqual([
    { address: { kind: 'post', street: 'Main' }, secrets: { password: 'sesame' } },
  ])
  expect(backend.payloads.join('')).toContain('Main')
  expect(backend.payloads.join('')).not.toContain('sesame')
})

test('a call is seen to run before it ends, and its log comes as it is written', async () => {
  await using fexec = open(post())
  const gate = Symbol.for('test.gate')
  let release = () => {}
  ;(globalThis as Record<symbol, unknown>)[gate] = new Promise<void>(resolve => {
    release = resolve
  })
  const future = fexec.callAsync(async (_: number, context) => {
    context.logger.info('begun')
    await (globalThis as Record<symbol, unknown>)[Symbol.for('test.gate')]
    return context.callId
  }, 0)
  await expect.poll(() => future.state).toBe('running')
  release()
  expect(await future.result()).toBe(0)
})

test('a result over the limit of the way home says how large it is and what to configure', async () => {
  office.limit = { bytes: 10_000, setting: 'post.max_bytes' }
  await using fexec = open(post())
  await expect(fexec.callAsync(() => 'x'.repeat(20_000), 0).result()).rejects.toMatchObject({
    code: 'LITHOPS_RESULT_TOO_LARGE',
    message: expect.stringMatching(/20001 bytes.*10000 bytes.*storage.*post\.max_bytes/s),
  })
  expect((await fexec.callAsync(() => 'x'.repeat(9_000), 0).result()).length).toBe(9_000)
  await using stored = open(post(), { storage: memoryStorage() })
  expect((await stored.callAsync(() => 'x'.repeat(200_000), 0).result()).length).toBe(200_000)
})

test('a function has the channel of its way home, or is told that there is none', async () => {
  const received: string[] = []
  await using fexec = open(post())
  office.boxes.set('to-others', bytes => received.push(Buffer.from(bytes).toString()))
  await fexec.callAsync(async (text: string, context) => {
    const channel = await context.rabbitmq
    channel.sendToQueue('to-others', Buffer.from(text))
  }, 'hello')
  expect(received).toEqual(['hello'])
  await using direct = new FunctionExecutor({ backend: new MemoryCompute(), storage: 'storageless' })
  await expect(direct.callAsync((_: number, context) => context.rabbitmq, 0).result()).rejects.toMatchObject({
    code: 'LITHOPS_NOT_SUPPORTED',
    message: expect.stringContaining('monitoring: rabbitmq'),
  })
})

const withStorage = { storage: memoryStorage(), timeoutMs: 5_000 } as const

test('a worker that loses the way home tells by way of the storage', async () => {
  await using fexec = open(post({ fallsBackToStorage: true }), withStorage)
  office.fails = true
  const backends = fexec.map((x: number) => x + 1, [1, 2, 3])
  expect(await fexec.getResult(backends)).toEqual([2, 3, 4])
}, 40_000)

test('a client that cannot reach the way home has the whole job come by way of the storage', async () => {
  await using fexec = open(post({ fallsBackToStorage: true, isOpen: false }), {
    ...withStorage,
    logLevel: 'error',
  })
  expect(await fexec.getResult(fexec.map((x: number) => x + 1, [1, 2]))).toEqual([2, 3])
  expect(office.opened).toEqual([])
})

test('without a storage its error ends the calls', async () => {
  await using fexec = open(post({ fallsBackToStorage: true, isOpen: false }))
  await expect(fexec.callAsync((x: number) => x, 1).result()).rejects.toThrow('The post office is closed.')
})

test('a worker that replies and cannot publish tells with its reply', async () => {
  office.fails = true
  await using fexec = open(post(), { backend: new MemoryCompute() })
  expect(await fexec.getResult(fexec.map((x: number) => x + 1, [1, 2, 3], { chunksize: 3 }))).toEqual([
    2, 3, 4,
  ])
})

test('an executor in a function is named by its ancestors', async () => {
  await using fexec = new FunctionExecutor({ backend: new MemoryCompute(), storage: 'storageless' })
  const found = Symbol.for('test.executor')
  ;(globalThis as Record<symbol, unknown>)[found] = FunctionExecutor
  const id = await fexec.callAsync(async () => {
    const Executor = (globalThis as Record<symbol, unknown>)[
      Symbol.for('test.executor')
    ] as typeof FunctionExecutor
    const inner = new Executor({ storage: 'storageless' })
    await inner.close()
    return inner.executorId
  }, 0)
  expect(id).toMatch(new RegExp(`^${fexec.executorId}-A000-00000-[0-9a-f]{6}-\\d+$`))
  expect(ancestorsOf(`${id}-R001-123456-abcdef-12`)).toEqual([id, fexec.executorId])
  expect(ancestorsOf(fexec.executorId)).toEqual([])
})
