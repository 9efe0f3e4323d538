import { expect, test } from 'vitest'
import { factsIn, isRunName, prefixOf, runName, runtimeName, userKey } from './names.ts'

test('names are labels of DNS, as short as asked, and tell users and contents apart', () => {
  const name = (user: string, runtime: string, content: string, memoryMiB = 512) =>
    runtimeName(userKey(user), { name: runtime, memoryMiB }, content)
  const names = [
    name('Alice Müller-Lüdenscheidt', 'icr.io/team/My_Runtime:1.2', 'a'),
    name('alice.m', 'default', 'a'),
    name('alice-m', 'default', 'a'),
    name('alice-m', 'default', 'b'),
    name('...', '___', 'a', 49_152),
  ]
  for (const one of names) expect(one).toMatch(/^[a-z][a-z0-9-]{0,51}[a-z0-9]$/)
  expect(new Set(names).size).toBe(names.length)
})

test('no prefix of a user begins that of another', () => {
  const key = userKey('alice')
  // somebody who is named like the prefix of another
  expect(prefixOf(userKey(key)).startsWith(prefixOf(key))).toBe(false)
  expect(key).not.toContain('-')
})

test('runs are known by their names', () => {
  const user = userKey('alice')
  const name = runName(user, 'a1b2c3-0-M000')
  expect(name).toMatch(/^[a-z][a-z0-9-]{0,51}[a-z0-9]$/)
  expect(isRunName(user, name)).toBe(true)
  expect(isRunName(userKey('bob'), name)).toBe(false)
  expect(isRunName(user, runtimeName(user, { name: 'run', memoryMiB: 512 }, 'x'))).toBe(false)
  expect(runName(user, 'a1b2c3-0-M000')).not.toBe(name)
})

test('what a job is, is in its variables', () => {
  const value = JSON.stringify({ runtime: 'default', memoryMiB: 512, version: '1' })
  expect(factsIn([{ name: 'LITHOPS_RUNTIME', value }])).toMatchObject({ runtime: 'default' })
  for (const other of [
    undefined,
    [],
    [{ name: 'LITHOPS_RUNTIME', value: '{' }],
    [{ name: 'LITHOPS_RUNTIME', value: '{}' }],
  ])
    expect(factsIn(other)).toBeUndefined()
})
