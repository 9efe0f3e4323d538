/** What goes wrong between a program and a real server. */
import { inspect } from 'node:util'
import { Storage } from '@lithops/core'
import {
  ObjectNotFoundError,
  StorageAccessError,
  type StorageBackend,
  StorageError,
} from '@lithops/core/driver'
import { TcpFaultProxy } from '@lithops/fake-clouds/fault-proxy'
import { redis, withRealPart } from '@lithops/fake-clouds/real-parts'
import type { Redis } from 'ioredis'
import { expect } from 'vitest'
import { PART_BYTES } from '../src/limits.ts'
import { openRedis } from '../src/open-redis.ts'
import { openSection, sectionOf } from './open-storage.ts'

const server = withRealPart(redis)
const LIMIT = { timeout: 60_000 }
const BUCKET = 'faults'
const KEY = 'a/b c+%é'

function numbered(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i ^ (i >>> 8) ^ (i >>> 16)) & 0xff
  return bytes
}

/** Comparing millions of bytes one by one takes minutes. */
function same(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length)
  expect(Buffer.compare(actual, expected)).toBe(0)
}

async function* streamOf(bytes: Uint8Array, onPiece: (at: number) => void = () => {}) {
  for (let at = 0; at < bytes.length; at += 1 << 20) {
    onPiece(at)
    yield bytes.subarray(at, at + (1 << 20))
  }
}

/** The storage through a proxy and past it, with a bucket. At the end the server must be empty. */
async function opened() {
  const proxy = await TcpFaultProxy.start({ port: server.part.port })
  const direct = await openSection(sectionOf(server.part))
  const storage = await openSection({ ...sectionOf(server.part), port: proxy.port })
  await direct.createBucket(BUCKET)
  const client = direct.client() as Redis
  const close = async () => {
    for await (const { key } of direct.listObjects(BUCKET)) await direct.deleteObject(BUCKET, key)
    // none of the parts of uploads that failed, nor anything else
    await expect.poll(() => client.keys('*')).toEqual([`lithops:{${BUCKET}}`])
    await storage.close()
    await direct.close()
    await proxy.close()
  }
  return { proxy, direct, storage, client, [Symbol.asyncDispose]: close }
}

/** Asserts the class of an error, that it says where it happened, and that it shows no secret. */
async function rejects(
  promise: Promise<unknown>,
  errorClass: { readonly name: string; isInstance(error: unknown): boolean },
  expected: { readonly isRetryable: boolean; readonly advice?: RegExp },
): Promise<void> {
  const error = (await promise.catch((reason: unknown) => reason)) as StorageError
  expect(errorClass.isInstance(error), inspect(error)).toBe(true)
  expect(error.isRetryable, error.message).toBe(expected.isRetryable)
  const { operation, bucket, region } = error.details
  for (const part of [operation, bucket, region]) expect(error.message).toContain(String(part))
  if (expected.advice !== undefined) expect(error.message).toMatch(expected.advice)
  const shown = inspect(error, { depth: 20, showHidden: true, getters: true }) + JSON.stringify(error)
  for (const secret of [server.part.password, 'wrong-password']) expect(shown).not.toContain(secret)
}

const operations = (storage: StorageBackend, bucket = BUCKET): Record<string, () => Promise<unknown>> => ({
  put: () => storage.putObject(bucket, KEY, numbered(10)),
  get: () => storage.getObject(bucket, KEY),
  stream: () => storage.getObjectStream(bucket, KEY),
  head: () => storage.headObject(bucket, KEY),
  delete: () => storage.deleteObject(bucket, KEY),
  'delete of many': () => storage.deleteObjects(bucket, [KEY]),
  list: async () => {
    for await (const _ of storage.listObjects(bucket));
  },
})

server.test(
  'a missing bucket, and a missing key',
  async () => {
    await using parts = await opened()
    const missing = { isRetryable: false }
    for (const run of Object.values(operations(parts.storage, 'none'))) {
      await rejects(run(), ObjectNotFoundError, { ...missing, advice: /there is no bucket 'none'/ })
    }
    const { get, stream, head } = operations(parts.storage)
    for (const run of [get, stream, head]) {
      await rejects(Promise.resolve(run?.()), ObjectNotFoundError, { ...missing, advice: /no such object/ })
    }
  },
  LIMIT,
)

server.test(
  'credentials that are wrong, or none',
  async () => {
    const { host, port } = server.part
    for (const section of [
      { host, port },
      { host, port, password: 'wrong-password' },
    ]) {
      const storage = await openSection(section)
      for (const run of Object.values(operations(storage))) {
        await rejects(run(), StorageAccessError, {
          isRetryable: false,
          advice: /check username and password/,
        })
      }
      await storage.close()
    }
  },
  LIMIT,
)

server.test(
  'the rights of the README are enough, and with fewer the error says which is missing',
  async () => {
    await using parts = await opened()
    const { client } = parts
    const rights = [
      ...[
        '~lithops:{faults}*',
        '+eval',
        '+evalsha',
        '+exists',
        '+get',
        '+set',
        '+getrange',
        '+unlink',
        '+del',
      ],
      ...['+hmget', '+hset', '+persist', '+copy', '+zadd', '+zrem', '+zrangebylex', '+select'],
    ]
    const { host, port } = server.part
    const password = 'password-of-the-worker'
    await client.call('ACL', 'SETUSER', 'worker', 'on', `>${password}`, ...rights)
    const worker = await openSection({ host, port, username: 'worker', password, db: 0 })
    await worker.createBucket(BUCKET)
    await worker.putObject(BUCKET, KEY, streamOf(numbered(PART_BYTES + 5)))
    await worker.copyObject?.({ bucket: BUCKET, key: KEY }, { bucket: BUCKET, key: 'copy' })
    same(await worker.getObject(BUCKET, 'copy'), numbered(PART_BYTES + 5))
    for await (const { key } of worker.listObjects(BUCKET)) await worker.deleteObject(BUCKET, key)
    await rejects(worker.createBucket('other'), StorageAccessError, { isRetryable: false, advice: /NOPERM/ })
    await worker.close()
    await client.call('ACL', 'DELUSER', 'worker')
  },
  LIMIT,
)

server.test(
  'a connection that is cut while something is under way, and a server that is not there for a while',
  async () => {
    await using parts = await opened()
    const { proxy, direct, storage } = parts
    const bytes = numbered(3_000_000)
    await direct.putObject(BUCKET, KEY, bytes)
    same(await storage.getObject(BUCKET, KEY), bytes)
    for (const afterBytes of [1, 1_000_000, 2_999_999]) {
      const strikes = proxy.strikes
      proxy.inject({ kind: 'cut', direction: 'toClient', afterBytes })
      await rejects(storage.getObject(BUCKET, KEY), StorageError, { isRetryable: true })
      expect(proxy.strikes).toBe(strikes + 1)
    }
    same(await storage.getObject(BUCKET, KEY), bytes)
    proxy.inject({ kind: 'cut', direction: 'toService', afterBytes: 1_000_000 })
    await rejects(storage.putObject(BUCKET, KEY, numbered(2_000_000)), StorageError, { isRetryable: true })
    same(await direct.getObject(BUCKET, KEY), bytes)

    proxy.refuse()
    proxy.cutAll()
    for (const run of Object.values(operations(storage))) {
      await rejects(run(), StorageError, { isRetryable: true })
    }
    proxy.clear()
    const retrying = new Storage({ backend: storage, bucket: BUCKET })
    same(await retrying.get(KEY), bytes)
  },
  LIMIT,
)

server.test(
  'a server that falls silent',
  async () => {
    await using parts = await opened()
    const { proxy } = parts
    const storage = openRedis({ ...sectionOf(server.part), port: proxy.port }, { commandTimeoutMs: 200 })
    await parts.direct.putObject(BUCKET, KEY, numbered(1000))
    await storage.headObject(BUCKET, KEY)
    proxy.inject({ kind: 'stall', direction: 'toClient', afterBytes: 10 })
    await rejects(storage.getObject(BUCKET, KEY), StorageError, { isRetryable: true })
    await storage.close()
  },
  LIMIT,
)

server.test(
  'core reads on where streams were cut',
  async () => {
    await using parts = await opened()
    const { proxy, direct, storage } = parts
    const bytes = numbered(3 * PART_BYTES + 100)
    await direct.putObject(BUCKET, KEY, streamOf(bytes))
    const retrying = new Storage({ backend: storage, bucket: BUCKET, retry: { sleep: async () => {} } })
    proxy.inject({ kind: 'cut', direction: 'toClient', afterBytes: PART_BYTES + 1_000_000 })
    const pieces: Uint8Array[] = []
    for await (const piece of await retrying.get(KEY, { as: 'stream' })) pieces.push(piece)
    expect(Buffer.compare(Buffer.concat(pieces), bytes)).toBe(0)
    expect(proxy.strikes).toBe(1)
    const range = { start: PART_BYTES - 5, end: 2 * PART_BYTES + 5 }
    same(await retrying.get(KEY, { range }), bytes.slice(range.start, range.end))
  },
  LIMIT,
)

server.test(
  'a stream of an object that is replaced meanwhile is an error, and a whole read is of one version',
  async () => {
    await using parts = await opened()
    const { storage } = parts
    const versions = [numbered(2 * PART_BYTES + 1), numbered(3 * PART_BYTES + 2)]
    await storage.putObject(BUCKET, KEY, versions[0] as Uint8Array)
    const { body } = await storage.getObjectStream(BUCKET, KEY)
    const reading = (async () => {
      for await (const _ of body) await storage.putObject(BUCKET, KEY, versions[1] as Uint8Array)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_CHANGED' })
    await storage.putObject(BUCKET, KEY, versions[0] as Uint8Array)
    let isWriting = true
    const write = async () => {
      for (let i = 0; i < 6; i++) await storage.putObject(BUCKET, KEY, versions[i % 2] as Uint8Array)
      isWriting = false
    }
    const retrying = new Storage({ backend: storage, bucket: BUCKET })
    const read = async () => {
      while (isWriting) {
        const found = await retrying.get(KEY)
        const same = versions.find(version => version.length === found.length)
        expect(same !== undefined && Buffer.compare(found, same) === 0).toBe(true)
      }
    }
    await Promise.all([write(), read()])
  },
  LIMIT,
)

server.test(
  'uploads of many parts that fail leave nothing, and the old object',
  async () => {
    await using parts = await opened()
    const { proxy, direct, storage } = parts
    const bytes = numbered(5 * PART_BYTES)
    const reason = new Error('the disk is gone')
    const failing = streamOf(bytes, at => {
      if (at > 3 * PART_BYTES) throw reason
    })
    await direct.putObject(BUCKET, KEY, numbered(10))
    await expect(storage.putObject(BUCKET, KEY, failing)).rejects.toBe(reason)
    const controller = new AbortController()
    const aborting = streamOf(bytes, at => {
      if (at > 3 * PART_BYTES) controller.abort(reason)
    })
    const { signal } = controller
    await expect(storage.putObject(BUCKET, KEY, aborting, { signal })).rejects.toBe(reason)
    proxy.inject({ kind: 'cut', direction: 'toService', afterBytes: 2 * PART_BYTES + 1000 })
    await rejects(storage.putObject(BUCKET, KEY, streamOf(bytes)), StorageError, { isRetryable: true })
    same(await direct.getObject(BUCKET, KEY), numbered(10))
    const second = await storage.putObject(BUCKET, KEY, streamOf(bytes), { ifAbsent: true })
    expect(second.created).toBe(false)
  },
  LIMIT,
)

server.test(
  'parts that a killed program leaves are gone after some hours',
  async () => {
    await using parts = await opened()
    const { client, storage } = parts
    let expiries: number[] = []
    async function* watched() {
      yield* streamOf(numbered(3 * PART_BYTES))
      await expect.poll(async () => (await client.keys('*:data:*')).length).toBeGreaterThan(0)
      const keys = await client.keys('*:data:*')
      expiries = await Promise.all(keys.map(key => client.ttl(key)))
    }
    await storage.putObject(BUCKET, KEY, watched())
    expect(expiries.every(seconds => seconds > 3600 && seconds <= 6 * 3600)).toBe(true)
    const kept = await Promise.all((await client.keys('*:data:*')).map(key => client.ttl(key)))
    expect(kept).toEqual([-1, -1, -1])
  },
  LIMIT,
)

server.test(
  'a server without memory says so, and so does one that has thrown bytes away',
  async () => {
    await using parts = await opened()
    const { client, storage } = parts
    await storage.putObject(BUCKET, KEY, numbered(1000))
    await client.config('SET', 'maxmemory', '1')
    try {
      const put = storage.putObject(BUCKET, 'other', numbered(1000))
      await rejects(put, StorageError, { isRetryable: false, advice: /no memory left/ })
    } finally {
      await client.config('SET', 'maxmemory', '0')
    }
    await client.del(...(await client.keys('*:data:*')))
    await rejects(storage.getObject(BUCKET, KEY), StorageError, { isRetryable: false, advice: /noeviction/ })
  },
  LIMIT,
)

server.test(
  'hostile keys, and ten thousand of them',
  async () => {
    await using parts = await opened()
    const { storage } = parts
    const hostile = [
      '/leading',
      '//two',
      '..',
      'a\\b',
      'control\u0001',
      'tab\t',
      '{a}',
      '*?[x]',
      '😀',
      '\ue000',
      'é'.repeat(512),
    ]
    for (const key of hostile) {
      await storage.putObject(BUCKET, key, numbered(3))
      same(await storage.getObject(BUCKET, key), numbered(3))
    }
    for (const key of ['', 'nul\0', 'half \ud800', 'k'.repeat(1025)]) {
      const put = storage.putObject(BUCKET, key, numbered(1))
      await expect(put).rejects.toMatchObject({ code: 'LITHOPS_STORAGE_KEY' })
    }
    await storage.deleteObjects(BUCKET, hostile)
    const keys = Array.from({ length: 10_500 }, (_, i) => `many/${String(i).padStart(5, '0')} +%.txt`)
    await Promise.all(keys.map(key => storage.putObject(BUCKET, key, numbered(1))))
    const listed: string[] = []
    for await (const { key } of storage.listObjects(BUCKET, 'many/')) listed.push(key)
    expect(listed).toEqual(keys)
    await storage.deleteObjects(BUCKET, keys)
  },
  LIMIT,
)
