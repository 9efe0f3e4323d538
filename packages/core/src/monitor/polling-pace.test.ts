import { expect, test } from 'vitest'
import { PollingPace } from './polling-pace.ts'

async function pauses(looks: { found: number; tookMs: number }[], openCalls = () => 1) {
  const pace = new PollingPace({ minPauseMs: 5, maxPauseMs: 100 }, openCalls)
  const slept: number[] = []
  const signal = new AbortController().signal
  for (const look of looks) {
    await pace.pause({
      ...look,
      signal,
      sleep: async ms => {
        slept.push(ms)
      },
    })
  }
  return slept
}

test('waits longer while nothing comes, up to the limit', async () => {
  const slept = await pauses(Array.from({ length: 12 }, () => ({ found: 0, tookMs: 0 })))
  expect(slept[0]).toBe(7.5)
  expect(slept.at(-1)).toBe(100)
  expect(slept).toEqual([...slept].sort((a, b) => a - b))
})

test('waits less when something came, and at least as long as a look takes', async () => {
  const slept = await pauses([
    { found: 0, tookMs: 80 },
    { found: 3, tookMs: 0 },
    { found: 3, tookMs: 0 },
    { found: 3, tookMs: 12 },
  ])
  expect(slept).toEqual([80, 20, 5, 12])
})

test('begins at once when the first call starts', async () => {
  let asked = 0
  const slept = await pauses([{ found: 0, tookMs: 0 }], () => (++asked > 3 ? 1 : 0))
  expect(slept).toEqual([10, 10, 10])
})
