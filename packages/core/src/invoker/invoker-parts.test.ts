import { describe, expect, test } from 'vitest'
import { CallOutOfMemoryError, CallTimeoutError, InvocationError, WorkerLostError } from '../errors/index.ts'
import { type Call, EncodedInput } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import { InputKind } from '../worker/protocol.ts'
import { adaptiveGroupSize, handBackAfterMs, isSentAhead } from './group-size.ts'
import { mayRunAgain, retryDelayMs } from './retry-policy.ts'

const job = (state: Partial<Job>) => ({ readyCount: 10_000, largestGroup: 0, options: {}, ...state }) as Job
const call = () => ({ infrastructureFaults: 0, userFailures: 0 }) as Call

describe('how many calls go into an activation', () => {
  test('one, until the time of a call is known, and for calls that take long', () => {
    expect(adaptiveGroupSize(job({}), 2)).toBe(1)
    expect(adaptiveGroupSize(job({ meanCallMs: 50 }), 2)).toBe(1)
  })

  test('it grows by doubling up to what takes a few milliseconds', () => {
    expect(adaptiveGroupSize(job({ meanCallMs: 0.001, largestGroup: 1 }), 2)).toBe(2)
    expect(adaptiveGroupSize(job({ meanCallMs: 0.001, largestGroup: 64 }), 2)).toBe(128)
    expect(adaptiveGroupSize(job({ meanCallMs: 0.001, largestGroup: 4096 }), 2)).toBe(512)
    expect(adaptiveGroupSize(job({ meanCallMs: 1, largestGroup: 512 }), 2)).toBe(4)
  })

  test('no worker takes more than a fair share of what is left', () => {
    expect(adaptiveGroupSize(job({ meanCallMs: 0.001, largestGroup: 512, readyCount: 10 }), 2)).toBe(3)
  })

  test('activations of some milliseconds are sent ahead, except the last of a job', () => {
    expect(isSentAhead(job({}), 2)).toBe(false)
    expect(isSentAhead(job({ meanCallMs: 50, readyCount: 7 }), 2)).toBe(true)
    expect(isSentAhead(job({ meanCallMs: 50, readyCount: 6 }), 2)).toBe(false)
    expect(isSentAhead(job({ meanCallMs: 0.1, readyCount: 1 }), 2)).toBe(true)
    expect(isSentAhead(job({ meanCallMs: 1000 }), 2)).toBe(false)
    expect(isSentAhead(job({ meanCallMs: 50, options: { chunksize: 10 } as Job['options'] }), 2)).toBe(false)
  })

  test('calls of small objects come in groups though they take long, and have longer until they are handed back', () => {
    const small = { input: new EncodedInput(InputKind.piece, new Uint8Array(0), [], true) } as Call
    const slow = { meanCallMs: 20, largestGroup: 1, readyCount: 400 } as Job
    expect(adaptiveGroupSize(slow, 2)).toBe(1)
    expect(adaptiveGroupSize(slow, 2, small)).toBe(100)
    expect(adaptiveGroupSize({ ...slow, readyCount: 1e6 } as Job, 2, small)).toBe(128)
    expect(handBackAfterMs(2, small)).toBeGreaterThan(handBackAfterMs(2))
  })

  test('only groups are handed back', () => {
    expect([handBackAfterMs(1), handBackAfterMs(2) > 0]).toEqual([0, true])
  })
})

describe('what is run again', () => {
  const budget = { infrastructure: 2, user: 1 }

  test('lost workers, within the budget of the infrastructure', () => {
    const lost = call()
    const answers = [1, 2, 3].map(() => mayRunAgain(lost, new WorkerLostError('x'), budget))
    expect(answers).toEqual([true, true, false])
  })

  test('timeouts and user errors, within the budget of the user', () => {
    const late = call()
    expect(mayRunAgain(late, new CallTimeoutError('x'), budget)).toBe(true)
    expect(mayRunAgain(late, new Error('x'), budget)).toBe(false)
  })

  test('memory uses up three; what is not retryable is final', () => {
    expect(
      mayRunAgain(call(), new CallOutOfMemoryError('x', { isRetryable: true }), {
        infrastructure: 5,
        user: 0,
      }),
    ).toBe(true)
    expect(mayRunAgain(call(), new CallOutOfMemoryError('x', { isRetryable: true }), budget)).toBe(false)
    expect(mayRunAgain(call(), new InvocationError('x', { isRetryable: false }), budget)).toBe(false)
  })

  test('pauses grow, with jitter, unless the platform says how long', () => {
    const refused = { ...call(), infrastructureFaults: 3 } as Call
    expect(retryDelayMs(refused, new InvocationError('x'), () => 1)).toBe(800)
    expect(retryDelayMs(refused, new InvocationError('x'), () => 0)).toBe(400)
    expect(retryDelayMs(refused, new InvocationError('x', { details: { retryAfterMs: 7 } }))).toBe(7)
  })
})
