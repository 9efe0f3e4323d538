class Base {
  #a: number
  #loop: Base
  constructor({ a }: { a: number }) {
    this.#a = a
    this.#loop = this
  }
  get a() { return this.#a }
  isOwnLoop() { return this.#loop === this }
  #method() { return `pm${this.#a}` }
  method() { return this.#method() }
  static is(o: object) { return #a in o }
}
class Derived extends Base {
  #a = 9
  z = 4
  constructor(x: number) { super({ a: x }) }
  both() { return [this.a, this.#a, this.z] }
}
const base = new Base({ a: 5 })
const derived = new Derived(8)
const local = new (class extends Base { #q = 3; q() { return this.#q } })({ a: 8 })

export const fn = () => [base.a, base.isOwnLoop(), base.method(), Base.is(base), Base.is({}), derived.both(), local.a, local.q()]
export const expected = [5, true, 'pm5', true, false, [8, 9, 4], 8, 3]
