import { PassThrough, Readable } from 'node:stream'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { StorageError } from '../errors/index.ts'
import { blocksOf, StreamBody } from './storage-body.ts'
import { bareCause, describePlace, retryAfterMs } from './storage-checks.ts'

const place = { operation: 'get', bucket: 'data', key: 'k', region: 'north' }
const bytesOf = (text: string) => new TextEncoder().encode(text)

function bodyOf(source: Readable, expectedBytes: number, signal?: AbortSignal) {
  const translate = (error: unknown) => new StorageError('translated', { cause: error, isRetryable: true })
  return new StreamBody(source, { place, expectedBytes, signal, translate })
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

test('a body gives its bytes and frees its source', async () => {
  const source = Readable.from([Buffer.from('one '), Buffer.from('two')])
  expect(Buffer.from(await bodyOf(source, 7).bytes()).toString()).toBe('one two')
  expect(source.destroyed).toBe(true)
})

test('a body that ends too early, or goes on too long, is a retryable error that tells how far it came', async () => {
  for (const expected of [10, 3]) {
    const source = Readable.from([Buffer.from('seven b')])
    const error = await collect(bodyOf(source, expected)).catch(e => e)
    expect(error).toMatchObject({
      code: 'LITHOPS_STORAGE',
      isRetryable: true,
      details: place,
      message: `get 'k' in bucket 'data' (north): the connection ended after 7 of ${expected} bytes`,
    })
  }
})

test('a body whose source breaks gives the translated error after the bytes that came', async () => {
  const source = new PassThrough()
  const body = bodyOf(source, 10)
  source.write('abc')
  const iterator = body[Symbol.asyncIterator]()
  expect((await iterator.next()).value).toEqual(Buffer.from('abc'))
  source.destroy(new Error('ECONNRESET'))
  await expect(iterator.next()).rejects.toMatchObject({ message: 'translated' })
})

test('a body that is left or aborted frees its source, also before anything was read', async () => {
  const left = new PassThrough()
  await bodyOf(left, 10)[Symbol.asyncIterator]().return?.()
  expect(left.destroyed).toBe(true)

  const controller = new AbortController()
  const waiting = new PassThrough()
  const reading = collect(bodyOf(waiting, 10, controller.signal))
  const reason = new DOMException('enough', 'AbortError')
  controller.abort(reason)
  await expect(reading).rejects.toBe(reason)
  expect(waiting.destroyed).toBe(true)
})

test('blocks have the asked size, whatever the pieces', async () => {
  const text = 'abcdefghijklmnopqrstuvwxyz'
  for (const pieceSize of [1, 3, 5, 26, 100]) {
    const pieces = []
    for (let at = 0; at < text.length; at += pieceSize) pieces.push(bytesOf(text.slice(at, at + pieceSize)))
    const blocks = await collect(blocksOf(Readable.from(pieces), 5, { place }))
    expect(blocks.map(block => Buffer.from(block).toString())).toEqual([
      'abcde',
      'fghij',
      'klmno',
      'pqrst',
      'uvwxy',
      'z',
    ])
  }
  const growing = await collect(blocksOf(Readable.from([bytesOf(text)]), index => index + 1, { place }))
  expect(growing.map(block => block.length)).toEqual([1, 2, 3, 4, 5, 6, 5])
  expect(await collect(blocksOf(Readable.from([new Uint8Array()]), 5, { place }))).toEqual([])
})

test('a block does not change when the source reuses its memory', async () => {
  async function* reusing() {
    const memory = new Uint8Array(2)
    for (const byte of [1, 2]) yield memory.fill(byte)
  }
  expect(await collect(blocksOf(reusing(), 2, { place }))).toEqual([
    new Uint8Array([1, 1]),
    new Uint8Array([2, 2]),
  ])
})

test('blocks end at once when aborted although the source waits, and end the source', async () => {
  const controller = new AbortController()
  let isEnded = false
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: async () => {
        isEnded = true
        return { done: true, value: undefined }
      },
    }),
  }
  const reading = collect(blocksOf(source, 5, { place, signal: controller.signal }))
  controller.abort('enough')
  await expect(reading).rejects.toBe('enough')
  expect(isEnded).toBe(true)
})

test('blocks give the error of the source as it is, and refuse what is no bytes', async () => {
  const failure = new Error('the source broke')
  async function* failing() {
    yield bytesOf('a')
    throw failure
  }
  await expect(collect(blocksOf(failing(), 1, { place }))).rejects.toBe(failure)
  await expect(collect(blocksOf(Readable.from(['text']) as never, 1, { place }))).rejects.toThrow(
    "get 'k' in bucket 'data' (north): a stream of Uint8Array is needed, not of string",
  )
})

test('a place says where it is', () => {
  expect(describePlace(place)).toBe("get 'k' in bucket 'data' (north)")
  expect(describePlace({ operation: 'list', bucket: 'data' })).toBe("list bucket 'data'")
})

test('a bare cause keeps what tells and drops what holds credentials', () => {
  const inner = Object.assign(new TypeError('inner'), { config: { token: 'SECRET' } })
  const error = Object.assign(new RangeError('refused', { cause: inner }), {
    code: 'AuthenticationFailed',
    statusCode: 403,
    request: { headers: { authorization: 'SECRET' } },
  })
  const bare = bareCause(error) as Error
  expect(bare).toMatchObject({
    name: 'RangeError',
    message: 'refused',
    code: 'AuthenticationFailed',
    statusCode: 403,
  })
  expect(bare.stack).toBe(error.stack)
  expect(inspect(bare, { depth: 9 })).toContain('inner')
  expect(inspect(bare, { depth: 9, showHidden: true })).not.toContain('SECRET')
  expect(bareCause('text')).toBeUndefined()
})

test('Retry-After has seconds or a date', () => {
  expect(retryAfterMs('2')).toBe(2000)
  expect(retryAfterMs('Tue, 24 Nov 2026 08:00:05 GMT', Date.UTC(2026, 10, 24, 8, 0, 0))).toBe(5000)
  expect(retryAfterMs('Tue, 24 Nov 2026 07:00:00 GMT', Date.UTC(2026, 10, 24, 8, 0, 0))).toBe(0)
  expect([retryAfterMs(undefined), retryAfterMs(''), retryAfterMs('soon')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})
