import { type CallContext, FunctionExecutor } from '@lithops/core'
import { awsFaults } from '@lithops/fake-clouds/aws'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'
import { cloud } from './cloud.ts'
import { largeFunction } from './large-function.ts'

// an environment is a process here: events of a whole map must not start one each
const quotas = { concurrentExecutions: 6, requestsPerSecondPerConcurrency: 1000 }
const there = cloud({ keepBodies: true, quotas, timing: { asyncBackoffMs: 20 } })
const server = withRealPart(minio)
const range = (n: number) => Array.from({ length: n }, (_, i) => i)
const twice = (x: number) => x * 2

/** An executor on Lambda whose storage is a real server that the workers reach with secrets. */
async function open(section: Record<string, unknown> = {}, options: { readonly monitoring?: string } = {}) {
  const { endpoint, accessKeyId, secretAccessKey } = server.part
  const backend = await there.open({ max_workers: 6, ...section })
  return new FunctionExecutor({
    backend,
    storage: 'minio',
    config: {
      minio: {
        endpoint,
        access_key_id: accessKeyId,
        secret_access_key: secretAccessKey,
        storage_bucket: 'lambda',
      },
    },
    ...options,
  })
}

server.test('workers bring the driver of the storage, and functions use it', async () => {
  const aws = await there.start()
  await using fexec = await open()
  const write = async (name: string, { storage }: CallContext) => {
    await storage.put(`from-lambda/${name}`, `hello ${name}`)
    return storage.listKeys('from-lambda/')
  }
  expect(await fexec.callAsync(write, 'one')).toEqual(['from-lambda/one'])
  const storage = await fexec.storage()
  expect(await storage.get('from-lambda/one', { as: 'text' })).toBe('hello one')
  const { secretAccessKey } = server.part
  const told = aws.requests.filter(request => request.body?.includes(secretAccessKey))
  expect(told.map(({ action }) => action)).toEqual(['lambda:CreateFunction'])
})

server.test('inputs and results that messages cannot carry go through it', async () => {
  await using fexec = await open()
  const size = 7_000_000
  const input = new Uint8Array(size).fill(7)
  const doubled = fexec.callAsync((bytes: Uint8Array) => Buffer.concat([bytes, bytes]), input)
  expect((await doubled).length).toBe(2 * size)
})

server.test('with a monitor activations are events, and a duplicate of each does no harm', async () => {
  const aws = await there.start()
  await using fexec = await open({}, { monitoring: 'storage' })
  expect(await fexec.callAsync(twice, 1)).toBe(2)
  aws.clear()
  const always = { operation: 'Invoke', times: Number.POSITIVE_INFINITY }
  const fault = aws.inject(awsFaults.duplicate(1), always)
  let ended = 0
  const futures = fexec.map(twice, range(20))
  for await (const _ of futures) ended++
  expect(ended).toBe(20)
  expect(await fexec.getResult(futures)).toEqual(range(20).map(twice))
  expect(fault.strikes).toBe(20)
  const invokes = aws.requests.filter(({ action }) => action === 'lambda:Invoke')
  expect(invokes.every(({ headers }) => headers['x-amz-invocation-type'] === 'Event')).toBe(true)
  aws.clear()
})

server.test(
  'a function that is too large for messages goes through the storage, once per environment',
  async () => {
    const aws = await there.start()
    await using fexec = await open({ runtime_memory: 257, max_workers: 1 })
    const { fn, length, remove } = await largeFunction(7 * 1024 * 1024)
    aws.clear()
    expect(await fexec.callAsync(fn, 1)).toBe(length + 1)
    // the environment has it: it is not fetched again
    const storage = await fexec.storage()
    const keys = await storage.listKeys('lithops.functions/')
    expect(keys.length).toBeGreaterThan(0)
    await storage.delete(keys)
    expect(await fexec.getResult(fexec.map(fn, [2, 3]))).toEqual([length + 2, length + 3])
    const sent = aws.requests.filter(({ action }) => action === 'lambda:Invoke')
    expect(sent.every(({ body = Buffer.alloc(0) }) => body.length < 100_000)).toBe(true)
    remove()
  },
)

server.test('an event that fails is not run again by Lambda', async () => {
  const aws = await there.start()
  await using fexec = await open({ invocation: 'async' }, { monitoring: 'storage' })
  const future = fexec.callAsync(() => {
    throw new RangeError('too far')
  }, 0)
  await expect(future.result()).rejects.toThrow(RangeError)
  await expect.poll(() => aws.openEvents, { timeout: 30_000 }).toBe(0)
  const never = fexec.callAsync(() => new Promise(() => setInterval(() => {}, 1000)), 0, { timeoutMs: 500 })
  await expect(never.result()).rejects.toMatchObject({ code: 'LITHOPS_CALL_TIMEOUT' })
})

server.test('asynchronous invocations without a way home are refused before anything is sent', async () => {
  const aws = await there.start()
  await using fexec = await open({ invocation: 'async' }, { monitoring: 'direct' })
  aws.clear()
  await expect(fexec.callAsync(twice, 1).result()).rejects.toMatchObject({ code: 'LITHOPS_NO_WAY_HOME' })
  expect(aws.counts['lambda:Invoke']).toBeUndefined()
})
