import { expect, test } from 'vitest'
import { type SliceItem, takeSlice } from './take-slice.ts'

const item = (keptIndex: number | undefined, bytes = 10): SliceItem => ({
  payload: new Uint8Array(bytes),
  keptIndex,
})
const anyIndices = { keptIndices: { largest: 9_999_999, fit: () => true } }
const MIB = 1024 * 1024

test('where indices are counted, the first that came are taken, in their order', () => {
  const items = [item(undefined), item(undefined), item(undefined)]
  const { taken, rest } = takeSlice(items, 2, {})
  expect([...taken]).toEqual([
    [0, items[0]],
    [1, items[1]],
  ])
  expect(rest).toEqual([items[2]])
})

test('where they are kept, the smallest are taken, and those that are near them', () => {
  const items = [70_000, 9, 60_000, 3, 50_003, 50_004].map(index => item(index))
  const { taken, rest } = takeSlice(items, 10, anyIndices)
  expect([...taken.keys()]).toEqual([3, 9, 50_003])
  expect(rest.map(({ keptIndex }) => keptIndex)).toEqual([70_000, 60_000, 50_004])
  expect([...takeSlice(items, 1, anyIndices).taken.keys()]).toEqual([3])
})

test('of two with one index, the second waits', () => {
  const [first, second, third] = [item(1), item(1), item(2)]
  const { taken, rest } = takeSlice([first, second, third], 10, anyIndices)
  expect([...taken.values()]).toEqual([first, third])
  expect(rest).toEqual([second])
})

test('no more is taken than is quickly packed, but always one', () => {
  const large = [item(undefined, 9 * MIB), item(undefined, 7 * MIB), item(undefined, 1)]
  expect(takeSlice(large, 10, {}).taken.size).toBe(2)
  expect(takeSlice([item(undefined, 20 * MIB), item(undefined)], 10, {}).taken.size).toBe(1)
})

test('what the platform cannot name together is halved until it can, but one is always taken', () => {
  const items = [5, 1, 4, 2, 3].map(index => item(index))
  const keptIndices = (most: number) => ({
    keptIndices: { largest: 9, fit: (indices: readonly number[]) => indices.length <= most },
  })
  const { taken, rest } = takeSlice(items, 10, keptIndices(3))
  expect([...taken.keys()]).toEqual([1, 2, 3])
  expect(rest.map(({ keptIndex }) => keptIndex)).toEqual([5, 4])
  expect([...takeSlice(items, 10, keptIndices(0)).taken.keys()]).toEqual([1])
})
