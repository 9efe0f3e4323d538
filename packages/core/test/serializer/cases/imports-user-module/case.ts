import dflt, { K as KK, Point, bump, helper, hiddenFn, live } from './util.ts'
import * as ns from './util.ts'

const point = new Point(1, 2)
export const cases = [
  { name: 'default, named, renamed, namespace', fn: () => [dflt(2), KK, ns.K, helper(1), new Point(3, 4).len(), live, hiddenFn(), ns.default(3)], expected: [4, 42, 42, 143, 5, 1, 100, 6] },
  { name: 'instance of an imported class', fn: () => [point instanceof Point, point.len(), point.constructor === Point], expected: [true, Math.hypot(1, 2), true] },
  { name: 'imported function as the function', fn: helper, args: [1], expected: 143 },
  { name: 'dynamic import', fn: async () => (await import('./util.ts')).helper(1), expected: 143 },
  { name: 'same name in two modules', fn: (() => { const K = 1; return () => [K, helper(0)] })(), expected: [1, 142] },
  { name: 'state starts anew', fn: () => { bump(); return live }, expected: 2 },
]
bump()
