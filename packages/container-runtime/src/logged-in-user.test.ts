import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loggedInUser } from './logged-in-user.ts'

const root = mkdtempSync(join(tmpdir(), 'lithops-test-logins-'))
afterAll(() => rmSync(root, { recursive: true }))
const home = (name: string, files: Record<string, string>) => {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name, file)), { recursive: true })
    writeFileSync(join(root, name, file), text)
  }
  return { HOME: join(root, name) }
}
const auth = Buffer.from('anna:a-token').toString('base64')

test('who has logged in with docker or podman is found, and nobody else', () => {
  const docker = { auths: { 'https://index.docker.io/v1/': { auth }, 'quay.io': { auth: 'eDp5' } } }
  expect(loggedInUser(home('docker', { '.docker/config.json': JSON.stringify(docker) }))).toBe('anna')
  const podman = { auths: { 'docker.io': { auth } } }
  expect(loggedInUser(home('podman', { 'run/containers/auth.json': JSON.stringify(podman) }))).toBeUndefined()
  expect(loggedInUser({ ...home('podman', {}), XDG_RUNTIME_DIR: join(root, 'podman', 'run') })).toBe('anna')
  const file = join(root, 'podman', 'run', 'containers', 'auth.json')
  expect(loggedInUser({ HOME: root, REGISTRY_AUTH_FILE: file })).toBe('anna')
  // as docker writes it where a helper keeps the login
  const helped = { auths: { 'https://index.docker.io/v1/': {} }, credsStore: 'desktop' }
  expect(loggedInUser(home('helped', { '.docker/config.json': JSON.stringify(helped) }))).toBeUndefined()
  expect(loggedInUser(home('broken', { '.docker/config.json': '{' }))).toBeUndefined()
  expect(loggedInUser({ HOME: join(root, 'nobody') })).toBeUndefined()
})
