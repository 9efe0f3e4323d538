import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
const load = createRequire(import.meta.url)
const dependency = require('./dependency.cjs')
const things = [new dependency.Thing(1)]
export const cases = [
  { name: 'in the function', fn: () => require('./dependency.cjs').value, expected: 7 },
  { name: 'under another name', fn: () => load('./dependency.cjs').value, expected: 7 },
  { name: 'a built-in module', fn: () => require('node:path').sep + load('path').sep, expected: '//' },
  { name: 'outside of it', fn: () => [dependency.value, things[0].v], expected: [7, 1] },
  { name: 'a name that is computed', fn: name => require(name).sep, args: ['path'], expected: '/' },
]
