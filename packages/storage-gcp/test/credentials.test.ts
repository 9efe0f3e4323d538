/** All ways to be let in, and what happens to those who are not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { StorageAccessError, type StorageBackend, StorageError } from '@lithops/core/driver'
import { cutResponse, FaultProxy, gcsError } from '@lithops/fake-clouds/fault-proxy'
import { afterEach, expect, vi } from 'vitest'
import { openStorage } from './open-storage.ts'
import { withFakeGcs } from './with-fake-gcs.ts'

const server = withFakeGcs()
const { test } = server
const BUCKET = 'credentials'
const bytes = new Uint8Array([1, 2, 3])

afterEach(() => {
  vi.unstubAllEnvs()
  server.fake.accounts.clockOffsetMs = 0
})

async function works(storage: StorageBackend): Promise<void> {
  await storage.putObject(BUCKET, 'a b', bytes)
  await storage.putObject(BUCKET, 'a b', bytes)
  expect(await storage.bucketExists(BUCKET)).toBe(true)
  await storage.copyObject?.({ bucket: BUCKET, key: 'a b' }, { bucket: BUCKET, key: 'copy' })
  expect(await storage.getObject(BUCKET, 'copy')).toEqual(bytes)
  await storage.deleteObjects(BUCKET, ['a b', 'copy'])
  for await (const { key } of storage.listObjects(BUCKET)) expect(key).toBe('nothing')
}

async function refused(work: Promise<unknown>): Promise<StorageError> {
  const error = await work.catch((reason: unknown) => reason)
  expect(StorageAccessError.isInstance(error), inspect(error)).toBe(true)
  expect((error as StorageError).isRetryable).toBe(false)
  return error as StorageError
}

test('the four rights of the documentation are enough for objects, and not for buckets', async () => {
  await (await server.open()).createBucket(BUCKET)
  const account = server.fake.account([
    'storage.objects.create',
    'storage.objects.delete',
    'storage.objects.get',
    'storage.objects.list',
  ])
  const storage = await server.open({ credentials: account.keyFile })
  await works(storage)
  const error = await refused(storage.createBucket('another'))
  expect(error.message).toContain('lack the right to create')
  expect(error.message).toContain('storage.buckets.create')
  await storage.close()
})

test('a key may be a file, of the config or of the environment, and its path is no secret', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lithops-gcp-'))
  const file = path.join(folder, 'key.json')
  const { endpoint, owner } = server.fake
  await writeFile(file, owner.keyFile)
  await (await server.open()).createBucket(BUCKET)
  const ofConfig = await openStorage({ endpoint, credentials_path: file })
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file)
  const ofEnvironment = await openStorage({ endpoint })
  for (const storage of [ofConfig, ofEnvironment]) {
    await works(storage)
    expect(storage.workerSecrets?.()).toEqual({ credentials: owner.keyFile })
    expect(JSON.stringify(storage.workerConfig())).not.toContain(folder)
    // what a worker has: the config it was told, and the secrets that were placed
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '')
    const worker = await openStorage({ ...storage.workerConfig(), ...storage.workerSecrets?.() })
    await works(worker)
    expect(worker.workerConfig()).toEqual(storage.workerConfig())
    await worker.close()
    await storage.close()
  }
  await rm(folder, { recursive: true })
})

test('one token serves many requests, and one that was withdrawn is replaced', async () => {
  const storage = await server.open()
  await storage.createBucket(BUCKET)
  const { accounts } = server.fake
  const before = accounts.tokenCount
  await Promise.all([1, 2, 3, 4].map(i => storage.putObject(BUCKET, `${i}`, bytes)))
  expect(accounts.tokenCount).toBe(before)
  accounts.revoke()
  expect(await storage.getObject(BUCKET, '1')).toEqual(bytes)
  expect(accounts.tokenCount).toBe(before + 1)
  await storage.deleteObjects(BUCKET, ['1', '2', '3', '4'])
  await storage.close()
})

test('a clock that is off is told', async () => {
  for (const offsetMs of [-3 * 3600_000, 3 * 3600_000]) {
    server.fake.accounts.clockOffsetMs = offsetMs
    const storage = await server.open()
    const error = await refused(storage.getObject(BUCKET, 'k'))
    expect(error.message).toContain('set the clock')
    await storage.close()
  }
})

test('a token endpoint that is not there, or breaks, is a fault that may pass', async () => {
  await using proxy = await FaultProxy.start({ target: server.fake.endpoint })
  const cuts = proxy.inject(cutResponse(10), { times: Number.POSITIVE_INFINITY })
  for (const token_uri of ['http://127.0.0.1:9/token', `${proxy.url}/token`]) {
    const keyFile = { ...JSON.parse(server.fake.owner.keyFile), token_uri }
    const storage = await server.open({ credentials: JSON.stringify(keyFile) })
    const error = await storage.getObject(BUCKET, 'k').catch((reason: unknown) => reason)
    expect(StorageError.isInstance(error) && error.isRetryable, inspect(error)).toBe(true)
    expect(String(error)).toContain('no token could be had')
    await storage.close()
  }
  expect(cuts.strikes).toBeGreaterThan(0)
})

test('without credentials an emulator is asked as anybody, and a service that wants some says so', async () => {
  vi.stubEnv('STORAGE_EMULATOR_HOST', server.fake.endpoint)
  const storage = await openStorage({})
  expect(storage.capabilities.presignedUrls).toBe(false)
  expect(storage.workerSecrets?.()).toEqual({})
  const error = await refused(storage.getObject(BUCKET, 'k'))
  expect(error.message).toContain('give credentials_path')
  await storage.close()
})

test('a bucket of somebody else is told apart from one of our own', async () => {
  await using proxy = await FaultProxy.start({ target: server.fake.endpoint })
  const storage = await server.open({ endpoint: proxy.url })
  await storage.createBucket('ours')
  await storage.createBucket('ours')
  expect(server.fake.bucketSettings.get('ours')).toMatchObject({
    location: 'europe-west1',
    iamConfiguration: { uniformBucketLevelAccess: { enabled: true } },
    softDeletePolicy: { retentionDurationSeconds: '0' },
  })
  proxy.inject(gcsError(403, 'forbidden', 'no access'), { method: 'GET', url: /maxResults=1/ })
  await expect(storage.createBucket('ours')).rejects.toThrow('choose another storage_bucket')
  await storage.close()
})

test('signed URLs read and write until they expire, and are for one object', async () => {
  const storage = await server.open()
  await storage.createBucket(BUCKET)
  const sign = (method: 'GET' | 'PUT', key: string, expiresInMs = 60_000) =>
    storage.presignUrl?.(BUCKET, key, { method, expiresInMs }) ?? Promise.reject(new Error('none'))
  const key = 'ünï/漢字 +%?#'
  const put = await fetch(await sign('PUT', key), { method: 'PUT', body: bytes })
  expect(put.status).toBe(200)
  const url = await sign('GET', key, 7 * 24 * 3600_000)
  expect(new Uint8Array(await (await fetch(url)).arrayBuffer())).toEqual(bytes)
  expect((await fetch(url, { method: 'PUT', body: bytes })).status).toBe(403)
  expect((await fetch(url.replace(encodeURIComponent('漢'), 'x'))).status).toBe(403)
  server.fake.accounts.clockOffsetMs = 8 * 24 * 3600_000
  expect((await fetch(url)).status).toBe(400)
  await expect(sign('GET', key, 7 * 24 * 3600_000 + 1)).rejects.toThrow('up to 7 days')
  await expect(sign('GET', 'a/../b')).rejects.toThrow('another object')
  server.fake.accounts.clockOffsetMs = 0
  await storage.deleteObject(BUCKET, key)
  await storage.close()
})
