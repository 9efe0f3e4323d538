import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import * as publicApi from '../index.ts'
import * as errors from './index.ts'

const source = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(new URL('../../../../docs/reference/errors.md', import.meta.url), 'utf8')

/** Codes that the source throws: literals that begin with LITHOPS_ and stand after `code`. */
function codesInSource(): Set<string> {
  const codes = new Set<string>()
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(ts|mjs)$/.test(name) || /\.test\.ts$|^testing/.test(name)) continue
    const text = readFileSync(join(source, name), 'utf8')
    for (const [, code] of text.matchAll(/code(?::|\s\?\?)\s*'(LITHOPS_[A-Z_]+)'/g)) codes.add(code as string)
  }
  return codes
}

test('every error class is exported to users and to drivers, and stands in the reference', () => {
  for (const name of Object.keys(errors)) {
    expect(publicApi, name).toHaveProperty(name)
    expect(page).toContain(`\`${name}\``)
  }
})

test('every code that is thrown stands in the reference, and the other way round', () => {
  const documented = new Set(Array.from(page.matchAll(/`(LITHOPS_[A-Z_]+)`/g), ([, code]) => code as string))
  expect([...codesInSource()].sort()).toEqual([...documented].sort())
})

test('isInstance knows classes and those derived from them', () => {
  const error = new errors.CallTimeoutError('late')
  expect(errors.CallError.isInstance(error)).toBe(true)
  expect(errors.LithopsError.isInstance(error)).toBe(true)
  expect(errors.StorageError.isInstance(error)).toBe(false)
  expect(errors.LithopsError.isInstance(new Error('x'))).toBe(false)
  expect(error).toMatchObject({
    name: 'CallTimeoutError',
    code: 'LITHOPS_CALL_TIMEOUT',
    isRetryable: false,
    details: {},
  })
})
