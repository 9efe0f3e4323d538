import { parse } from 'acorn'
import { expect, test } from 'vitest'
import { mayDependOnSloppyMode } from './strictness.ts'

const depends = (source: string) =>
  mayDependOnSloppyMode(
    parse(source, { ecmaVersion: 'latest', sourceType: 'script' }),
    ({ name }) => name === 'undeclared',
  )

test.each([
  'x => x + 1',
  '(a, b) => { let sum = a; sum += b; sum++; return { sum, text: String(sum) } }',
  'async function f() { for (const x of await g()) h(x) }',
  'function outer() { function inner() { return 1 } return inner() }',
  '"\\0".length + 0.5 + 10',
  'class A { m() { this.x = 1; return arguments.length } }',
])('means the same in strict code: %s', source => {
  expect(depends(source)).toBe(false)
})

test.each([
  ['assigns to a member, which may be read-only', 'o => { o.a = 1 }'],
  ['assigns to what is not declared', '() => { undeclared = 1 }'],
  ['counts up a member', 'o => o.n++'],
  ['deletes', 'o => delete o.a'],
  ['uses this', 'function f() { return this }'],
  ['uses arguments', 'function f(a) { return arguments[0] }'],
  ['octal number', '() => 010'],
  ['octal escape', '() => "\\101"'],
  ['function in a block', '() => { { function f() {} } return typeof f }'],
  ['parameters of one name', 'function f(a, a) { return a }'],
  ['a word that strict code reserves', 'function f(package) { return package }'],
  ['callee', 'f => f.caller'],
])('may not: %s', (_, source) => {
  expect(depends(source)).toBe(true)
})
