import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ComputeCapabilities } from '../driver/compute-backend.ts'
import type { Call } from '../job/call.ts'
import { type AwaitedCalls, begunSilenceMs, OverdueWatch, silenceMs } from './overdue.ts'

const HOUR_MS = 3_600_000
const platform = {
  synchronousReply: false,
  maxTimeoutMs: 180_000,
  callsAtOnce: 1,
  maxStartDelayMs: HOUR_MS,
} as ComputeCapabilities
const endless = { count: 1, timeoutMs: Number.POSITIVE_INFINITY }
const silence = {
  callsMs: silenceMs(platform, 'faas', endless),
  begunMs: begunSilenceMs(platform, 'faas', endless),
}

/** Calls of which nothing more will be heard. */
class Silent implements AwaitedCalls {
  readonly openCalls = [{} as Call]
  openCount = 1
  begunAtMs: number | undefined
  constructor(readonly id: string) {}
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

test('calls may be silent for their time, and longer while they may not have begun', () => {
  expect(silence.callsMs).toBe(180_000 + HOUR_MS)
  expect(silence.begunMs).toBe(180_000 + 30_000)
  expect(begunSilenceMs(platform, 'faas', { count: 2, timeoutMs: 1_000 })).toBe(2_000 + 30_000)
})

describe('an activation whose worker', () => {
  const watch = () => {
    const overdue: string[] = []
    return {
      overdue,
      watch: new OverdueWatch({
        overdue: activation => {
          overdue.push(activation.id)
          ;(activation as Silent).openCount = 0 // they are run again elsewhere
        },
        unbegun: () => {},
        unheard: () => {},
        isAnyRunning: () => true,
      }),
    }
  }

  test('told of its beginning is overdue when its time is up', () => {
    const { overdue, watch: watched } = watch()
    const [began, waits] = [new Silent('began'), new Silent('waits')]
    watched.add(waits, silence)
    watched.add(began, silence)
    vi.advanceTimersByTime(60_000)
    began.begunAtMs = performance.now()
    watched.begun(began)
    vi.advanceTimersByTime(silence.begunMs - 1)
    expect(overdue).toEqual([])
    vi.advanceTimersByTime(1)
    expect(overdue).toEqual(['began'])
    vi.advanceTimersByTime(2 * HOUR_MS)
    expect(overdue).toEqual(['began', 'waits'])
  })

  test('began before the platform had said that it took it is no exception', () => {
    const { overdue, watch: watched } = watch()
    const began = new Silent('began')
    began.begunAtMs = performance.now()
    vi.advanceTimersByTime(1_000)
    watched.add(began, silence)
    vi.advanceTimersByTime(silence.begunMs - 1_000)
    expect(overdue).toEqual(['began'])
  })

  test('has ended is forgotten', () => {
    const { overdue, watch: watched } = watch()
    const ended = new Silent('ended')
    watched.add(ended, silence)
    ended.openCount = 0
    vi.advanceTimersByTime(2 * HOUR_MS)
    expect(overdue).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })
})
