import { expect, test } from 'vitest'
import { forEachAtOnce } from './for-each-at-once.ts'
import { repeatUndone } from './repeat-undone.ts'

test('does everything, never more at once than it is told', async () => {
  let running = 0
  let most = 0
  const done: number[] = []
  await forEachAtOnce([1, 2, 3, 4, 5, 6, 7], 3, async item => {
    most = Math.max(most, ++running)
    await new Promise(setImmediate)
    done.push(item)
    running--
  })
  expect(done.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(most).toBe(3)
})

test('after a failure nothing more is begun, and what runs is waited for', async () => {
  const begun: number[] = []
  let isEnded = false
  const work = async (item: number) => {
    begun.push(item)
    if (item === 1) throw new Error('one')
    await new Promise(setImmediate)
    isEnded = true
  }
  await expect(forEachAtOnce([1, 2, 3, 4], 2, work)).rejects.toThrow('one')
  expect(begun).toEqual([1, 2])
  expect(isEnded).toBe(true)
})

test('what was refused undone is done again, a few times, and nothing else is', async () => {
  const refused = new Error('busy')
  const isUndone = (error: unknown) => error === refused
  let attempts = 0
  const twice = async () => {
    if (++attempts < 3) throw refused
    return attempts
  }
  expect(await repeatUndone(twice, { isUndone })).toBe(3)
  attempts = 0
  const other = async () => {
    attempts++
    throw new Error('lost')
  }
  await expect(repeatUndone(other, { isUndone })).rejects.toThrow('lost')
  expect(attempts).toBe(1)
  const signal = AbortSignal.abort(new Error('enough'))
  const busy = async () => {
    throw refused
  }
  await expect(repeatUndone(busy, { isUndone, signal })).rejects.toThrow()
})
