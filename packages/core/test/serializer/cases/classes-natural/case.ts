import { EventEmitter } from 'node:events'
import { Readable, Transform } from 'node:stream'
class Repo<T> { private readonly items = new Map<string, T>(); #hits = 0; readonly find = (id: string) => { this.#hits++; return this.items.get(id) }; add(id: string, t: T) { this.items.set(id, t); return this } get hits() { return this.#hits } toJSON() { return { n: this.items.size } } [Symbol.toPrimitive](hint: string) { return hint === 'number' ? 1 : 'repo' } static [Symbol.hasInstance](x: any) { return x && 'find' in x } }
const repo = new Repo<number>().add('a', 1)
const Mixin = <B extends new (...a: any[]) => object>(Base: B) => class Mixed extends Base { #m = 'm'; mixed() { return this.#m } static made = 0; constructor(...a: any[]) { super(...a); Mixed.made++ } }
class Root { constructor(readonly r = 'r') {} }
class Both extends Mixin(Mixin(Root)) { both() { return this.mixed() + this.r } }
const both = new Both('x')
class Bus extends EventEmitter { last: any; constructor() { super(); this.on('x', v => { this.last = v }) } }
const bus = new Bus()
class Up extends Transform { _transform(c: any, _: any, cb: any) { cb(null, String(c).toUpperCase()) } }
class Singleton { static #i?: Singleton; static get instance() { return this.#i ??= new Singleton() } v = Math.random() }
const single = Singleton.instance
abstract class Shape { abstract area(): number; static create(k: string): Shape { return k === 'sq' ? new Sq(2) : new Ci(1) } }
class Sq extends Shape { constructor(private s: number) { super() } area() { return this.s ** 2 } } class Ci extends Shape { constructor(private r: number) { super() } area() { return Math.round(3 * this.r) } }
const builder = { parts: [] as string[], with(p: string) { this.parts.push(p); return this }, build() { return this.parts.join('-') } }.with('a')
const inst = new (class { x = 1; y = () => this.x; static z = 5 })()
class Meta { static { Object.defineProperty(this, 'hidden', { value: 7 }) } static async load() { return (this as any).hidden } async *gen() { yield* [1, 2] } get ['com' + 'puted']() { return 'c' } static 'quoted name'() { return 'q' } 42() { return 'n' } }
class Gen<T> { constructor(public v: T) {} map<U>(f: (t: T) => U) { return new Gen(f(this.v)) } }
class ErrBase extends Error { static [Symbol.hasInstance](x: any) { return x?.isErrBase } isErrBase = true; constructor(m: string) { super(m); Object.setPrototypeOf(this, new.target.prototype) } }
export const cases = [
 { fn: () => [repo.find('a'), repo.hits, JSON.stringify(repo), `${repo}`, +repo, ({ find: 1 }) instanceof Repo], expected: [1, 1, '{"n":1}', 'repo', 1, true] },
 { fn: () => [both.both(), both instanceof Root, new Both('n').both(), (Both as any).made], expected: ['mx', true, 'mn', 0 + (2)], check: (r: any) => { if (r[0] !== 'mx' || !r[1] || r[2] !== 'mn') throw new Error(JSON.stringify(r)) } },
 { fn: () => { bus.emit('x', 3); return bus.last }, expected: 3 },
 { fn: async () => { const out = []; for await (const c of Readable.from(['a', 'b']).pipe(new Up())) out.push(String(c)); return out.join('') }, expected: 'AB' },
 { fn: () => [Singleton.instance === single, single.v], check: (r: any) => { if (!r[0] || r[1] !== single.v) throw new Error(JSON.stringify(r)) } },
 { fn: () => [Shape.create('sq').area(), Shape.create('x').area(), builder.with('b').build(), inst.y(), (inst.constructor as any).z], expected: [4, 3, 'a-b', 1, 5] },
 { fn: async () => { const m = new Meta(); const o = []; for await (const x of m.gen()) o.push(x); return [await Meta.load(), o, (m as any).computed, (Meta as any)['quoted name'](), m[42]()] }, expected: [7, [1, 2], 'c', 'q', 'n'] },
 { fn: () => new Gen(2).map(x => x + 1), check: (r: any) => { if (!(r instanceof Gen) || r.v !== 3) throw new Error('gen') } },
 { fn: () => { throw new ErrBase('eb') }, throws: (e: any) => { if (!(e instanceof ErrBase) || e.message !== 'eb' || Object.getPrototypeOf(e) !== ErrBase.prototype) throw new Error('eb ' + e.constructor.name) } },
]
