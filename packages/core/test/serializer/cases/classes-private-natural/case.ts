class Counter { #n = 0; static #instances = 0; static { Counter.#instances = 10 } static count = Counter.#instances + 1
 get #next() { return ++this.#n } set #val(v: number) { this.#n = v } #priv(x: number) { return x + this.#n } static #spriv() { return 'sp' + Counter.#instances }
 inc() { return this.#next } set(v: number) { this.#val = v; return this } calc(x: number) { return this.#priv(x) } static info() { return Counter.#spriv() } static is(o: any) { return #n in o } static async *gen() { yield Counter.#instances }
 eq(o: Counter) { return o.#n === this.#n } }
class Sub extends Counter { #n = 'sub'; both() { return [this.#n, this.inc()] } }
const c = new Counter().set(5), s = new Sub(); s.inc()
const objs = new Map([['c', c], ['s', s as Counter]])
class Node2 { #next: Node2 | null = null; constructor(public v: number) {} link(n: Node2) { this.#next = n; return n } walk(k: number): number[] { return k ? [this.v, ...this.#next!.walk(k - 1)] : [] } }
const n1 = new Node2(1), n2 = new Node2(2); n1.link(n2).link(n1)
export const cases = [ { fn: () => [c.inc(), c.calc(10), Counter.info(), Counter.count, Counter.is(c), Counter.is({}), objs.get('s')!.inc(), s.both(), c.eq(new Counter().set(6))], expected: [6, 16, 'sp10', 11, true, false, 2, ['sub', 3], true] }, { fn: () => n1.walk(5), expected: [1, 2, 1, 2, 1] }, { fn: async () => { const o = []; for await (const x of Counter.gen()) o.push(x); return o }, expected: [10] } ]
