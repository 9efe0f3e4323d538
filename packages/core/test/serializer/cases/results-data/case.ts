// What items and results may hold: all that structured clone carries, and the instances of classes that travelled.
const depthOf = (x: any) => { let d = 0; for (; !x.end; d++) x = Array.isArray(x) ? x[0] : x.n; return d }
const nest = (n: number) => { let r: any = { end: true }; for (let i = 0; i < n; i++) r = i % 2 ? [r] : { n: r }; return r }
const maps = (n: number) => { let m = new Map<string, any>(); for (let i = 0; i < n; i++) m = new Map([['k', m]]); return m }
const captured = nest(10_000)
const first: any = { v: 0 }
for (let i = 0, last = first; i < 10_000; i++) last = last.next = { v: i, previous: last }
class Point { constructor(public x: number) {} static of(x: number) { return new Point(x) } sum(o: Point) { return this.x + o.x } }
class Fixed { readonly list = [1]; constructor() { Object.freeze(this) } }
const memory = new ArrayBuffer(8)
const bytes = new Uint8Array(memory)
const words = new Uint16Array(memory, 2, 2)
const points = [new Point(3), new Point(4)]
const refuses = (pattern: RegExp) => (e: any) => { if (!pattern.test(e.message)) throw e }
export const cases = [
  { name: 'ten thousand levels in', fn: depthOf, args: [nest(10_000)], expected: 10_000 },
  { name: 'ten thousand levels captured', fn: () => depthOf(captured), expected: 10_000 },
  { name: 'ten thousand levels out', fn: (n: number) => nest(n), args: [10_000], check: (r: any) => { if (depthOf(r) !== 10_000) throw new Error('depth') } },
  { name: 'a linked list', fn: () => { let n = 0; for (let c = first; c.next; c = c.next) { if (c.next.previous !== c) return 'bad'; n++ } return n }, expected: 10_000 },
  { name: 'maps in maps', fn: (m: any) => { let d = 0; for (; m.size; d++) m = m.get('k'); return d }, args: [maps(5000)], expected: 5000 },
  { name: 'a long string', fn: (s: string) => s + s, args: ['ä😀'.repeat(100_000)], expected: 'ä😀'.repeat(200_000) },
  { name: 'lone surrogates', fn: (s: string) => [s, s.length], args: ['a\ud800b\udc00\u0000\u2028'], expected: ['a\ud800b\udc00\u0000\u2028', 6] },
  { name: 'keys that mean something', fn: (o: any) => [Object.keys(o), Object.getPrototypeOf(o) === Object.prototype], args: [JSON.parse('{"__proto__":{"x":1},"constructor":2,"toString":3,"$":4}')], expected: [['__proto__', 'constructor', 'toString', '$'], true] },
  { name: 'no prototype', fn: (o: any) => [Object.getPrototypeOf(o), o.a], args: [Object.assign(Object.create(null), { a: 1 })], expected: [null, 1] },
  { name: 'instances', fn: (ps: Point[]) => [Point.of(1).sum(ps[0]!), ps[0]!.constructor === Point, new Map([[ps[1], ps]])], args: [points], check: ([sum, same, map]: any) => { const [[key, list]] = [...map]; if (sum !== 4 || !same || !(key instanceof Point) || list[1] !== key) throw new Error('instances') } },
  { name: 'classes themselves', fn: (C: typeof Point) => ({ is: C === Point, C }), args: [Point], check: ({ is, C }: any) => { if (!is || C !== Point) throw new Error('class') } },
  { name: 'frozen instances', fn: (f: Fixed) => [Object.isFrozen(f), f instanceof Fixed], args: [new Fixed()], expected: [true, true] },
  { name: 'two views of one buffer', fn: ([a, b]: any) => { a[2] = 7; return [b[0], a.buffer === b.buffer] }, args: [[bytes, words]], expected: [7, true] },
  { name: 'two captured views of one buffer', fn: () => { bytes[2] = 9; return words[0] }, expected: 9 },
  { name: 'a part of a buffer', fn: (a: Uint8Array) => [a.length, a.byteLength], args: [new Uint8Array(1000).subarray(10, 20)], expected: [10, 10] },
  { name: 'accessors are read', fn: (o: any) => [o.g, Object.getOwnPropertyDescriptor(o, 'g')!.value], args: [{ get g() { return 5 } }], expected: [5, 5] },
  { name: 'registered symbols as keys', fn: (o: any) => o[Symbol.for('z')], args: [{ [Symbol.for('z')]: 3 }], expected: 3 },
  { name: 'arrays with properties', fn: (a: any) => [a.length, a.tag], args: [Object.assign([1], { tag: 't' })], expected: [1, 't'] },
  { name: 'the longest sparse array', fn: (a: any) => [a.length, Object.keys(a)], args: [(() => { const a: number[] = []; a[4294967293] = 1; return a })()], expected: [4294967294, ['4294967293']] },
  { name: 'where a pattern goes on', fn: (r: RegExp) => { r.exec('aaa'); return r.lastIndex }, args: [Object.assign(/a/g, { lastIndex: 1 })], expected: 2 },
  { name: 'a date with more', fn: (d: Date) => [d.toISOString(), (d as any).zone], args: [Object.assign(new Date(0), { zone: 'X' })], expected: ['1970-01-01T00:00:00.000Z', 'X'] },
  { name: 'an invalid date', fn: (d: Date) => d, args: [new Date(Number.NaN)], check: (d: any) => { if (!(d instanceof Date) || !Number.isNaN(d.getTime())) throw new Error('date') } },
  { name: 'arguments', fn: function () { return arguments }, args: [1, 2], check: (r: any) => { if (r.length !== 2 || r[1] !== 2) throw new Error('arguments') } },
  { name: 'no Blob', fn: () => new Blob(['x']), throws: refuses(/Blob.*bytes/) },
  { name: 'no Promise inside', fn: () => ({ p: Promise.resolve(1) }), throws: refuses(/at p .*Promise.*await/) },
  { name: 'no function', fn: () => ({ list: [{ callback: () => 1 }] }), throws: refuses(/list\[0\]\.callback .*function/) },
  { name: 'no WeakMap', fn: () => new WeakMap(), throws: refuses(/WeakMap/) },
  { name: 'no generator', fn: function* () { yield 1 }, throws: refuses(/generator.*array/) },
  { name: 'no class made on the worker', fn: () => { class Local { v = 1 } return new Local() }, throws: refuses(/Local.*did not travel/) },
  { name: 'no socket', fn: async () => new (await import('node:net')).Socket(), throws: refuses(/Socket/) },
]
