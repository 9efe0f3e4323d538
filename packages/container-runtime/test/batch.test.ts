import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FunctionExecutor } from '@lithops/core'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { afterAll, expect, test } from 'vitest'
import { batchVariables, encodeBatch, packBatch } from '../src/index.ts'
import { BatchPlatform, type PlaceBatch } from './batch-platform.ts'
import { WorkerProgram } from './worker-program.ts'

const once = { retries: { infrastructure: 0, user: 0 } } as const
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-batch-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const server = withRealPart(minio)

/** Jobs whose calls are told by storage, on a platform of array jobs. */
async function withPlatform(
  place: (fexec: () => FunctionExecutor) => PlaceBatch,
  use: (fexec: FunctionExecutor, platform: BatchPlatform) => Promise<void>,
): Promise<void> {
  const { endpoint, accessKeyId: access_key_id, secretAccessKey: secret_access_key } = server.part
  const platform: BatchPlatform = new BatchPlatform(
    folder,
    place(() => fexec),
  )
  const fexec: FunctionExecutor = new FunctionExecutor({
    backend: platform,
    storage: 'minio',
    monitoring: 'storage',
    config: { minio: { endpoint, access_key_id, secret_access_key, storage_bucket: 'batch' } },
  })
  try {
    await use(fexec, platform)
  } finally {
    await fexec.close()
    await platform.close()
  }
}

/** As a mounted file. */
const inFile = (): PlaceBatch => async (name, batch) => {
  const file = path.join(folder, name)
  writeFileSync(file, batch)
  return { file }
}

const exitCodes = (platform: BatchPlatform) =>
  Promise.all(platform.workers.map(async worker => (await worker.exited).code))

server.test('each worker takes its part of a batch by its index, from a file, and tells by the monitor', () =>
  withPlatform(inFile, async (fexec, platform) => {
    const futures = fexec.map(
      (x: number) => (x === 3 ? Promise.reject(new RangeError('no')) : x * 2),
      [1, 2, 3, 4],
      {
        ...once,
        chunksize: 2,
      },
    )
    expect(await fexec.getResult(futures, { throwExcept: false })).toEqual([2, 4, undefined, 8])
    expect(futures[2]?.error).toBeInstanceOf(RangeError)
    expect(await exitCodes(platform)).toEqual([0, 0])
  }),
)

server.test('a batch lies in storage, which the worker opens with its secrets', async () => {
  const { endpoint } = server.part
  const place =
    (fexec: () => FunctionExecutor): PlaceBatch =>
    async (key, batch, [secrets]) => {
      const storage = await fexec().storage()
      await storage.put(key, batch)
      const { bucket } = storage
      return { key, storage: { name: 'minio', bucket, config: { endpoint }, secretsId: secrets?.storageId } }
    }
  await withPlatform(place, async (fexec, platform) => {
    const future = fexec.callAsync((x: number) => x + 1, 1, once)
    expect(await future).toBe(2)
    expect(await exitCodes(platform)).toEqual([0])
  })
})

server.test('a batch lies in the environment, in several variables, which functions do not see', () => {
  const inEnvironment = (): PlaceBatch => async (_, batch) => {
    const { LITHOPS_BATCH: place = '', ...parts } = batchVariables(await packBatch(batch), 200)
    expect(Object.keys(parts).length).toBeGreaterThan(1)
    return { ...JSON.parse(place), parts }
  }
  return withPlatform(inEnvironment, async (fexec, platform) => {
    const look = (x: number) => [x, Object.keys(process.env).filter(name => /BATCH_\d/.test(name))] as const
    expect(await fexec.getResult(fexec.map(look, [1, 2], once))).toEqual([
      [1, []],
      [2, []],
    ])
    expect(await exitCodes(platform)).toEqual([0, 0])
  })
})

server.test('what a function does to its process is not taken for success', () =>
  withPlatform(inFile, async (fexec, platform) => {
    const exits = fexec.callAsync(() => process.exit(0), 0, once)
    await expect.poll(() => platform.workers.length, { timeout: 20_000 }).toBe(1)
    expect(await exitCodes(platform)).toEqual([70])
    exits.cancel()
  }),
)

server.test('a call over its timeout is told, and the calls behind it are run by others', () =>
  withPlatform(inFile, async (fexec, platform) => {
    const stay = (x: number) => (x === 0 ? new Promise<number>(() => setInterval(() => {}, 1000)) : x)
    const futures = fexec.map(stay, [0, 1], { ...once, chunksize: 2, timeoutMs: 300 })
    expect(await fexec.getResult(futures, { throwExcept: false })).toEqual([undefined, 1])
    expect(futures[0]?.error).toMatchObject({ code: 'LITHOPS_CALL_TIMEOUT' })
    expect(await exitCodes(platform)).toEqual([0, 0])
  }),
)

const batch = path.join(folder, 'some-batch')
writeFileSync(batch, encodeBatch([Buffer.from('LT')]))
const file = JSON.stringify({ file: batch })

test.each([
  [{ JOB_INDEX: '0' }, 'LITHOPS_BATCH, which says where the batch lies, is not set'],
  [{ JOB_INDEX: '0', LITHOPS_BATCH: '{' }, 'LITHOPS_BATCH is no JSON'],
  [{ JOB_INDEX: '0', LITHOPS_BATCH: '{"key":"x"}' }, 'neither a file nor a storage and a key'],
  [
    { JOB_INDEX: '0', LITHOPS_BATCH: '{"variables":1}' },
    'LITHOPS_BATCH_0, which has a part of the batch, is not set',
  ],
  [{ LITHOPS_BATCH: file }, 'does not know its index: none of LITHOPS_BATCH_INDEX, JOB_INDEX'],
  [{ LITHOPS_BATCH: file, CLOUD_RUN_TASK_INDEX: 'x' }, 'CLOUD_RUN_TASK_INDEX is "x"'],
  [{ LITHOPS_BATCH: file, JOB_COMPLETION_INDEX: '1' }, 'The batch has 1 activations, and none of index 1'],
  [{ LITHOPS_BATCH: file, JOB_INDEX: '0' }, 'activation message'],
  [{ LITHOPS_BATCH: JSON.stringify({ file: import.meta.filename }), JOB_INDEX: '0' }, 'is not one'],
  [{ LITHOPS_BATCH: '{"file":"/no/such"}', JOB_INDEX: '0' }, 'ENOENT'],
])('%o ends with a reason', async (environment, reason) => {
  const program = new WorkerProgram(environment as Record<string, string>, { args: ['batch'] })
  expect(await program.exited).toMatchObject({ code: 1 })
  expect(program.log).toContain('lithops worker: ')
  expect(program.log).toContain(reason)
})

test('an argument that it does not know ends with a reason', async () => {
  const program = new WorkerProgram({}, { args: ['batsch'] })
  expect(await program.exited).toMatchObject({ code: 1 })
  expect(program.log).toContain("knows the arguments 'batch' and 'metadata', and not \"batsch\"")
})
