import { expect, test } from 'vitest'
import { userKey, workerName } from './worker-names.ts'

test('names are labels of DNS, as short as asked, and tell users and contents apart', () => {
  const name = (user: string, runtime: string, content: string, memoryMiB = 512) =>
    workerName(userKey(user), { name: runtime, memoryMiB }, { content, characters: 50 })
  const names = [
    name('Alice Müller-Lüdenscheidt', 'icr.io/team/My_Runtime:1.2', 'a'),
    name('alice.m', 'default', 'a'),
    name('alice-m', 'default', 'a'),
    name('alice-m', 'default', 'b'),
    name('...', '___', 'a', 16_384),
  ]
  for (const one of names) expect(one).toMatch(/^[a-z]([a-z0-9-]{0,48}[a-z0-9])$/)
  expect(new Set(names).size).toBe(names.length)
  expect(names[0]).toContain('-my-runti-')
})
