import { expect, test } from 'vitest'
import type { StorageDriver } from '../../src/driver/index.ts'
import { FunctionExecutor } from '../../src/index.ts'
import { DEFAULT_LOCALHOST_BUCKET } from '../../src/localhost/localhost-storage.ts'
import { MemoryCompute, MemoryStorage } from '../../src/testing/index.ts'
import { observeBackend } from '../../src/testing/observed-backend.ts'

const SMALL = { maxPayloadBytes: 8 * 1024, maxReplyBytes: 4 * 1024 }

/** A storage that stays when its executor closes, and counts what is asked of it. */
function countedStorage() {
  const backend = new MemoryStorage()
  const puts: string[] = []
  const gets: string[] = []
  const put = backend.putObject.bind(backend)
  backend.putObject = (bucket, key, ...rest) => {
    puts.push(key)
    return put(bucket, key, ...rest)
  }
  const get = backend.getObject.bind(backend)
  backend.getObject = (bucket, key, ...rest) => {
    gets.push(key)
    return get(bucket, key, ...rest)
  }
  const driver: StorageDriver = {
    specVersion: 1,
    name: 'memory',
    create: () => {
      const shared = Object.create(backend) as MemoryStorage
      return new Proxy(shared, {
        get: (_, property) => {
          if (property === 'close') return async () => {}
          const value: unknown = Reflect.get(backend, property, backend)
          return typeof value === 'function' ? value.bind(backend) : value
        },
      })
    },
  }
  const keys = async () => {
    const all: string[] = []
    if (!(await backend.bucketExists(DEFAULT_LOCALHOST_BUCKET))) return all
    for await (const { key } of backend.listObjects(DEFAULT_LOCALHOST_BUCKET)) all.push(key)
    return all
  }
  return { driver, puts, gets, keys }
}

test('many inputs over the limit go together into few objects, each in its range', async () => {
  const storage = countedStorage()
  const fexec = new FunctionExecutor({ backend: new MemoryCompute(SMALL), storage: storage.driver })
  const items = Array.from({ length: 200 }, (_, i) => `${'x'.repeat(9000)}${i}`)
  const lengths = await fexec.getResult(fexec.map((text: string) => text.length, items))
  expect(lengths).toEqual(items.map(item => item.length))
  const packs = storage.puts.filter(key => key.includes('/data/'))
  expect(packs.length).toBeLessThan(10)
  expect(packs.length).toBeGreaterThan(0)
  await fexec.close()
  expect(await storage.keys()).toEqual([])
})

test('a function over the limit is put once for all executors, and only a clean of everything removes it', async () => {
  const storage = countedStorage()
  const big = 'f'.repeat(9000)
  // the literal makes the code itself large
  const source = `return (x) => x + ${JSON.stringify(big)}.length`
  const fn = new Function(source)() as (x: number) => number
  for (let run = 0; run < 2; run++) {
    await using fexec = new FunctionExecutor({ backend: new MemoryCompute(SMALL), storage: storage.driver })
    expect(await fexec.getResult(fexec.map(fn, [1, 2, 3]))).toEqual([9001, 9002, 9003])
  }
  expect(storage.puts.filter(key => key.startsWith('lithops.functions/'))).toHaveLength(1)
  expect((await storage.keys()).map(key => key.split('/')[0])).toEqual(['lithops.functions'])
  await using fexec = new FunctionExecutor({ backend: new MemoryCompute(SMALL), storage: storage.driver })
  await fexec.cleanAll()
  expect(await storage.keys()).toEqual([])
})

test('without a storage the error says how large, the limit, and what to configure', async () => {
  await using fexec = new FunctionExecutor({ backend: new MemoryCompute(SMALL), storage: 'storageless' })
  const large = 'y'.repeat(9000)
  await expect(fexec.callAsync((text: string) => text.length, large)).rejects.toThrow(
    /activation of \d+ bytes, and memory takes 8192\. Name a storage in the config/,
  )
  await expect(fexec.callAsync(() => large.length, 0)).rejects.toThrow(
    /takes \d+ bytes, and memory takes 8192 bytes per activation.*captured values are 9\d{3}.*Name a storage/s,
  )
  await expect(fexec.callAsync(() => 'z'.repeat(5000), 0)).rejects.toThrow(
    /result of the call has 5\d{3} bytes.*takes 4096.*Name a storage/s,
  )
  expect(() => fexec.map((x: number) => x, [1], { results: 'storage' })).toThrow(/storageless/)
})

test('results are left in storage on request, read lazily, and passed on by reference', async () => {
  const storage = countedStorage()
  const fexec = new FunctionExecutor({ backend: new MemoryCompute(), storage: storage.driver })
  const futures = fexec.map((n: number) => ({ n, text: 'r'.repeat(n) }), [1, 2, 3], { results: 'storage' })
  await fexec.wait(futures)
  expect(storage.gets).toEqual([])
  expect(await futures[1]?.result()).toEqual({ n: 2, text: 'rr' })
  expect(storage.gets).toHaveLength(1)
  const sums = fexec.map(
    (value: { n: number; text: string }) => value.n + value.text.length,
    futures as never as { n: number; text: string }[],
  )
  expect(await fexec.getResult(sums)).toEqual([2, 4, 6])
  await fexec.close()
  expect(await storage.keys()).toEqual([])
})

test('what only reducers need does not pass through the client', async () => {
  const storage = countedStorage()
  const { backend, invokes } = observeBackend(new MemoryCompute())
  const fexec = new FunctionExecutor({ backend, storage: storage.driver })
  const total = await fexec.mapReduce(
    (n: number) => 'm'.repeat(n),
    [200_000, 200_001, 200_002],
    (parts: string[]) => parts.join('').length,
  )
  expect(total).toBe(600_003)
  expect(Math.max(...invokes.map(({ activation }) => activation.payload.length))).toBeLessThan(50_000)
  await fexec.close()
  expect(await storage.keys()).toEqual([])
})

test('an instance left in storage is read by a function that knows its class only by its own job', async () => {
  class Money {
    constructor(readonly cents: number) {}
    get euros() {
      return this.cents / 100
    }
  }
  const storage = countedStorage()
  await using fexec = new FunctionExecutor({ backend: new MemoryCompute(), storage: storage.driver })
  const futures = fexec.map((n: number) => new Money(n), [100, 250], { results: 'storage' })
  const euros = fexec.map(
    (money: Money) => (money instanceof Money ? money.euros : -1),
    futures as never as Money[],
  )
  expect(await fexec.getResult(euros)).toEqual([1, 2.5])
  expect((await futures[0]?.result()) instanceof Money).toBe(true)
})
