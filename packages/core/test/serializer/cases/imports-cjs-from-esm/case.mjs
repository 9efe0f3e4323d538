import whole, { q } from './dependency.cjs'
import single from './single.cjs'
import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
const again = require('./dependency.cjs')
export const cases = [
  { name: 'default and named', fn: () => [whole.q, q, whole.f()], expected: [7, 7, 12] },
  { name: 'module.exports = function', fn: x => single(x), args: [2], expected: 6 },
  { name: 'createRequire', fn: () => again.f(), expected: 12 },
]
