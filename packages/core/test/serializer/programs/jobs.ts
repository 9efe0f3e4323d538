// Run by every runner of the matrix, from the same text. No type checks here: some runners only strip types.
import dflt, { K as KK, helper, live, Point, type T } from './util.ts'
import * as ns from './util.ts'
import * as fs from 'node:fs'
import { existsSync as ex, readFileSync } from 'node:fs'
import os from 'node:os'
import _ from 'lodash-es'
import { chunk } from 'lodash-es'
import lodash from 'lodash'
import { z } from 'zod'

enum Color {
  Red,
  Green = 5,
}
const config: { a: number } = { a: 1 }
let counter = 0
class Local {
  private p = 1
  #q = 2
  public static S = 3
  constructor(public v: number) {}
  sum(): number {
    return this.p + this.#q + this.v
  }
  arrow = (x: number) => x + this.v
  later() {
    return async (x: number, y = 1) => {
      await null
      return [x * y, this.v, this.#q]
    }
  }
}
class Sub extends Local {
  constructor() {
    super(10)
  }
  override sum() {
    return super.sum() * 2
  }
}
class OwnError extends Error {
  code: number = 7
}
const schema = z.object({ a: z.number() })

export const cases = [
  { name: 'closure', fn: (() => { const n: number = 3; const inner = (q: number) => q * n; return async (x: number): Promise<any> => { const nested = (w: number) => w + 1; return [inner(x), nested(config.a), counter] } })(), args: [2], expected: [6, 2, 0] },
  { name: 'imports', fn: () => [dflt(KK), helper(1), new Point(3, 4).len(), ns.live, live, ns.default(2)], expected: [84, 143, 5, 1, 1, 4] },
  { name: 'built-ins', fn: () => [fs.existsSync('/'), typeof readFileSync('/etc/hostname', 'utf8'), ex('/'), os.EOL], expected: [true, 'string', true, '\n'] },
  { name: 'lodash-es', fn: () => [_.add(1, 2), chunk([1, 2, 3], 2)], expected: [3, [[1, 2], [3]]] },
  { name: 'lodash', fn: () => lodash.chunk([1, 2, 3], 2), expected: [[1, 2], [3]] },
  { name: 'enum', fn: () => [Color.Red, Color.Green, Color[5]], expected: [0, 5, 'Green'] },
  { name: 'local class', fn: () => { const l = new Local(1); return [l.sum(), Local.S, new Sub().sum(), l.arrow(2)] }, expected: [4, 3, 26, 3] },
  { name: 'instance', fn: (() => { const i = new Sub(); return () => [i.sum(), i instanceof Local] })(), expected: [26, true] },
  { name: 'this arrow', fn: new Local(5).arrow, args: [1], expected: 6 },
  { name: 'async this arrow', fn: new Local(5).later(), args: [2], expected: [2, 5, 2] },
  { name: 'zod', fn: (x: any) => schema.safeParse(x).success, args: [{ a: 1 }], expected: true, mayWarn: true },
  { name: 'imported root', fn: helper, args: [1], expected: 143 },
  { name: 'point instance', fn: (() => { const p = new Point(3, 4); return () => [p.len(), p instanceof Point] })(), expected: [5, true] },
  { name: 'dynamic import', fn: async () => (await import('./util.ts')).helper(1), expected: 143 },
  { name: 'optional chaining', fn: (o?: any) => o?.a?.b ?? KK, expected: 42 },
  { name: 'generics, satisfies', fn: <T,>(x: T) => ({ x } satisfies any), args: [1], expected: { x: 1 } },
  { name: 'async generator', fn: async () => { async function* g() { yield 1; yield* [2, 3] } const o: number[] = []; for await (const v of g()) o.push(v); return o }, expected: [1, 2, 3] },
  { name: 'shared state', fn: (() => { let n = 0; const inc = () => ++n; return () => [inc(), inc(), n] })(), expected: [1, 2, 2] },
  { name: 'own error class', fn: () => { throw new OwnError('mine') }, throws: (error: any) => { if (!(error instanceof OwnError) || error.code !== 7) throw error } },
]
export type Item = T
