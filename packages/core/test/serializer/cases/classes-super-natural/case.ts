const base = { hi(n: string) { return 'hi ' + n }, get kind() { return 'base' } }
const child = { __proto__: base, hi(n: string) { return super.hi(n) + '!' }, get kind() { return 'child of ' + super.kind } } as any
const mid = Object.setPrototypeOf({ hi(this: any, n: string) { return 'mid ' + super.hi(n) } } as any, child)
const arrowsuper = Object.setPrototypeOf({ hi(n: string) { return [n].map(x => super.hi(x)).join() } } as any, base)
class A { static s() { return 'A.s' } m() { return 'A.m' } }
class B extends A { static override s() { return super.s() + '>B' } override m() { const f = () => super.m(); return f() + '>B' } x = super.m() + 'field' }
const bm = B.prototype.m
export const cases = [ { fn: () => [child.hi('x'), child.kind, mid.hi('y'), arrowsuper.hi('q')], expected: ['hi x!', 'child of base', 'mid hi y!', 'hi q'] }, { fn: () => [B.s(), new B().m(), new B().x], expected: ['A.s>B', 'A.m>B', 'A.mfield'] }, { name: 'method alone with super', fn: () => bm.call(new B()), fails: /bm cannot be copied because it uses 'super'.*call it as a method/ }, { name: 'method of literal as root', fn: child.hi, args: ['z'], fails: /super/ } ]
