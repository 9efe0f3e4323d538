import { afterEach, expect, test, vi } from 'vitest'
import type { StorageRequests } from '../../src/driver/index.ts'
import { type CallContext, FunctionExecutor } from '../../src/index.ts'
import { MemoryCompute, MemoryStorage, memoryStorage } from '../../src/testing/index.ts'

afterEach(() => void vi.restoreAllMocks())

/** What really is asked of storages of this process, by clients and workers. */
function watchRequests(): () => StorageRequests {
  const spies = (...names: ('putObject' | 'listObjects' | 'createBucket' | 'getObject' | 'headObject')[]) =>
    names.map(name => vi.spyOn(MemoryStorage.prototype, name))
  const writes = spies('putObject', 'listObjects', 'createBucket')
  const reads = spies('getObject', 'headObject')
  const exists = vi.spyOn(MemoryStorage.prototype, 'bucketExists')
  const calls = (all: readonly { readonly mock: { readonly calls: unknown[] } }[]) =>
    all.reduce((sum, { mock }) => sum + mock.calls.length, 0)
  return () => ({ writes: calls(writes), reads: calls([...reads, exists]) })
}

const noted = async (x: number, { storage }: CallContext) => {
  await storage.put(`noted/${x}`, String(x))
  return { text: await storage.get(`noted/${x}`, { as: 'text' }), large: 'x'.repeat(x * 100_000) }
}

test.each([
  ['come with replies', {}, {}],
  [
    'come by the storage monitor',
    { synchronousReply: false, maxStartDelayMs: 30_000 },
    { monitoring: 'storage' },
  ],
])('every request for a job counts once where results %s', async (_, capabilities, options) => {
  const asked = watchRequests()
  await using fexec = new FunctionExecutor({
    backend: new MemoryCompute(capabilities),
    storage: memoryStorage(),
    ...options,
  })
  await (await fexec.storage()).createBucket()
  const before = asked()
  const futures = fexec.map(noted, [1, 2, 3])
  const values = await fexec.getResult(futures)
  expect(values.map(({ text }) => text)).toEqual(['1', '2', '3'])
  const counted = async () => (await fexec.usageOf(futures)).storages.memory ?? { writes: 0, reads: 0 }
  const missing = async () => {
    const [told, real] = [await counted(), asked()]
    return {
      writes: real.writes - before.writes - told.writes,
      reads: real.reads - before.reads - told.reads,
    }
  }
  await expect.poll(missing).toEqual({ writes: 0, reads: 0 })
  // at least what the function itself asked for
  const { writes, reads } = await counted()
  expect(writes).toBeGreaterThanOrEqual(3)
  expect(reads).toBeGreaterThanOrEqual(3)
  expect(await counted()).toMatchObject({ costUsd: 0 })
})

test('jobs have their own requests, and what the program asks itself is not in them', async () => {
  await using fexec = new FunctionExecutor({ backend: new MemoryCompute(), storage: memoryStorage() })
  await (await fexec.storage()).createBucket()
  const first = fexec.map(noted, [1])
  await fexec.getResult(first)
  const usage = await fexec.usageOf(first)
  const storage = await fexec.storage()
  await storage.put('mine', 'text')
  const second = fexec.map((x: number) => x, [1, 2])
  await fexec.getResult(second)
  expect((await fexec.usageOf(first)).storages.memory?.writes).toBe(usage.storages.memory?.writes)
  const own = (await fexec.usageOf(second)).storages.memory?.writes ?? 0
  expect(own).toBeLessThan(usage.storages.memory?.writes ?? 0)
})
