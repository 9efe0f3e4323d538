import { expect, test } from 'vitest'
import type {
  Activation,
  ComputeBackend,
  ComputeCapabilities,
  InvokeOptions,
  MonitorDriver,
} from '../../src/driver/index.ts'
import { FunctionExecutor, MonitorError } from '../../src/index.ts'
import { MemoryCompute, MemoryMonitor, memoryMonitor, memoryStorage } from '../../src/testing/index.ts'

/** A platform that takes activations and answers nothing; `swallows` says which are never run. */
function platform(
  swallows: (activation: Activation, nth: number) => boolean,
  more: Partial<ComputeCapabilities> = {},
): ComputeBackend & { taken: number } {
  const inner = new MemoryCompute({ synchronousReply: false, maxStartDelayMs: 150 })
  const capabilities = { ...inner.capabilities, ...more }
  let nth = 0
  const invoke = async (activation: Activation, options: InvokeOptions) => {
    if (swallows(activation, nth++)) return {}
    return inner.invoke(activation, options)
  }
  return new Proxy(inner, {
    get: (target, property) => {
      if (property === 'invoke') return invoke
      if (property === 'taken') return nth
      if (property === 'capabilities') return capabilities
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  }) as never
}

const options = { storage: memoryStorage(), monitoring: 'storage', timeoutMs: 200 } as const

test('a call whose worker is silent is run again, and its value comes', async () => {
  const backend = platform((_, nth) => nth < 3)
  await using fexec = new FunctionExecutor({ ...options, backend })
  const futures = fexec.map((x: number) => x * 2, [1, 2, 3, 4])
  expect(await fexec.getResult(futures)).toEqual([2, 4, 6, 8])
  expect(backend.taken).toBe(7)
  expect(futures.filter(future => future.stats.retryCount > 0)).toHaveLength(3)
})

test('a call whose workers are always silent ends with an error that names it', async () => {
  await using fexec = new FunctionExecutor({ ...options, backend: platform(() => true) })
  const future = fexec.callAsync((x: number) => x, 1, { retries: { infrastructure: 1 } })
  await expect(future.result()).rejects.toMatchObject({
    code: 'LITHOPS_WORKER_LOST',
    message: expect.stringMatching(/Call 0 of job .*Nothing was heard .* It was tried 2 times/s),
  })
})

test('what is lost before its first word is sent again as often as that happens, where a platform says how long it takes', async () => {
  const backend = platform((_, nth) => nth < 3, { maxStartDelayMs: 3_600_000, restartAfterMs: 20 })
  await using fexec = new FunctionExecutor({ ...options, backend })
  const future = fexec.callAsync((x: number) => x * 2, 1, { retries: { infrastructure: 0 } })
  expect(await future).toBe(2)
  expect(backend.taken).toBe(4)
})

test('the calls of a silent activation are run one by one, and nobody is charged for the others', async () => {
  const backend = platform(activation => activation.callIds.length > 1)
  await using fexec = new FunctionExecutor({ ...options, backend })
  const futures = fexec.map((x: number) => x, [1, 2, 3], { chunksize: 3, retries: { infrastructure: 0 } })
  expect(await fexec.getResult(futures)).toEqual([1, 2, 3])
})

test('a monitor that stops watching, or breaks, fails the calls that a platform has accepted', async () => {
  for (const error of [undefined, new Error('queue is gone')]) {
    const monitoring: MonitorDriver = {
      specVersion: 1,
      name: 'short',
      create: () => ({
        specVersion: 1,
        name: 'short',
        async *watch() {
          await new Promise(resolve => setTimeout(resolve, 50))
          if (error !== undefined) throw error
        },
        publisherAddress: async () => ({ kind: 'none' }),
        forget: async () => {},
        close: async () => {},
      }),
    }
    await using fexec = new FunctionExecutor({
      backend: platform(() => true),
      monitoring,
      storage: 'storageless',
    })
    const future = fexec.callAsync((x: number) => x, 1)
    const thrown = await future.result().catch((reason: unknown) => reason)
    if (error === undefined) expect(MonitorError.isInstance(thrown)).toBe(true)
    else expect(thrown).toBe(error)
  }
})

/** A way home of this process whose workers tell at once that they have begun. */
const realTime = (): MonitorDriver => ({
  ...memoryMonitor(),
  create: () =>
    Object.assign(new MemoryMonitor(), {
      publishPatienceMs: 100,
      unheard: (waitedMs: number) => new MonitorError(`silent for ${Math.round(waitedMs / 10) * 10} ms`),
    }),
})

test('when no worker is ever heard in real time, the way home is broken, and nothing is run again', async () => {
  const backend = platform(() => true)
  await using fexec = new FunctionExecutor({ backend, monitoring: realTime(), storage: 'storageless' })
  const futures = fexec.map((x: number) => x, [1, 2])
  for (const future of futures)
    await expect(future.result()).rejects.toMatchObject({
      code: 'LITHOPS_MONITOR',
      message: expect.stringMatching(/silent for [23]\d0 ms/),
    })
  expect(backend.taken).toBe(2)
})

test('a worker that is not heard in a job of others that were is lost, and its call is sent once more', async () => {
  const backend = platform((_, nth) => nth === 1)
  await using fexec = new FunctionExecutor({ backend, monitoring: realTime(), storage: 'storageless' })
  const futures = fexec.map((x: number) => x * 2, [1, 2, 3])
  expect(await fexec.getResult(futures)).toEqual([2, 4, 6])
  expect(backend.taken).toBe(4)
  const deaf = platform(activation => activation.callIds.includes(1))
  await using second = new FunctionExecutor({ backend: deaf, monitoring: realTime(), storage: 'storageless' })
  const [first, lost] = second.map((x: number) => x, [1, 2])
  expect(await first?.result()).toBe(1)
  await expect(lost?.result()).rejects.toMatchObject({ code: 'LITHOPS_MONITOR' })
  expect(deaf.taken).toBe(3)
})
