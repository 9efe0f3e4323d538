import { expect, test } from 'vitest'
import type { Activation, ComputeBackend, InvokeOptions, MonitorDriver } from '../../src/driver/index.ts'
import { FunctionExecutor, MonitorError } from '../../src/index.ts'
import { MemoryCompute, memoryStorage } from '../../src/testing/index.ts'

/** A platform that takes activations and answers nothing; `swallows` says which are never run. */
function platform(
  swallows: (activation: Activation, nth: number) => boolean,
): ComputeBackend & { taken: number } {
  const inner = new MemoryCompute({ synchronousReply: false, maxStartDelayMs: 150 })
  let nth = 0
  const invoke = async (activation: Activation, options: InvokeOptions) => {
    if (swallows(activation, nth++)) return {}
    return inner.invoke(activation, options)
  }
  return new Proxy(inner, {
    get: (target, property) => {
      if (property === 'invoke') return invoke
      if (property === 'taken') return nth
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
