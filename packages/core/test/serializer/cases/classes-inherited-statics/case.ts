const shout = (method: (...args: any[]) => string, _: unknown) => function (this: any, ...args: any[]) { return `${method.apply(this, args)}!` }
class Base { static registry = ['base']; static sizes = { s: 1 }; @shout static hello(): string { return `hello ${this.name}` } }
;(Base as any).added = () => 'added'
class Middle extends Base { static level = 2 }
class Top extends Middle { static override hello() { return `${super.hello()}?` } }
const frozen = Object.freeze(class extends Top { static own = 'own' })
export const cases = [
  { name: 'through two classes', fn: () => [Top.registry, Top.sizes.s, Top.level, (Top as any).added()], expected: [['base'], 1, 2, 'added'] },
  { name: 'replaced methods', fn: () => [Top.hello(), Middle.hello()], expected: ['hello Top!?', 'hello Middle!'] },
  { name: 'one object for all', fn: () => { Top.registry.push('top'); return [Base.registry.length, Base.registry === Middle.registry] }, expected: [2, true] },
  { name: 'of a frozen class without a name', fn: () => [frozen.own, frozen.level, frozen.hello()], expected: ['own', 2, 'hello !?'] },
]
