const makeCounter = (start: number) => { let n = start; return { inc: () => ++n, get value() { return n }, reset() { n = start } } }
const c1 = makeCounter(5), c2 = makeCounter(5); c1.inc()
const once = <A extends any[], R>(f: (...a: A) => R) => { let r: R | undefined, done = false; return (...a: A) => { if (!done) { r = f(...a); done = true } return r! } }
const init = once((x: number) => x * 2); init(4)
const bus = (() => { const ls = new Set<(x: number) => void>(); return { on(f: (x: number) => void) { ls.add(f); return () => ls.delete(f) }, emit(x: number) { for (const f of ls) f(x) } } })()
let total = 0; const off = bus.on(x => { total += x }); bus.on(x => { total += x * 10 })
class Lazy<T> { private v?: T; constructor(private f: () => T) {} get() { return this.v ??= this.f() } }
const lazy = new Lazy(() => total + 1)
const self: any = { name: 's' }; self.me = self; self.fn = () => self.me.name; self.arr = [self, [self.fn]]
const { a: { b: [first, ...others] }, ...restObj } = { a: { b: [1, 2, 3] }, x: 1, y: 2 }
const sym = Symbol('private'); const keyed = { [sym]: 1, get [`dyn${1 + 1}`]() { return 'd' } } as any
var hoisted = function () { return typeof late } ; var late = 3
const wm = new WeakMap<object, string>(); const k1 = {}; wm.set(k1, 'one'); wm.set({}, 'lost')
const gen = function* (n: number): Generator<number> { while (n--) yield n }
const iter = { from: 1, to: 3, [Symbol.iterator]() { let c = this.from; const to = this.to; return { next: () => c <= to ? { value: c++, done: false } : { value: undefined, done: true } } } }
const date = new Date(86400000); const re = /(\d+)/g; re.lastIndex = 2
const nested = { fn: { inner: { deep: (x: number) => c2.inc() + x } } }
const tpl = (s: string) => `${s}${`${first}`}`
const asyncArrow = async (x: number) => { await null; return x + first! }
const bound = (function (this: { k: number }, a: number, b: number) { return this.k + a + b }).bind({ k: 100 }, 10)
const comma = (0, (x: number) => x); const cond = Math.random() > 2 ? () => 'no' : () => 'yes'
const arrOfArrow = [1, 2].map(i => () => i * 10)
const chain = { v: 1, add(n: number) { this.v += n; return this }, get() { return this.v } }
const opt: any = { m: null }
export const cases = [
 { fn: () => [c1.inc(), c1.value, c2.value, (c1.reset(), c1.value)], expected: [7, 7, 5, 5] },
 { fn: () => [init(99), init(1)], expected: [8, 8] },
 { fn: () => { bus.emit(1); off(); bus.emit(1); return total }, expected: 21 },
 { fn: () => { total = 4; return [lazy.get(), (total = 9, lazy.get())] }, expected: [5, 5] },
 { fn: () => [self.fn(), self.arr[0] === self, self.arr[1][0]()], expected: ['s', true, 's'] },
 { fn: () => [first, others, restObj, keyed[sym], keyed.dyn2, hoisted()], expected: [1, [2, 3], { x: 1, y: 2 }, 1, 'd', 'number'] },
 { fn: () => [wm.get(k1), wm.has({}), [...gen(3)], [...iter], date.getTime(), re.lastIndex], expected: ['one', false, [2, 1, 0], [1, 2, 3], 86400000, 2] },
 { fn: async () => [nested.fn.inner.deep(1), c2.value, tpl('a'), await asyncArrow(1), bound(1), comma(3), cond(), arrOfArrow.map(f => f()), chain.add(2).get(), opt.m?.x?.(), opt?.m ?? 'dflt'], expected: [7, 6, 'a1', 2, 111, 3, 'yes', [10, 20], 3, undefined, 'dflt'] },
 { name: 'method as root', fn: chain.add, check: () => {}, throws: () => {} },
 { name: 'bound root', fn: bound, args: [5], expected: 115 },
 { name: 'async gen root', fn: async function* () { yield 1 }, throws: (e: any) => { if (!/enerator/.test(e.message)) throw e } },
]
