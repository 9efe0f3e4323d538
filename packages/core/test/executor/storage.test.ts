import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { StorageDriver } from '../../src/driver/index.ts'
import { type CallContext, FunctionExecutor, type ObjectPiece, objects } from '../../src/index.ts'
import { localhostStorageDriver } from '../../src/localhost/localhost-storage.ts'
import { MemoryCompute, memoryStorage } from '../../src/testing/index.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const root = temporaryFolder('lithops-test-storage-')
/** The localhost storage in a folder of this test's own. */
const storage: StorageDriver = {
  specVersion: 1,
  name: 'localhost',
  create: (config, context) => localhostStorageDriver.create({ ...config, root }, context),
}

/** Files below a folder. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name =>
    statSync(join(folder, name)).isFile(),
  )

test('a function reads and writes the storage of its job', async () => {
  await using fexec = new FunctionExecutor({ storage, localhost: { worker_processes: 1 } })
  const shared = await fexec.storage()
  await shared.put('greeting', 'hello')
  const seen = await fexec.callAsync(async (key: string, context) => {
    const text = await context.storage.get(key, { as: 'text' })
    await context.storage.put('answer', `${text} world`)
    return text.length
  }, 'greeting')
  expect(seen).toBe(5)
  expect(await shared.get('answer', { as: 'text' })).toBe('hello world')
  await shared.delete(['greeting', 'answer'])
})

test('results come home through storage, large ones by reference, and nothing is left', async () => {
  const fexec = new FunctionExecutor({ storage, monitoring: 'storage', localhost: { worker_processes: 2 } })
  const futures = fexec.map((n: number) => 'x'.repeat(n), [1, 10, 1_000_000])
  expect((await fexec.getResult(futures)).map(text => text.length)).toEqual([1, 10, 1_000_000])
  // a large value goes from worker to worker without passing through the client
  expect(await fexec.callAsync((text: string) => text.length, futures[2] as never)).toBe(1_000_000)
  expect(
    await fexec.mapReduce(
      (n: number) => 'y'.repeat(n),
      [100_000, 5],
      parts => parts.join('').length,
    ),
  ).toBe(100_005)
  await expect(
    fexec
      .callAsync(() => {
        throw new RangeError('through storage')
      }, 0)
      .result(),
  ).rejects.toThrow(RangeError)
  await fexec.close()
  expect(filesIn(root)).toEqual([])
})

test('without a storage, asking for it says what to configure', async () => {
  await using fexec = new FunctionExecutor({ storage: 'storageless', localhost: { worker_processes: 1 } })
  await expect(fexec.storage()).rejects.toMatchObject({ code: 'LITHOPS_STORAGELESS' })
  const code = { code: 'LITHOPS_STORAGELESS' }
  // before anything is sent, where the function is seen to use it
  const uses = (_: number, context: CallContext) => context.storage.exists('x')
  expect(() => fexec.callAsync(uses, 0)).toThrow(/Function 'uses' uses context\.storage/)
  expect(() =>
    fexec.map((_: number, extra: string, { storage }) => storage.exists(extra), [1], { extraArgs: ['x'] }),
  ).toThrow(expect.objectContaining(code))
  expect(() =>
    fexec.mapReduce(
      (x: number) => x,
      [1],
      (_, context) => context.storage.exists('x'),
    ),
  ).toThrow(expect.objectContaining(code))
  const found = { type: 'lithops.cloudobject', storage: 'aws_s3', bucket: 'b', key: 'k' } as const
  expect(() => fexec.map((item: typeof found) => item.key, [found])).toThrow(/aws_s3:\/\/b\/k/)
  expect(() => fexec.map((x: number) => x, [1], { durable: true })).toThrow(/durable job/)
  expect(() => new FunctionExecutor({ storage: 'storageless', monitoring: 'storage' })).toThrow(
    /monitoring: storage/,
  )
  // else when it asks for it
  const indirect = fexec.callAsync(
    (_: number, context) => Reflect.get(context, ['sto', 'rage'].join('')) as never,
    0,
  )
  await expect(indirect.result()).rejects.toMatchObject(code)
  expect(await fexec.callAsync((x: { storage: string }) => x.storage, { storage: 'mine' }).result()).toBe(
    'mine',
  )
})

test('a job without a storage reads objects of one that the config names', async () => {
  const other = memoryStorage()
  await using holder = new FunctionExecutor({ backend: new MemoryCompute(), storage: other })
  const objectsThere = await holder.storage()
  await objectsThere.createBucket('far')
  await objectsThere.put('a.txt', 'from far', { bucket: 'far' })
  await using fexec = new FunctionExecutor({
    backend: new MemoryCompute(),
    storage: 'storageless',
    storages: [other],
  })
  const texts = fexec.map((piece: ObjectPiece) => piece.text(), objects('memory://far/a.txt'))
  expect(await fexec.getResult(texts)).toEqual(['from far'])
})
