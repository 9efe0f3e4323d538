import { expect, test } from 'vitest'
import { MemoryStorage } from '../testing/memory-storage.ts'
import { Storage } from './storage.ts'
import { untilAborted } from './until-aborted.ts'

test('items come as they are, and the source is left when the loop is', async () => {
  let left = 0
  async function* source() {
    try {
      yield* [1, 2, 3]
    } finally {
      left++
    }
  }
  const seen: number[] = []
  for await (const item of untilAborted(source(), new AbortController().signal)) seen.push(item)
  expect(seen).toEqual([1, 2, 3])
  for await (const _ of untilAborted(source(), new AbortController().signal)) break
  expect(left).toBe(2)
})

test('a write whose source does not go on is ended by its signal', async () => {
  const controller = new AbortController()
  async function* stuck() {
    yield 'first'
    setImmediate(() => controller.abort(new Error('enough')))
    await new Promise(() => {})
  }
  const storage = new Storage({ backend: new MemoryStorage(), bucket: 'b' })
  await storage.createBucket()
  await expect(storage.put('k', stuck(), { signal: controller.signal })).rejects.toThrow('enough')
  expect(await storage.listKeys()).toEqual([])
  await expect(storage.put('k', stuck(), { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow(
    'before',
  )
})
