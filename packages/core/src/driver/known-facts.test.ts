import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test, vi } from 'vitest'
import { KnownFacts } from './known-facts.ts'

const folder = mkdtempSync(join(tmpdir(), 'lithops-test-facts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
  vi.stubEnv('LITHOPS_CACHE_DIR', folder)
})

type Facts = { readonly services: { readonly url: string }; readonly digests: string }
const open = (...scope: unknown[]) => new KnownFacts<Facts>('kit', scope)

test('what one program has found out, the next one knows, in a file for this user alone', () => {
  const first = open('a', 'secret-token')
  first.add('services', 'one', { url: 'http://one' })
  first.add('digests', 'image', 'sha256:1')
  const next = open('a', 'secret-token')
  expect(next.find('services', 'one')).toEqual({ url: 'http://one' })
  expect(next.find('digests', 'image')).toBe('sha256:1')
  expect(open('b').find('digests', 'image')).toBeUndefined()
  const [name = ''] = readdirSync(folder)
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
  expect(name + readFileSync(join(folder, name), 'utf8')).not.toContain('secret-token')
})

test('what is forgotten is gone for the next program, and the rest stays', () => {
  const facts = open()
  facts.add('digests', 'one', '1')
  open().add('digests', 'two', '2') // another program, meanwhile
  facts.forget('digests', 'one')
  facts.forget('digests', 'never known')
  expect(open().find('digests', 'one')).toBeUndefined()
  expect(open().find('digests', 'two')).toBe('2')
})

test('what another program has found out meanwhile is forgotten too', () => {
  const facts = open()
  open().add('digests', 'theirs', '3')
  facts.forget('digests', 'theirs')
  facts.add('digests', 'mine', '4')
  for (const one of [facts, open()]) expect(one.find('digests', 'theirs')).toBeUndefined()
})

test('the oldest facts of a table make room', () => {
  const facts = open()
  facts.add('services', 'kept', { url: '' })
  for (let i = 0; i < 51; i++) facts.add('digests', `${i}`, `${i}`)
  expect(facts.find('digests', '0')).toBeUndefined()
  expect(facts.find('digests', '50')).toBe('50')
  expect(facts.find('services', 'kept')).toEqual({ url: '' })
})

test('a damaged file is none, and one that cannot be written is no error', () => {
  open().add('digests', 'one', '1')
  const [name = ''] = readdirSync(folder)
  writeFileSync(join(folder, name), '{"digests": {"one"')
  expect(open().find('digests', 'one')).toBeUndefined()
  vi.stubEnv('LITHOPS_CACHE_DIR', join(folder, name, 'below a file'))
  const facts = open()
  facts.add('digests', 'one', '1')
  expect(facts.find('digests', 'one')).toBe('1')
})
