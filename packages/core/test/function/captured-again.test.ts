import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Programs } from './programs.ts'

// Variables that nothing can assign to are looked at once for each function. All others are looked at in each capture.

let programs: Programs
beforeAll(async () => {
  programs = await Programs.build()
})
afterAll(() => programs.remove())

/** Each way makes functions of the same variables, and changes what it can between two captures. */
const WAYS: Readonly<Record<string, { readonly source: string; readonly expected: readonly unknown[] }>> = {
  'a variable that is assigned to': {
    source: `let n = 1; const fn = () => n; export const steps = [() => fn, () => { n = 2; return fn }, () => { n = undefined; return fn }]`,
    expected: [1, 2, 'undefined'],
  },
  'a variable that is assigned to after the captures': {
    source: `let n = 1; const fn = () => n; export const steps = [() => fn, () => fn, () => (later(), fn)]; function later() { n = 3 }`,
    expected: [1, 1, 3],
  },
  'an object that is changed': {
    source: `const one = { n: 1 }; const fn = () => one.n; export const steps = [() => fn, () => { one.n = 2; return fn }]`,
    expected: [1, 2],
  },
  'a function that has captured another': {
    source: `let n = 1; const inner = () => n; const fn = () => inner(); export const steps = [() => fn, () => { n = 2; return fn }]`,
    expected: [1, 2],
  },
  'a counter': {
    source: `function counter() { let n = 0; return { add: () => ++n, read: () => n } }
const a = counter(); const b = counter(); const read = () => [a.read(), b.read()]
export const steps = [() => read, () => { a.add(); return read }, () => { b.add(); b.add(); return read }]`,
    expected: [
      [0, 0],
      [1, 0],
      [1, 2],
    ],
  },
  'a counter beside a constant': {
    source: `function counter(step) { const by = { step }; let n = 0; return { add: () => (n += by.step), read: () => n + by.step } }
const a = counter(10); export const steps = [() => a.read, () => { a.add(); return a.read }]`,
    expected: [10, 20],
  },
  'a variable that eval assigns to': {
    source: `let n = 1; const fn = () => n; export const steps = [() => fn, () => { eval('n = 2'); return fn }]`,
    expected: [1, 2],
  },
  'a constant that an inner block hides': {
    source: `const n = 1; let fn2; { const n = 2; fn2 = () => n } const fn = () => n; export const steps = [() => fn, () => fn2, () => fn]`,
    expected: [1, 2, 1],
  },
  'a var that is set after the first capture': {
    source: `const fn = () => n; export const steps = [() => fn, () => fn]; export const after = () => {}; var n = 5`,
    expected: [5, 5],
  },
  'properties of the function': {
    source: `const fn = () => fn.n; fn.n = 1; export const steps = [() => fn, () => { fn.n = 2; return fn }]`,
    expected: [1, 2],
  },
  'closures of a loop': {
    source: `const all = []; for (const i of [1, 2, 3]) all.push(() => i); for (let i = 4; i < 6; i++) all.push(() => i)
export const steps = [...all, ...all].map(fn => () => fn)`,
    expected: [1, 2, 3, 4, 5, 1, 2, 3, 4, 5],
  },
}

const SLOPPY: typeof WAYS = {
  'a parameter that arguments assigns to': {
    source: `function make(n) { const args = arguments; return [() => n, () => { args[0] = 2 }] }
const [fn, change] = make(1); exports.steps = [() => fn, () => { change(); return fn }]`,
    expected: [1, 2],
  },
  'a function that a block declares again': {
    source: `function* make() { const fn = () => f(); for (const one of [0, 1]) { function f() { return one } yield fn } }
const made = make(); const next = () => made.next().value; exports.steps = [next, next]`,
    expected: [0, 1],
  },
}

const MAIN = (file: string) => `
import { captureFunction, ship, stop } from 'LIBRARY'
import * as ways from './${file}'
const { steps } = ways.steps ? ways : ways.default
const seen = []
for (const step of steps) {
  const fn = step()
  for (let i = 0; i < 2; i++) captureFunction(fn) // what is kept is kept from the second time on
  const value = await ship(fn)
  seen.push(value === undefined ? 'undefined' : value)
}
await stop()
console.log(JSON.stringify(seen))
`

describe('captured again, a function has', () => {
  for (const [name, { source, expected }] of Object.entries(WAYS)) {
    test(name, async () => {
      const directory = programs.folder({ 'ways.mjs': source, 'main.mjs': MAIN('ways.mjs') })
      expect(await programs.run(directory)).toEqual(expected)
    })
  }
  for (const [name, { source, expected }] of Object.entries(SLOPPY)) {
    test(`in sloppy code, ${name}`, async () => {
      const directory = programs.folder({ 'ways.cjs': source, 'main.mjs': MAIN('ways.cjs') })
      expect(await programs.run(directory)).toEqual(expected)
    })
  }

  test('nothing that V8 is asked for, when nothing can have changed', async () => {
    const directory = programs.folder({
      'main.mjs': `
import inspector from 'node:inspector'
import { setImmediate } from 'node:timers/promises'
const said = []
const post = inspector.Session.prototype.post
inspector.Session.prototype.post = function (method, ...rest) {
  said.push(method)
  return post.call(this, method, ...rest)
}
const { captureFunction } = await import('LIBRARY')
const config = { rate: 2 }
const scale = by => x => x * by * config.rate
const fn = scale(3)
for (let i = 0; i < 2; i++) captureFunction(fn)
await setImmediate()
await setImmediate()
const before = said.length
captureFunction(fn)
await setImmediate()
await setImmediate()
console.log(JSON.stringify({ first: before, again: said.slice(before) }))
`,
    })
    const { first, again } = await programs.run(directory)
    expect(first).toBeGreaterThan(0)
    expect(again).toEqual([])
  })
})
