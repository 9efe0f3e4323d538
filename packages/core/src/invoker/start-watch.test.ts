import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Call } from '../job/call.ts'
import type { AwaitedCalls } from './overdue.ts'
import { StartWatch } from './start-watch.ts'

const WAIT_MS = 360_000

class Sent implements AwaitedCalls {
  readonly openCalls = [{} as Call]
  openCount = 1
  begunAtMs: number | undefined
  constructor(readonly id: string) {}
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

function watch() {
  const lost: string[] = []
  const watched = new StartWatch(({ id }) => lost.push(id))
  const begin = (sent: Sent) => {
    sent.begunAtMs = performance.now()
    watched.begun(sent)
  }
  return { lost, watched, begin }
}

test('what is not begun while nothing runs is lost, once', () => {
  const { lost, watched } = watch()
  watched.add(new Sent('alone'), WAIT_MS)
  vi.advanceTimersByTime(WAIT_MS)
  expect(lost).toEqual([])
  vi.advanceTimersByTime(WAIT_MS / 4)
  expect(lost).toEqual(['alone'])
  vi.advanceTimersByTime(10 * WAIT_MS)
  expect(lost).toEqual(['alone'])
  expect(vi.getTimerCount()).toBe(0)
})

test('each is waited for as long as it may take', () => {
  const { lost, watched } = watch()
  watched.add(new Sent('again'), 2 * WAIT_MS)
  watched.add(new Sent('first'), WAIT_MS)
  vi.advanceTimersByTime(1.4 * WAIT_MS)
  expect(lost).toEqual(['first'])
  vi.advanceTimersByTime(WAIT_MS)
  expect(lost).toEqual(['first', 'again'])
})

test('what waits while as many run as ever is not', () => {
  const { lost, watched, begin } = watch()
  const [first, second, waits] = [new Sent('first'), new Sent('second'), new Sent('waits')]
  for (const sent of [first, second, waits]) watched.add(sent, WAIT_MS)
  begin(first)
  begin(second)
  vi.advanceTimersByTime(5 * WAIT_MS)
  expect(lost).toEqual([])
  // from now on there is room
  second.openCount = 0
  vi.advanceTimersByTime(WAIT_MS)
  expect(lost).toEqual([])
  vi.advanceTimersByTime(WAIT_MS / 4)
  expect(lost).toEqual(['waits'])
})

test('as long as others begin, all may still wait', () => {
  const { lost, watched, begin } = watch()
  watched.add(new Sent('waits'), WAIT_MS)
  for (let i = 0; i < 10; i++) {
    const other = new Sent(`other ${i}`)
    watched.add(other, WAIT_MS)
    vi.advanceTimersByTime(WAIT_MS / 2)
    begin(other)
    other.openCount = 0
  }
  expect(lost).toEqual([])
  vi.advanceTimersByTime(2 * WAIT_MS)
  expect(lost).toEqual(['waits'])
})

test('what ends without a word before is not lost', () => {
  const { lost, watched } = watch()
  const quick = new Sent('quick')
  watched.add(quick, WAIT_MS)
  quick.openCount = 0
  vi.advanceTimersByTime(3 * WAIT_MS)
  expect(lost).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

test('nothing is watched after its end', () => {
  const { lost, watched } = watch()
  watched.add(new Sent('one'), WAIT_MS)
  watched.close()
  vi.advanceTimersByTime(3 * WAIT_MS)
  expect(lost).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})
