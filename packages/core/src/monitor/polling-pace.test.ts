import { expect, test } from 'vitest'
import { PollingPace } from './polling-pace.ts'

async function pauses(tooksMs: readonly number[], openCalls = () => 1) {
  let nowMs = 0
  const pace = new PollingPace({ minPauseMs: 5, maxPauseMs: 100, now: () => nowMs }, openCalls)
  const slept: number[] = []
  const signal = new AbortController().signal
  for (const tookMs of tooksMs) {
    nowMs += tookMs
    await pace.pause({
      tookMs,
      signal,
      sleep: async ms => {
        slept.push(Math.round(ms))
        nowMs += ms
      },
    })
  }
  return slept
}

test('waits a twentieth of the time that was waited already, between the limits', async () => {
  const slept = await pauses(Array.from({ length: 90 }, () => 0))
  expect(slept.slice(0, 20)).toEqual(Array(20).fill(5))
  expect(slept.at(-1)).toBe(100)
  expect(slept).toEqual([...slept].sort((a, b) => a - b))
})

test('looks take at most half of the time', async () => {
  expect(await pauses([80, 1, 12])).toEqual([80, 5, 12])
})

test('begins at once when the first call starts', async () => {
  let asked = 0
  expect(await pauses([0], () => (++asked > 3 ? 1 : 0))).toEqual([10, 10, 10])
})
