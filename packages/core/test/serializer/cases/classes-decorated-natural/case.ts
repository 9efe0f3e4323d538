function logged<T extends (...a: any[]) => any>(fn: T, ctx: ClassMethodDecoratorContext) { return function (this: any, ...a: any[]) { return ['log ' + String(ctx.name), fn.apply(this, a)] } as unknown as T }
function double(_: undefined, ctx: ClassFieldDecoratorContext) { return (v: number) => v * 2 }
function tagged(tag: string) { return <C extends new (...a: any[]) => any>(c: C, _: ClassDecoratorContext) => class extends c { tag = tag } }
@tagged('T') class Svc { @double n = 4; @logged add(x: number) { return this.n + x } @logged static st() { return 1 } accessor z = 9 }
const s = new Svc()
export const cases = [
 { fn: () => [s.add(1), (s as any).tag, s.z, s instanceof Svc], expected: [['log add', 9], 'T', 9, true] },
 { fn: () => { const t = new Svc(); return [t.add(2), (t as any).tag, Svc.st()] }, expected: [['log add', 10], 'T', ['log st', 1]] },
]
