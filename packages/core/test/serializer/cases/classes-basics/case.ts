class Base {
  constructor(public n: number) {}
  hello() { return `base${this.n}` }
  static make() { return 'S' }
  get one() { return 1 }
}
class Derived extends Base {
  extra = 5
  override hello() { return super.hello() + this.extra }
  static override make() { return `${super.make()}D` }
}
const instance = new Derived(2)
const Anonymous = class { value = 42 }
const mixin = <C extends new (...args: any[]) => Base>(Parent: C) => class extends Parent { mixed() { return `m${this.hello()}` } }
class Mixed extends mixin(Base) {}

export const cases = [
  { name: 'class', fn: () => { const d = new Derived(1); return [d.hello(), Derived.make(), d instanceof Base, d.one, Derived.name] }, expected: ['base15', 'SD', true, 1, 'Derived'] },
  { name: 'instance', fn: () => [instance.hello(), instance instanceof Derived, instance.constructor === Derived], expected: ['base25', true, true] },
  { name: 'anonymous', fn: () => [new Anonymous().value, Anonymous.name], expected: [42, 'Anonymous'] },
  { name: 'mixin', fn: () => new Mixed(1).mixed(), expected: 'mbase1' },
]
