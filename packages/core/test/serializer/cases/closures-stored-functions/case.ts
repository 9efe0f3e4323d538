const ops = new Map<string, (a: number, b: number) => number>([['+', (a, b) => a + b], ['*', (a, b) => a * b], ['max', Math.max]])
const handlers = { list: [(x: number) => x + 1, Math.abs, String, parseInt.bind(null, '11') as any, Number.prototype.toFixed], sym: { [Symbol.for('k')]: () => 'sym', [Symbol.iterator]: function* () { yield 9 } } }
const set = new Set([() => 1, () => 2])
const curry = (f: any) => (...a: any[]) => a.length >= f.length ? f(...a) : curry(f.bind(null, ...a))
const add3 = curry((a: number, b: number, c: number) => a + b + c)
const add12 = add3(1)(2)
const compose = (...fs: any[]) => (x: any) => fs.reduceRight((v, f) => f(v), x)
const pipeline = compose((x: number) => x * 2, Math.round, (x: number) => x + 0.6)
const memo = (f: (n: number) => number) => { const cache = new Map<number, number>(); const m = (n: number): number => { if (!cache.has(n)) cache.set(n, f(n)); return cache.get(n)! }; m.cache = cache; return m }
const slow = memo(n => n * 100); slow(1); slow.cache.set(2, -2)
const debounce = (() => { let n = 0; return Object.assign(() => ++n, { reset: () => { n = 0 }, peek: () => n }) })(); debounce()
export const cases = [
 { fn: () => [ops.get('+')!(1, 2), ops.get('*')!(3, 4), ops.get('max')!(5, 6)], expected: [3, 12, 6] },
 { fn: () => [handlers.list.slice(0, 4).map((f: any) => f(-7)), (handlers.list[4] as any).call(1.256, 1), (handlers.sym as any)[Symbol.for('k')](), [...(handlers.sym as any)], [...set].map(f => f())], expected: [[-6, 7, '-7', NaN], '1.3', 'sym', [9], [1, 2]] },
 { fn: () => [add12(10), add3(1, 2, 3)], expected: [13, 6] },
 { fn: pipeline, args: [1.2], expected: 4 },
 { fn: () => [slow(1), slow(2), slow(3), slow.cache.size], expected: [100, -2, 300, 3] },
 { fn: () => { debounce(); const p = debounce.peek(); debounce.reset(); return [p, debounce()] }, expected: [2, 1] },
]
