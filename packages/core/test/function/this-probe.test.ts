import { setImmediate, setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { captureFunction } from '../../src/function/index.ts'
import { revive } from './revive.ts'

// The `this` of an arrow function can only be asked for while the function is called. None of the user's code may run
// for it: not the body, and nothing of what JavaScript evaluates on the way there.

let runs = 0
function ran<T>(value: T): T {
  runs += 1
  return value
}

const withGetters = {
  get a() {
    return ran(1)
  },
  get [Symbol.iterator]() {
    return ran(function* () {
      yield ran(1)
    })
  },
}

/** A function of each kind made inside an object, so that its `this` is the object; each alone in its object. */
const ARROWS: Record<
  string,
  { make(this: Unit): (...args: any[]) => unknown; args: unknown[]; gives: string }
> = {
  'a body': {
    make() {
      return (x: number) => {
        ran(0)
        return `${x} ${this.unit}`
      }
    },
    args: [2],
    gives: '2 W',
  },
  'an expression': {
    make() {
      return (x: number) => `${ran(x)} ${this.unit}`
    },
    args: [2],
    gives: '2 W',
  },
  'a body that throws': {
    make() {
      return (x: number) => {
        if (ran(x) >= 0) return `${x} ${this.unit}`
        throw new Error(this.unit)
      }
    },
    args: [2],
    gives: '2 W',
  },
  'an arrow in an arrow': {
    make() {
      return (x: number) => [x].map(y => `${ran(y)} ${this.unit}`)[0]
    },
    args: [2],
    gives: '2 W',
  },
  'an async body': {
    make() {
      return async (x: number) => {
        await ran(0)
        return `${x} ${this.unit}`
      }
    },
    args: [2],
    gives: '2 W',
  },
  defaults: {
    make() {
      return (x = ran(5), y = ran(x)) => `${x + y} ${this.unit}`
    },
    args: [],
    gives: '10 W',
  },
  'more defaults than arguments are likely': {
    make() {
      return (
        a = ran(1),
        b = ran(1),
        c = ran(1),
        d = ran(1),
        e = ran(1),
        f = ran(1),
        g = ran(1),
        h = ran(1),
      ) => `${a + b + c + d + e + f + g + h} ${this.unit}`
    },
    args: [],
    gives: '8 W',
  },
  'defaults of an async arrow': {
    make() {
      return async (x = ran(6)) => `${x} ${this.unit}`
    },
    args: [],
    gives: '6 W',
  },
  'this in a default': {
    make(this: Unit) {
      return (unit = ran(this).unit) => unit
    },
    args: [],
    gives: 'W',
  },
  'a pattern with defaults': {
    make() {
      return ({ a = ran(1), b: { c = ran(2) } = ran({ c: 3 }) } = ran({ a: 4, b: { c: 5 } })) =>
        `${a + c} ${this.unit}`
    },
    args: [{ b: {} }],
    gives: '3 W',
  },
  'a pattern that reads getters': {
    make() {
      return ({ a } = withGetters) => `${a} ${this.unit}`
    },
    args: [],
    gives: '1 W',
  },
  'a pattern with a computed key': {
    make() {
      return ({ [ran('a')]: a }: Record<string, number>) => `${a} ${this.unit}`
    },
    args: [{ a: 3 }],
    gives: '3 W',
  },
  'a pattern with a computed key that reads a getter': {
    make() {
      return ({ [withGetters.a]: a = ran(1) }: Record<string, number>) => `${a} ${this.unit}`
    },
    args: [{ 1: 3 }],
    gives: '3 W',
  },
  'a default that calls nothing': {
    make() {
      let count = 0
      return (x = runs++, y = (count += runs)) => `${x + y + count} ${this.unit}`
    },
    args: [1, 2],
    gives: '3 W',
  },
  'patterns in patterns': {
    make() {
      return (
        [{ a = ran(1), ...others }, [b] = ran([2])]: any,
        { c: [d = ran(9)] = ran([4]) }: any = ran({}),
      ) => `${a + b + d + Object.keys(others).length} ${this.unit}`
    },
    args: [[{ z: 0 }]],
    gives: '8 W',
  },
  'a body that begins with a loop': {
    make() {
      return ([x, y] = [1, 2]) => {
        for (const z of [ran(x), ran(y)]) if (z > 1) return `${z} ${this.unit}`
        return ''
      }
    },
    args: [],
    gives: '2 W',
  },
  'an object pattern with a rest': {
    make() {
      return ({ a, ...rest }: Record<string, number>) => `${ran(a!) + rest.b!} ${this.unit}`
    },
    args: [{ a: 3, b: 4 }],
    gives: '7 W',
  },
  'a pattern that iterates': {
    make() {
      return ([x] = withGetters as Iterable<number>) => `${x} ${this.unit}`
    },
    args: [],
    gives: '1 W',
  },
  'an array pattern with a rest': {
    make() {
      return ([x = ran(3), ...rest]: number[] = ran([])) => `${x + rest.length} ${this.unit}`
    },
    args: [],
    gives: '3 W',
  },
  'rest parameters': {
    make() {
      return (...[x = ran(4)]: number[]) => `${x} ${this.unit}`
    },
    args: [],
    gives: '4 W',
  },
}

interface Unit {
  readonly unit: string
}

const mishaps: unknown[] = []
const note = (error: unknown) => mishaps.push(error)
beforeAll(() => {
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
})
afterAll(() => {
  process.off('unhandledRejection', note)
  process.off('uncaughtException', note)
})
beforeEach(() => {
  runs = 0
  mishaps.length = 0
})

describe('asking an arrow function for its this', () => {
  for (const [name, { make, args, gives }] of Object.entries(ARROWS)) {
    test(`runs no code of the user: ${name}`, async () => {
      const arrow = make.call({ unit: 'W' })
      const captured = captureFunction(arrow)
      await setImmediate()
      expect(runs).toBe(0)
      expect(mishaps).toEqual([])
      expect(await (await revive(captured))(...args)).toBe(gives)
    })
  }

  test('is refused where a key in the parameters would change something', () => {
    const make = function (this: Unit) {
      return ({ [`${runs++}`]: a }: Record<string, number>) => `${a} ${this.unit}`
    }
    expect(() => captureFunction(make.call({ unit: 'W' }))).toThrow(
      /key in its parameters, which changes something \(.*this-probe\.test\.ts:\d+:\d+\)/,
    )
    expect(runs).toBe(0)
  })

  test('a thousand times leaves the event loop, timers and exceptions as they were', async () => {
    const timerBefore = setTimeout(20, 'timer')
    const kinds = [ARROWS['an expression']!, ARROWS['an async body']!]
    const captures = Array.from({ length: 1000 }, (_, i) =>
      captureFunction(kinds[i % 2]!.make.call({ unit: `W${i}` })),
    )
    expect(runs).toBe(0)
    expect((await revive(captures[998]!))(1)).toBe('1 W998')
    expect(await (await revive(captures[999]!))(6)).toBe('6 W999')

    // exceptions: thrown, caught, finally, with their stacks
    const order: string[] = []
    const throwing = () => {
      try {
        throw new RangeError('thrown')
      } finally {
        order.push('finally')
      }
    }
    expect(throwing).toThrow(new RangeError('thrown'))
    expect(new Error('here').stack).toContain('this-probe.test')
    await expect(Promise.reject(new TypeError('rejected'))).rejects.toThrow('rejected')

    // the phases of the event loop in their order
    await new Promise<void>(resolve => {
      globalThis.setImmediate(() => {
        order.push('immediate')
        resolve()
      })
      queueMicrotask(() => order.push('microtask'))
      process.nextTick(() => order.push('tick'))
      order.push('now')
    })
    expect(order).toEqual(['finally', 'now', 'microtask', 'tick', 'immediate'].sort(byPhase(order)))
    expect(await timerBefore).toBe('timer')
    expect(await setTimeout(1, 'later')).toBe('later')
    expect(mishaps).toEqual([])
  })
})

/** Inside an async function the microtasks come before the ticks, at its start after them: both are right. */
function byPhase(order: readonly string[]) {
  return (a: string, b: string) => {
    const swap = new Set(['tick', 'microtask'])
    return swap.has(a) && swap.has(b) ? order.indexOf(a) - order.indexOf(b) : 0
  }
}
