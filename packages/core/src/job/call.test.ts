import { expect, test } from 'vitest'
import { encodeError } from '../codec/error.ts'
import { Outcome } from '../worker/protocol.ts'
import type { EndedFrame } from '../worker/reply-frames.ts'
import { Call } from './call.ts'
import type { Job } from './job.ts'

const job = { classes: undefined, localError: (error: unknown) => error } as unknown as Job

const failedWith = (bytes: Uint8Array) => {
  const call = new Call(job, 0, undefined)
  call.failRemotely({ outcome: Outcome.error, bytes, start: 0, end: bytes.length } as EndedFrame)
  return call
}

test('the error of a call is decoded once, when somebody asks', () => {
  const call = failedWith(encodeError(new RangeError('too far')))
  expect(call.error).toEqual(new RangeError('too far'))
  expect(call.error).toBe(call.error)
})

test('bytes that are no error give one that says so, and do not break who asks', () => {
  const call = failedWith(new Uint8Array([255, 255, 255, 255, 255]))
  expect(call.error).toBeInstanceOf(Error)
  expect(call.error).toBe(call.error)
})
