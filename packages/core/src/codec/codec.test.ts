import assert from 'node:assert'
import { describe, expect, test } from 'vitest'
import { CallError, ProtocolError, SerializationError, StorageError } from '../errors/index.ts'
import type { ClassTable } from './class-table.ts'
import { decodeError, encodeError } from './error.ts'
import { decodeValue, encodeValue, hasClassTags, immediateValueAt, NOT_IMMEDIATE } from './value.ts'

const roundTrip = (value: unknown, classes?: ClassTable) => decodeValue(encodeValue(value, classes), classes)

/** A table of classes by their names. */
function classTable(...classes: (abstract new (...args: never[]) => unknown)[]): ClassTable {
  return {
    idOf: prototype => classes.find(c => c.prototype === prototype)?.name,
    prototypeOf: id => classes.find(c => c.name === id)?.prototype as object | undefined,
  }
}

describe('values', () => {
  const frozen = Object.freeze({ a: 1, list: Object.freeze([1, 2]) })
  const cases: Record<string, unknown> = {
    primitives: [
      '',
      'text',
      'ünï😀',
      'x'.repeat(1000),
      0,
      -0,
      1.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      true,
      null,
      undefined,
      10n ** 30n,
    ],
    'lone surrogate': ['\ud800', `\ud800${'x'.repeat(500)}`],
    'plain objects': { a: { b: [1, { c: undefined }] }, 'with space': 1, '': 2 },
    'a key named $': { $: 'u', v: { $: 1 } },
    dates: [new Date(5)],
    collections: [
      new Map<unknown, unknown>([
        ['k', new Set([1, new Date(2)])],
        [{ o: 1 }, 2],
      ]),
      new Set(),
    ],
    'regular expressions': [/x(?<n>\d)/giu],
    'typed arrays': [
      new Uint8Array([1, 2]),
      new Float64Array([1.5, Number.NaN]),
      new BigInt64Array([5n]),
      new DataView(new ArrayBuffer(3)),
    ],
    'array buffers': [new Uint8Array([1, 2, 3]).buffer],
    sparse: [1, , 3],
    'null prototype': Object.assign(Object.create(null), { a: 1 }),
    boxed: [Object('str'), Object(5), Object(true)],
    frozen,
    symbols: { [Symbol.for('k')]: Symbol.iterator },
    urls: [new URL('http://x/y?z=1'), new URLSearchParams('a=1&b=2')],
    errors: [new RangeError('r', { cause: new Error('c') }), new AggregateError([new Error('one')], 'many')],
  }
  for (const [name, value] of Object.entries(cases)) {
    test(`${name} arrive as they were`, () => assert.deepStrictEqual(roundTrip(value), value))
  }

  test('cycles and shared references survive', () => {
    const shared = { n: 1 }
    const cyclic: Record<string, unknown> = { a: shared, b: shared }
    cyclic.self = cyclic
    const back = roundTrip(cyclic) as typeof cyclic
    expect(back.self).toBe(back)
    expect(back.a).toBe(back.b)
  })

  test('two views of one buffer share it, a Buffer does not drag its pool along', () => {
    const buffer = new ArrayBuffer(16)
    const back = roundTrip([new Uint8Array(buffer), new Float64Array(buffer)]) as [Uint8Array, Float64Array]
    expect(back[0].buffer).toBe(back[1].buffer)
    const small = Buffer.from('hey')
    expect(encodeValue(small).length).toBeLessThan(80)
    const copy = roundTrip(small) as Buffer
    expect(Buffer.isBuffer(copy) && copy.toString()).toBe('hey')
  })

  test('bytes travel as bytes', () => {
    const bytes = new Uint8Array(100_000).fill(7)
    expect(encodeValue({ bytes }).length).toBeLessThan(100_200)
  })

  test('frozen, accessors and hidden properties stay so', () => {
    const back = roundTrip({ frozen, hidden: Object.defineProperty({}, 'h', { value: 3 }) }) as {
      frozen: object
      hidden: { h: number }
    }
    expect(Object.isFrozen(back.frozen)).toBe(true)
    expect([back.hidden.h, Object.keys(back.hidden)]).toEqual([3, []])
  })

  test('__proto__ as an own key pollutes nothing', () => {
    const evil = JSON.parse('{"__proto__": {"polluted": true}, "u": {"$": "u"}, "d": null}')
    evil.d = new Date(1)
    const back = roundTrip(evil) as object
    expect(Object.keys(back)).toEqual(['__proto__', 'u', 'd'])
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
  })

  test('instances of classes that travelled keep their class', () => {
    class Point {
      constructor(
        readonly x: number,
        readonly y: number,
      ) {}
      length() {
        return Math.hypot(this.x, this.y)
      }
    }
    const table = classTable(Point)
    const bytes = encodeValue([new Point(3, 4)], table)
    expect(hasClassTags(bytes)).toBe(true)
    const [point] = decodeValue(bytes, table) as [Point]
    expect(point).toBeInstanceOf(Point)
    expect(point.length()).toBe(5)
    expect(() => encodeValue({ deep: [new Point(1, 2)] })).toThrow(
      /deep\[0\].*class Point, which did not travel/,
    )
  })

  test.each([
    ['a function', { f: () => 1 }, /at f cannot be sent: it is a function/],
    ['a promise', [Promise.resolve(1)], /at \[0\].*Promise \(await it first\)/],
    ['a proxy', { p: new Proxy({}, {}) }, /Proxy/],
    ['a generator', (function* () {})(), /running generator/],
    ['a WeakMap', { a: { b: new WeakMap() } }, /at a\.b .*WeakMap/],
    ['a Blob', new Blob(['x']), /Blob \(pass its bytes/],
  ])('%s is refused with the path', (_, value, message) => {
    expect(() => encodeValue(value)).toThrow(SerializationError)
    expect(() => encodeValue(value)).toThrow(message)
  })

  test('a chain too deep for the stack travels', () => {
    let list: unknown = null
    for (let i = 0; i < 200_000; i++) list = { next: list }
    let depth = 0
    let link = decodeValue(encodeValue(list)) as { next: typeof link } | null
    for (; link !== null; link = link.next) depth++
    expect(depth).toBe(200_000)
  })

  test('bytes cut anywhere are a ProtocolError or another value, never a crash', () => {
    const cyclic: unknown[] = [new Map([[1, new Date(3)]]), new Uint8Array(5)]
    cyclic.push(cyclic)
    for (const value of [{ a: [1, undefined, new Uint8Array(9)] }, cyclic]) {
      const bytes = encodeValue(value)
      for (let end = 0; end < bytes.length; end++)
        expect(() => decodeValue(bytes.subarray(0, end))).toThrow(ProtocolError)
    }
  })

  test('random trees arrive as they were', () => {
    let seed = 42
    const random = (n: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
      return seed % n
    }
    const shared: unknown[] = [new Date(9), { s: 1 }]
    const make = (depth: number): unknown => {
      switch (random(depth > 4 ? 7 : 12)) {
        case 0:
          return random(1000) - 500
        case 1:
          return 'text'.repeat(random(100))
        case 2:
          return [undefined, null, true, Number.NaN, -0, 5n][random(6)]
        case 3:
          return new Date(random(1e6))
        case 4:
          return new Uint8Array(random(20)).fill(3)
        case 5:
          return shared[random(2)]
        case 6:
          return { $: random(3) }
        case 7:
          return Array.from({ length: random(5) }, () => make(depth + 1))
        case 8:
          return new Map(Array.from({ length: random(4) }, (_, i) => [i, make(depth + 1)]))
        case 9:
          return new Set(Array.from({ length: random(4) }, () => make(depth + 1)))
        default:
          return Object.fromEntries(Array.from({ length: random(5) }, (_, i) => [`k${i}`, make(depth + 1)]))
      }
    }
    for (let i = 0; i < 1000; i++) {
      const value = make(0)
      assert.deepStrictEqual(roundTrip(value), value, `seed 42, tree ${i}`)
    }
  })
})

describe('errors', () => {
  const back = (thrown: unknown, classes?: ClassTable) => decodeError(encodeError(thrown, classes), classes)

  test('built-in errors arrive as themselves', () => {
    const error = Object.assign(new TypeError('bad', { cause: new RangeError('inner') }), {
      code: 'E1',
      list: [1],
    })
    const arrived = back(error) as typeof error
    expect(arrived).toBeInstanceOf(TypeError)
    expect(arrived).toMatchObject({ message: 'bad', code: 'E1', list: [1], stack: error.stack })
    expect(arrived.cause).toBeInstanceOf(RangeError)
    expect(Object.keys(arrived)).toEqual(['code', 'list'])
  })

  test('a cause that is the error itself survives', () => {
    const error: Error = new Error('me')
    error.cause = error
    const arrived = back(error) as Error
    expect(arrived.cause).toBe(arrived)
  })

  test('classes that travelled are kept, others become CallError', () => {
    class Own extends Error {
      override name = 'Own'
      status = 404
    }
    expect(back(new Own('x'), classTable(Own))).toBeInstanceOf(Own)
    const foreign = back(new Own('x')) as CallError
    expect(foreign).toBeInstanceOf(CallError)
    expect(foreign).toMatchObject({ message: 'x', remoteName: 'Own', details: { status: 404 } })
  })

  test('our own errors and aggregate errors keep their class', () => {
    expect(back(new StorageError('s', { details: { key: 'k' } }))).toMatchObject({
      code: 'LITHOPS_STORAGE',
      details: { key: 'k' },
    })
    expect(StorageError.isInstance(back(new StorageError('s')))).toBe(true)
    const many = back(new AggregateError([new RangeError('one'), 'two'], 'many')) as AggregateError
    expect(many.errors[0]).toBeInstanceOf(RangeError)
    expect(many.errors[1]).toBe('two')
  })

  test.each([['text'], [{ a: 1 }], [undefined], [null], [5]])('%o thrown arrives as itself', thrown => {
    expect(back(thrown)).toEqual(thrown)
  })

  test('what cannot be sent of an error is left out', () => {
    const error = Object.assign(new Error('http'), { request: { socket: () => {} }, status: 500 })
    expect(back(error)).toMatchObject({ message: 'http', status: 500 })
    expect(back(error)).not.toHaveProperty('request')
    expect(back(() => {})).toMatchObject({ message: expect.stringMatching(/cannot be sent.*function/) })
  })

  test('getters that throw do no harm', () => {
    const error = new Error('x')
    Object.defineProperty(error, 'stack', {
      get() {
        throw new Error('no')
      },
    })
    expect(back(error)).toMatchObject({ message: 'x' })
  })
})

describe('immediate values', () => {
  const at = (bytes: Uint8Array) =>
    immediateValueAt(Buffer.concat([Buffer.from([7]), bytes]), 1, bytes.length + 1)

  test.each([undefined, null, true, false, 0, 7, -1, 1e3, 999_999_999_999_999, -999_999_999_999_999])(
    'are read without decoding: %s',
    value => {
      expect(at(encodeValue(value))).toBe(value)
    },
  )

  test.each([
    -0,
    1.5,
    1e15,
    1e21,
    -1e15,
    2 ** 53,
    '',
    '1',
    'true',
    'nul',
    [],
    {},
    [1],
    Number.NaN,
    1n,
    new Date(1),
  ])('are not: %s', value => {
    const bytes = encodeValue(value)
    expect(at(bytes)).toBe(NOT_IMMEDIATE)
    expect(decodeValue(bytes)).toEqual(value)
  })

  test.each([
    '007',
    '00',
    '-',
    '-0',
    '',
    'tru',
    'truE',
    'false ',
    'nulll',
    '1 ',
    ' 1',
    '+1',
    '1e3',
    '0x1',
    '12a',
  ])('are not what JSON does not take for the same, or what is written otherwise: %j', json => {
    expect(at(Buffer.from(`\0${json}`))).toBe(NOT_IMMEDIATE)
  })

  test('no bytes are no value', () => {
    expect(at(new Uint8Array())).toBe(NOT_IMMEDIATE)
  })
})
