let a = 1, b = { c: [2, { d: 3 }] }, undefinedVar
const fns = { async: async () => 1, get: () => 2, set: () => 3, static: () => 4, of: () => 5, await: () => 6, yield: () => 7, new: () => 8, 'a-b': () => 9, 0: () => 10, [Symbol.for('q')]: () => 11 }
const $h = 'h', $f = 'f', $n = 'n', $v = 'v', $s = 's', $p = 'p', module = 'm', exports = 'e', arguments_ = 'args', $import = 'i'
const longchain = x => x?.a?.[0]?.(1) ?? ((x ||= { z: 1 }), (x.z &&= 5), (x.y ??= 6), x)
const re = /[/\]]+(?<y>\d{4})/u
const big = 10n ** 20n, num = 1_000_000, hex = 0xFF, oct = 0o17, bin = 0b11, exp = 1e-7
async function* agen() { try { yield 1; yield await Promise.resolve(2) } finally { a++ } }
const swap = ([x, y = x]) => [y, x]; const deep = ({ a: { b: [, { c = 5 } = {}] = [] } = {}, ...r }) => [c, r]
const comma = (x, y) => (x++, y--, x + y); const voided = () => void 0; const tern = x => x > 1 ? x < 3 ? 'two' : 'big' : 'small'
const iife = (() => { let hidden = 42; return { get: () => hidden, set: v => { hidden = v } } })()
const sw = x => { switch (true) { case x < 0: return 'neg'; case x === 0: { let z = 'zero'; return z } default: break } return 'pos' }
const htmlish = () => `<div class="${`a${1}`}">${'</script>'}${`\${x}`}</div>`
const ünïcödé = 'ü', \u0061bc = 'abc'
const getset = { _v: 1, get v() { return this._v }, set v(x) { this._v = x * 2 }, async *[Symbol.asyncIterator]() { yield this._v } }
function hoist() { return inner(); function inner() { return typeof later } } var later = 1
const catcher = () => { try { null.x } catch { return 'caught' } finally { a = 100 } }
const del = () => { const o = { x: 1, y: 2 }; delete o.x; return 'x' in o }
const counter = { n: 0 }; const tagfn = (s, ...v) => s.raw.length + v.length
const sleep = (ms, { signal } = {}) => new Promise((res, rej) => { const t = setTimeout(res, ms); signal?.addEventListener('abort', () => { clearTimeout(t); rej(signal.reason) }) })
const obj = { __proto__: null, x: 1 }; const obj2 = { ['__proto__']: 5, constructor: 1 }
const weird = { toString() { return 'w' }, valueOf() { return 7 }, [Symbol.toStringTag]: 'Weird' }
export const cases = [
 { fn: async () => [await fns.async(), fns.get(), fns.set(), fns.static(), fns.of(), fns.await(), fns.yield(), fns.new(), fns['a-b'](), fns[0](), fns[Symbol.for('q')]()], expected: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] },
 { fn: () => [$h, $f, $n, $v, $s, $p, module, exports, arguments_, $import].join(''), expected: 'hfnvspmeargsi' },
 { fn: () => [longchain(null), longchain({ a: [x => x] }), longchain({ z: 3 })], expected: [{ z: 5, y: 6 }, 1, { z: 5, y: 6 }] },
 { fn: () => [re.exec('/]2020').groups.y, big, num, hex, oct, bin, exp], expected: ['2020', 10n ** 20n, 1e6, 255, 15, 3, 1e-7] },
 { fn: async () => { const o = []; for await (const x of agen()) { o.push(x); if (x === 2) break } return [o, a, b.c[1].d, undefinedVar] }, expected: [[1, 2], 2, 3, undefined] },
 { fn: () => [swap([1]), deep({ a: { b: [0, {}] }, q: 1 }), deep({}), comma(1, 2), voided(), tern(2), tern(9)], expected: [[1, 1], [5, { q: 1 }], [5, {}], 3, undefined, 'two', 'big'] },
 { fn: () => { iife.set(1); return [iife.get(), sw(-1), sw(0), sw(1), htmlish(), ünïcödé, abc] }, expected: [1, 'neg', 'zero', 'pos', '<div class="a1"></script>${x}</div>', 'ü', 'abc'] },
 { fn: async () => { getset.v = 4; const o = []; for await (const x of getset) o.push(x); return [getset.v, o, hoist(), catcher(), a, del(), tagfn`a${1}b`] }, expected: [8, [8], 'number', 'caught', 100, false, 3] },
 { fn: async () => sleep(5000, { signal: AbortSignal.timeout(5) }).catch(e => e.name), expected: 'TimeoutError' },
 { fn: () => [Object.getPrototypeOf(obj), Object.keys(obj2), `${weird}`, weird + 1, String(Object.prototype.toString.call(weird))], expected: [null, ['__proto__', 'constructor'], 'w', 8, '[object Weird]'] },
 { fn: () => { counter.n++; { let counter = { n: 50 }; counter.n++; var shadow = counter.n } return [counter.n, shadow] }, expected: [1, 51] },
]
