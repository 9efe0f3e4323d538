import { expect, test } from 'vitest'
import { QuotaRoom, type QuotaRoomOptions } from './quota-room.ts'

interface Thing {
  readonly name: string
  readonly ageMs: number
  readonly isOver: boolean
}

const HOUR_MS = 3_600_000

/** A place with so many things, and a room of which 10 are many, of which 6 stay. */
function crowd(things: readonly Thing[], options: Partial<QuotaRoomOptions<Thing>> = {}) {
  const there = new Map(things.map(thing => [thing.name, thing]))
  const lists = { count: 0 }
  const room = new QuotaRoom<Thing>({
    noun: 'things',
    crowdedFrom: 10,
    leaves: 6,
    spareMs: 600_000,
    removalsAtOnce: 4,
    list: async () => {
      lists.count++
      return [...there.values()]
    },
    nameOf: ({ name }) => name,
    mayGo: ({ name, isOver }) => name.startsWith('mine') && isOver,
    usedMs: ({ ageMs }) => Date.now() - ageMs,
    remove: async ({ name }) => there.delete(name),
    log: { debug() {} },
    ...options,
  })
  return { room, there, lists, names: () => [...there.keys()].sort() }
}

const mine = (count: number, { ageMs = HOUR_MS, isOver = true, name = 'mine' } = {}): Thing[] =>
  Array.from({ length: count }, (_, i) => ({ name: `${name}-${i}`, ageMs: ageMs + 1000 * i, isOver }))

test('where there is room nothing is removed', async () => {
  const { room, there } = crowd(mine(9))
  expect(await room.make()).toBe(0)
  expect(there.size).toBe(9)
})

test('what was not used for the longest time goes, down to what is left, and nothing of others', async () => {
  const others = mine(4, { name: 'others' })
  const { room, names } = crowd([...mine(8), ...others])
  expect(await room.make()).toBe(6)
  expect(names()).toEqual(['mine-0', 'mine-1', ...others.map(({ name }) => name)])
})

test('what runs, what was used lately and what this program has stays', async () => {
  const running = mine(3, { name: 'mine-running', isOver: false })
  const young = mine(5, { name: 'mine-young', ageMs: 1_000 })
  const { room, names, lists } = crowd([...running, ...young, ...mine(4)])
  await room.enter('mine-0')
  expect(lists.count).toBe(1)
  const left = ['mine-0', ...running.map(({ name }) => name), ...young.map(({ name }) => name)]
  expect(names()).toEqual(left.sort())
})

test('what was used lately goes where that is said, but only as much as is needed', async () => {
  const young = mine(11, { name: 'mine-young', ageMs: 1_000 })
  const { room, names } = crowd([...young, ...mine(1)], { takesSpared: true })
  expect(await room.make()).toBe(3)
  expect(names()).toEqual(
    young
      .slice(0, 9)
      .map(({ name }) => name)
      .sort(),
  )
})

test('what is in use after all stays, and so does what cannot be removed: the next ones go', async () => {
  const { room, there } = crowd(mine(12), {
    remove: async ({ name }) => {
      if (name === 'mine-11') return false
      if (name === 'mine-10') throw new Error('forbidden')
      return there.delete(name)
    },
  })
  expect(await room.make()).toBe(6)
  expect([there.has('mine-11'), there.has('mine-10'), there.has('mine-4')]).toEqual([true, true, false])
})

test('one was refused: some go, however few there seem to be', async () => {
  const { room, there } = crowd(mine(3))
  expect(await room.make({ isFull: true })).toBe(1)
  expect(there.has('mine-2')).toBe(false)
  const { room: full } = crowd(mine(3, { isOver: false }))
  expect(await full.make({ isFull: true })).toBe(0)
})

test('it is counted, and looked again only when there may be many', async () => {
  const { room, lists } = crowd(mine(7, { name: 'others' }))
  for (const name of ['a', 'b', 'c']) await room.enter(name)
  expect(lists.count).toBe(1)
  room.left('a')
  await room.enter('d')
  expect(lists.count).toBe(1)
  await room.enter('e')
  expect(lists.count).toBe(2)
  expect([room.isActive('a'), room.isActive('e')]).toEqual([false, true])
})

test('an error of listing is told, an aborted signal stops it', async () => {
  const { room } = crowd(mine(12), { list: () => Promise.reject(new Error('no list')) })
  await expect(room.enter('one')).rejects.toThrow('no list')
  const controller = new AbortController()
  const { room: other } = crowd(mine(12), {
    remove: () => {
      controller.abort(new Error('stopped'))
      throw controller.signal.reason
    },
  })
  await expect(other.make({ signal: controller.signal })).rejects.toThrow('stopped')
})
