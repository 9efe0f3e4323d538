import dflt, { K as KK, helper, live } from './util.mjs'
import * as ns from './util.mjs'
export const cases = [
  { name: 'all styles', fn: () => [dflt(2), KK, ns.K, helper(1), live, ns.default(3)], expected: [4, 42, 42, 143, 1, 6] },
  { name: 'dynamic import', fn: async () => (await import('./util.mjs')).helper(1), expected: 143 },
  { name: 'dynamic import of a built-in', fn: async () => (await import('node:os')).EOL, expected: '\n' },
]
