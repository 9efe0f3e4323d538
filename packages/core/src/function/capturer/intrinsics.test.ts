import vm from 'node:vm'
import { expect, test } from 'vitest'
import { builtinMemberOf } from './builtin-modules.ts'
import { foreignIntrinsicExpression, hostExpression, intrinsicExpression } from './intrinsics.ts'

const valueOf = (expression: string | undefined): unknown => vm.runInThisContext(`(${expression})`)

test('finds expressions that give the values of the language', () => {
  const values: unknown[] = [
    Map,
    Map.prototype,
    Array.prototype.map,
    Object.getOwnPropertyDescriptor(Map.prototype, 'size')?.get,
    Object.getPrototypeOf(Uint8Array),
    Object.getPrototypeOf(async function* () {}),
    Intl.NumberFormat,
    Symbol.prototype[Symbol.toPrimitive],
    globalThis,
    Reflect,
  ]
  for (const value of values) expect(valueOf(intrinsicExpression(value)) === value).toBe(true)
})

test('finds what the host brings, and nothing of the user', () => {
  expect(valueOf(hostExpression(URL.prototype)) === URL.prototype).toBe(true)
  expect(valueOf(hostExpression(fetch))).toBe(fetch)
  expect(intrinsicExpression(() => 1)).toBeUndefined()
  expect(intrinsicExpression({})).toBeUndefined()
})

test('the worker’s own stands for a function of another realm', () => {
  const realm = vm.createContext({})
  const foreign = vm.runInContext('Array.prototype.map', realm)
  expect(valueOf(foreignIntrinsicExpression(foreign))).toBe(Array.prototype.map)
  expect(foreignIntrinsicExpression(Array.prototype.map)).toBeUndefined()
})

test('finds members of built-in modules', async () => {
  const { readFileSync } = await import('node:fs')
  expect(builtinMemberOf(readFileSync)).toEqual({
    module: 'node:fs',
    name: 'readFileSync',
    isPrototype: false,
  })
  expect(builtinMemberOf({})).toBeUndefined()
})
