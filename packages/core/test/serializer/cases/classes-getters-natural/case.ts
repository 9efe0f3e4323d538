class Temp { #c = 20; get f() { return this.#c * 9 / 5 + 32 } set f(v) { this.#c = (v - 32) * 5 / 9 } static get zero() { return new Temp() } static #made = 0; static make() { Temp.#made++; return Temp.#made } }
const t = new Temp(); t.f = 212
const proto = { get double() { return (this as any).n * 2 }, set half(v: number) { (this as any).n = v / 2 } }
const derived = Object.create(proto, { n: { value: 4, writable: true, enumerable: false } })
const lazy = { get v() { Object.defineProperty(this, 'v', { value: 42, enumerable: true }); return 42 } }
export const cases = [
 { fn: () => [t.f, Temp.zero.f, Temp.make()], expected: [212, 68, 1] },
 { fn: () => { derived.half = 10; return [derived.double, Object.keys(derived).length] }, expected: [10, 0] },
 { fn: () => [lazy.v, lazy.v], expected: [42, 42] },
]
