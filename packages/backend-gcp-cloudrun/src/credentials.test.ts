import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readCredentials } from './credentials.ts'

const folder = mkdtempSync(join(tmpdir(), 'lithops-test-credentials-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const read = (credentialsPath: string | undefined, environment = {}, credentials?: string) =>
  readCredentials({ credentialsPath, credentials }, environment)
const key = (more: object = {}) =>
  JSON.stringify({ type: 'service_account', client_email: 'a@b.iam', private_key: 'x', ...more })

test('a key is read from the config, its path, or the environment, in this order', () => {
  const file = join(folder, 'key.json')
  writeFileSync(file, key({ project_id: 'of-the-file' }))
  expect(read(file)?.content.project_id).toBe('of-the-file')
  expect(read(undefined, { GOOGLE_APPLICATION_CREDENTIALS: file })?.content.project_id).toBe('of-the-file')
  const given = read(undefined, { GOOGLE_APPLICATION_CREDENTIALS: file }, key({ project_id: 'given' }))
  expect(given?.content.project_id).toBe('given')
  expect(read(undefined)).toBeUndefined()
})

test.each([
  ['private-word', 'is not JSON'],
  [JSON.stringify({ type: 'private-word' }), "its 'type' must be one of service_account"],
  [JSON.stringify({ type: 'service_account', client_email: 'private-word' }), 'is not whole'],
])('%s is refused, and not shown', (text, said) => {
  const check = () => read(undefined, {}, text)
  expect(check).toThrow(said)
  expect(check).not.toThrow(/private-word/)
})

test('a file that is not there is said with who named it', () => {
  const missing = join(folder, 'missing.json')
  expect(() => read(missing)).toThrow(`gcp_cloudrun.credentials_path: ${missing} cannot be read (ENOENT)`)
  expect(() => read(undefined, { GOOGLE_APPLICATION_CREDENTIALS: missing })).toThrow(
    `GOOGLE_APPLICATION_CREDENTIALS: ${missing} cannot be read`,
  )
})
