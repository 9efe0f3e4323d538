// Sloppy code reaches captured variables, imports and other functions through live accessors.
const path = require('node:path')
const { twice } = require('./helper.cjs')
let count = 0
let label = 'start'
function Counter(step) { this.step = step }
Counter.prototype.next = function () { count += this.step; return count }
const counter = new Counter(2)
const config = { name: 'a', nested: { list: [1] } }
function bump(o) { o.seen = true; label = label + '!'; return { label, o } }
const readCount = () => count
function looseArguments(a) { arguments[0] = 'changed'; return a }
const lazy = () => { const o = {}; o.base = require('node:path').basename('/x/y'); return o.base }
async function dynamic() { const o = {}; o.sep = (await import('node:path')).sep; return o.sep }
function calleeHasNoThis() { function inner() { return this === globalThis } const o = {}; o.result = inner(); return o.result }

exports.cases = [
  { name: 'prototype methods share state', fn: () => [counter.next(), counter.next(), readCount(), counter instanceof Counter], expected: [2, 4, 4, true] },
  { name: 'writes to captured variables', fn: () => { const { o } = bump({}); return [o.seen, bump({}).label, label] }, expected: [true, 'start!!', 'start!!'] },
  { name: 'shorthand and templates', fn: function () { this.x = 1; const out = { config, count }; out.text = `${config.name}${path.basename('/a/b')}${twice(2)}`; return [out.text, out.count, out.config.nested.list] }, check: result => { if (result[0] !== 'ab4') throw new Error(JSON.stringify(result)) } },
  { name: 'arguments are live', fn: () => looseArguments('as given'), expected: 'changed' },
  { name: 'require inside', fn: () => lazy(), expected: 'y' },
  { name: 'import inside', fn: () => dynamic(), expected: '/' },
  { name: 'this of a plain call', fn: () => calleeHasNoThis(), expected: true },
  { name: 'errors name the file', fn: () => { const o = {}; o.x = 1; throw new Error('here') }, throws: error => { if (!/case\.cjs:25:/.test(error.stack)) throw new Error(error.stack) } },
]
