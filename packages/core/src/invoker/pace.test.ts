import { expect, test } from 'vitest'
import { Pace } from './pace.ts'

/** A platform that runs `quota` activations at once and refuses the rest, round after round. */
function waves(pace: Pace, quota: number, rounds: number, wanted: number): number[] {
  const sizes: number[] = []
  for (let i = 0; i < rounds; i++) {
    const size = Math.min(wanted, Math.floor(pace.limit))
    sizes.push(size)
    const { round } = pace
    for (let refused = size; refused > quota; refused--) pace.refused(round, refused - 1)
    for (let taken = Math.min(size, quota); taken > 0; taken--) pace.accepted()
  }
  return sizes
}

const still = () => new Pace({ now: () => 0, random: () => 1 })

test('there is no limit before the platform refuses', () => {
  const pace = still()
  pace.accepted()
  expect(pace.limit).toBe(Number.POSITIVE_INFINITY)
  expect(pace.pauseMs).toBe(0)
})

test('a refusal halves the limit, and the rest of its wave brings it to what is under way', () => {
  const pace = still()
  const { round } = pace
  pace.refused(round, 99)
  expect(pace.limit).toBe(50)
  pace.refused(round, 80)
  expect(pace.limit).toBe(50)
  pace.refused(round, 7)
  expect(pace.limit).toBe(7)
  pace.refused(round, 0)
  expect(pace.limit).toBe(1)
})

test('from a thousand it comes down to the quota at once, and stays near it', () => {
  const pace = still()
  const sizes = waves(pace, 10, 60, 1000)
  expect(sizes[0]).toBe(1000)
  const settled = sizes.slice(10)
  expect(Math.max(...settled)).toBeLessThanOrEqual(12)
  expect(settled.reduce((sum, size) => sum + Math.min(size, 10), 0) / settled.length).toBeGreaterThan(7)
})

test('when the quota grows, so does the limit', () => {
  const pace = still()
  waves(pace, 10, 20, 1000)
  const sizes = waves(pace, 1000, 400, 1000)
  expect(sizes.at(-1)).toBeGreaterThan(100)
})

test('pauses double with refusals in a row, and end with what is accepted', () => {
  let now = 0
  const pace = new Pace({ now: () => now, random: () => 1 })
  const pauses: number[] = []
  pace.refused(pace.round, 5)
  expect(pace.pauseMs).toBe(0) // five are under way: there will be room
  pace.accepted()
  for (let i = 0; i < 9; i++) {
    pace.refused(pace.round, 0)
    pauses.push(pace.pauseMs)
    now += pace.pauseMs
    expect(pace.pauseMs).toBe(0)
  }
  expect(pauses).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
  pace.accepted()
  pace.refused(pace.round, 0)
  expect(pace.pauseMs).toBe(50)
})

test('it waits as long as the platform asks', () => {
  const pace = still()
  pace.refused(pace.round, 5, 2000)
  expect(pace.pauseMs).toBe(2000)
})

test('it is starved when nothing was accepted for five minutes and nothing is under way', () => {
  let now = 0
  const pace = new Pace({ now: () => now, random: () => 1 })
  const refuseFor = (ms: number, inFlight: number) => {
    for (const end = now + ms; now < end; now += 1000) pace.refused(pace.round, inFlight)
  }
  refuseFor(400_000, 3)
  expect(pace.isStarved).toBe(false)
  refuseFor(299_000, 0)
  expect(pace.isStarved).toBe(false)
  refuseFor(3000, 0)
  expect(pace.isStarved).toBe(true)
  pace.accepted()
  expect(pace.isStarved).toBe(false)
})
