import { expect, test } from 'vitest'
import { FunctionExecutor } from '../../src/index.ts'
import { DEFAULT_LOCALHOST_BUCKET } from '../../src/localhost/localhost-storage.ts'
import { MemoryCompute, MemoryStorage } from '../../src/testing/index.ts'

/** A storage that stays when its executor closes. */
function lastingStorage() {
  const backend = new MemoryStorage()
  const close = async () => {}
  const view = new Proxy(backend, {
    get: (_, property) => {
      if (property === 'close') return close
      const value: unknown = Reflect.get(backend, property, backend)
      return typeof value === 'function' ? value.bind(backend) : value
    },
  })
  const keys = async () => {
    const all: string[] = []
    for await (const { key } of backend.listObjects(DEFAULT_LOCALHOST_BUCKET)) all.push(key)
    return all
  }
  return { driver: { specVersion: 1 as const, name: 'memory', create: () => view }, keys }
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
/** A platform that goes on when its client is gone. */
const platform = () => new MemoryCompute({ synchronousReply: false })

test('a worker that writes after its client was closed leaves nothing', async () => {
  const storage = lastingStorage()
  const fexec = new FunctionExecutor({ backend: platform(), storage: storage.driver, monitoring: 'storage' })
  const late = async (n: number) => {
    await new Promise(resolve => setTimeout(resolve, 400))
    return 'x'.repeat(n)
  }
  // a small result goes into a key, a large one into an object of its own
  const futures = fexec.map(late, [10, 100_000])
  for (const future of futures) future.catch(() => {})
  await pause(150)
  expect(await storage.keys()).not.toEqual([])
  await fexec.close()
  expect(await storage.keys()).toEqual([])
  await pause(700)
  expect(await storage.keys()).toEqual([])
})

test('a job that fails or is cancelled leaves nothing, nor do its late workers', async () => {
  const storage = lastingStorage()
  const fexec = new FunctionExecutor({ backend: platform(), storage: storage.driver, monitoring: 'storage' })
  const failing = fexec.map(
    (n: number) => {
      throw new RangeError(`no ${n}`)
    },
    [1, 2],
  )
  await expect(fexec.getResult(failing)).rejects.toThrow('no')
  const controller = new AbortController()
  const cancelled = fexec.map(
    async (n: number) => {
      await new Promise(resolve => setTimeout(resolve, 300))
      return n
    },
    [1, 2],
    { signal: controller.signal, durable: true },
  )
  await pause(100)
  controller.abort()
  await expect(fexec.getResult(cancelled)).rejects.toThrow('aborted')
  await pause(500)
  await fexec.close()
  expect(await storage.keys()).toEqual([])
})

test('clean() spares what open jobs need', async () => {
  const storage = lastingStorage()
  await using fexec = new FunctionExecutor({
    backend: platform(),
    storage: storage.driver,
    monitoring: 'storage',
  })
  const open = fexec.map(
    async (n: number) => {
      await new Promise(resolve => setTimeout(resolve, 300))
      return n
    },
    [1, 2, 3],
  )
  await fexec.getResult(fexec.map((n: number) => 'y'.repeat(n), [100_000]))
  await fexec.clean()
  expect(await fexec.getResult(open)).toEqual([1, 2, 3])
})
