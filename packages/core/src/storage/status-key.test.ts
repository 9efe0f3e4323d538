import { expect, test } from 'vitest'
import { framesInKey, statusKey } from './status-key.ts'

const job = { executorId: 'a1b2c3-0', jobId: 'M000' }
const call = { callId: 3, attempt: 0 }
const make = (bytes: number, limits: Parameters<typeof statusKey>[4]) =>
  statusKey(job, call, 'unique', new Uint8Array(bytes).fill(7), limits)

test('small frames lie in the key', () => {
  const { key, body } = make(200, { maxKeyBytes: 1024 })
  expect(body).toHaveLength(0)
  expect(framesInKey(job, key)).toEqual(new Uint8Array(200).fill(7))
})

test('frames that make the key too long are the body', () => {
  const { key, body } = make(800, { maxKeyBytes: 1024 })
  expect(body).toHaveLength(800)
  expect(framesInKey(job, key)).toBeUndefined()
})

test('so are those that make the name of a file too long, where keys are paths', () => {
  const limits = { maxKeyBytes: 1024, maxSegmentBytes: 255 }
  for (let bytes = 100; bytes < 300; bytes++) {
    const { key, body } = make(bytes, limits)
    for (const segment of key.split('/')) expect(segment.length).toBeLessThanOrEqual(255)
    expect(framesInKey(job, key) ?? body).toHaveLength(bytes)
  }
})
