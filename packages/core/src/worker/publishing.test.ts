import { expect, test } from 'vitest'
import { CALLS_PER_BLOCK, type PublishedCalls, type StatusPublisher } from '../driver/monitor.ts'
import { Publishing } from './publishing.ts'

const job = { executorId: 'e-1', jobId: 'M001' }

function publisher(publish: () => Promise<void> = async () => {}) {
  const published: (PublishedCalls & { readonly bytes: number })[] = []
  let isClosed = false
  const half: StatusPublisher = {
    publish: async (frames, _job, calls) => {
      await publish()
      published.push({ ...calls, bytes: frames.length })
    },
    close: async () => {
      isClosed = true
    },
  }
  return { half, published, isClosed: () => isClosed }
}

const frames = (bytes: number) => new Uint8Array(bytes)

test('calls that end one after the other are published together, never over the border of a block', async () => {
  const { half, published } = publisher()
  const publishing = new Publishing(half, job)
  for (let callId = CALLS_PER_BLOCK - 3; callId < CALLS_PER_BLOCK + 2; callId++)
    publishing.add(frames(10), { callId, attempt: 0 })
  await publishing.close()
  expect(published).toEqual([
    { callId: CALLS_PER_BLOCK - 3, lastCallId: CALLS_PER_BLOCK - 1, attempt: 0, bytes: 30 },
    { callId: CALLS_PER_BLOCK, lastCallId: CALLS_PER_BLOCK + 1, attempt: 0, bytes: 20 },
  ])
})

test('what comes while one publishing is under way joins the next', async () => {
  let release = () => {}
  const { half, published } = publisher(() => new Promise(resolve => (release = resolve)))
  const publishing = new Publishing(half, job)
  publishing.add(frames(300_000), { callId: 0, attempt: 0 })
  await new Promise(setImmediate)
  publishing.add(frames(1), { callId: 1, attempt: 0 })
  publishing.add(frames(1), { callId: 2, attempt: 1 })
  expect(published).toEqual([])
  release()
  const flushed = publishing.flush()
  await new Promise(setImmediate)
  release()
  await flushed
  expect(published.map(({ callId, lastCallId }) => [callId, lastCallId])).toEqual([
    [0, 0],
    [1, 2],
  ])
})

test('a publishing that fails fails the activation: at the next call, and at its end', async () => {
  const { half, isClosed } = publisher(async () => {
    throw new Error('no way home')
  })
  const publishing = new Publishing(half, job)
  publishing.add(frames(1), { callId: 0, attempt: 0 })
  await expect(publishing.flush()).rejects.toThrow('no way home')
  expect(() => publishing.check()).toThrow('no way home')
  await expect(publishing.close()).rejects.toThrow('no way home')
  expect(isClosed()).toBe(true)
})

test('a real-time publisher gets what is told in one turn at once, and gathers only while it is busy', async () => {
  let release = () => {}
  const { half, published } = publisher(() => new Promise(resolve => (release = resolve)))
  const publishing = new Publishing({ ...half, isRealTime: true }, job)
  publishing.add(frames(1), { callId: 0, attempt: 0 })
  publishing.add(frames(1), { callId: 1, attempt: 0 })
  await new Promise(setImmediate)
  publishing.add(frames(2), { callId: 2, attempt: 0 })
  publishing.add(frames(2), { callId: 3, attempt: 0 })
  expect(published).toEqual([])
  release()
  await new Promise(setImmediate)
  release()
  await publishing.flush()
  expect(published.map(({ callId, lastCallId, bytes }) => [callId, lastCallId, bytes])).toEqual([
    [0, 1, 2],
    [2, 3, 4],
  ])
})

test('no publishing is larger than the limit where the parts of it are not', async () => {
  const { half, published } = publisher()
  const publishing = new Publishing({ ...half, limit: { bytes: 100 } }, job)
  for (let callId = 0; callId < 5; callId++) publishing.add(frames(40), { callId, attempt: 0 })
  await publishing.close()
  expect(published.map(({ bytes }) => bytes)).toEqual([80, 80, 40])
})

test('what could not be published is given back, also what came after it', async () => {
  const { half } = publisher(async () => {
    throw new Error('no way home')
  })
  const publishing = new Publishing(half, job)
  publishing.add(frames(1), { callId: 0, attempt: 0 })
  await expect(publishing.flush()).rejects.toThrow('no way home')
  publishing.add(frames(2), { callId: 1, attempt: 0 })
  publishing.add(frames(3), { callId: CALLS_PER_BLOCK, attempt: 0 })
  await expect(publishing.close()).rejects.toThrow('no way home')
  expect(publishing.takeUnpublished().map(part => part.length)).toEqual([1, 2, 3])
  expect(publishing.takeUnpublished()).toEqual([])
})
