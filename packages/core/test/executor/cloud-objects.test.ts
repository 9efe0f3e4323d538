/** Cloud objects between workers and the program, and that nothing of them stays. */
import { expect, test } from 'vitest'
import { type CallContext, type CloudObject, FunctionExecutor, Storage } from '../../src/index.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const newConfig = () => ({
  localhost: { storage_folder: temporaryFolder('lithops-test-objects-'), worker_processes: 2 },
})

async function make(item: number, { storage }: CallContext): Promise<{ item: number; object: CloudObject }> {
  return { item, object: await storage.putCloudobject(`made of ${item}`) }
}

async function read(object: CloudObject, { storage }: CallContext): Promise<string> {
  return storage.getCloudobject(object, { as: 'text' })
}

test('a storage is not copied into a function, and the error says what to use', async () => {
  await using fexec = new FunctionExecutor({ config: newConfig() })
  const mine = await fexec.storage()
  const direct = () => mine.listKeys()
  expect(() => fexec.callAsync(direct, undefined)).toThrow(/it is a Storage \(use context\.storage/)
  const item = fexec.callAsync((x: unknown) => x, mine)
  await expect(Promise.resolve(item)).rejects.toThrow(/it is a Storage/)
})

test('the storage of a function is a Storage there too', async () => {
  await using fexec = new FunctionExecutor({ config: newConfig() })
  const isOne = (_: null, context: CallContext) => context.storage instanceof Storage
  expect(await fexec.callAsync(isOne, null)).toBe(true)
})

for (const monitoring of ['direct', 'storage']) {
  test(`${monitoring}: they come as results, go as items, and are removed with their executor`, async () => {
    const config = newConfig()
    await using storage = new Storage({ config })
    {
      await using fexec = new FunctionExecutor({ config, monitoring })
      const made = await fexec.getResult(fexec.map(make, [1, 2, 3]))
      expect(made.map(result => result.item)).toEqual([1, 2, 3])
      const objects = made.map(result => result.object)
      expect(new Set(objects.map(object => object.key)).size).toBe(3)
      const mine = await (await fexec.storage()).putCloudobject('of the program')
      const texts = await fexec.getResult(fexec.map(read, [...objects, mine]))
      expect(texts).toEqual(['made of 1', 'made of 2', 'made of 3', 'of the program'])
      expect(await storage.getCloudobject(mine, { as: 'text' })).toBe('of the program')
    }
    expect(await storage.listKeys()).toEqual([])
  })
}

test('those of calls that failed or were cancelled are removed too, those to keep stay', async () => {
  const config = newConfig()
  await using storage = new Storage({ config })
  const fexec = new FunctionExecutor({ config })
  const kept = await fexec.callAsync(
    async (_: null, context: CallContext) => context.storage.putCloudobject('kept', { keep: true }),
    null,
  )
  const failing = fexec.callAsync(async (_: null, context: CallContext) => {
    await context.storage.putCloudobject('lost')
    throw new Error('after it')
  }, null)
  await expect(Promise.resolve(failing)).rejects.toThrow('after it')
  const endless = fexec.callAsync(async (_: null, context: CallContext) => {
    for (;;) await context.storage.putCloudobject('more')
  }, null)
  const settled = Promise.resolve(endless).catch((error: unknown) => error)
  while ((await storage.listKeys('lithops.jobs/')).length < 3) await new Promise(go => setTimeout(go, 10))
  await fexec.close()
  expect(await settled).toMatchObject({ code: 'LITHOPS_CALL_CANCELLED' })
  expect(await storage.listKeys()).toEqual([kept.key])
  expect(await storage.getCloudobject(kept, { as: 'text' })).toBe('kept')
})
