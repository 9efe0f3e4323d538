import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { imageName, isPublicByDefault, loginOf, type RegistrySettings, registryKind } from './registries.ts'

// nobody has logged in anywhere
beforeAll(() => {
  for (const name of ['HOME', 'DOCKER_CONFIG', 'XDG_RUNTIME_DIR', 'REGISTRY_AUTH_FILE'])
    vi.stubEnv(name, '/no/such/folder')
})
afterAll(() => {
  vi.unstubAllEnvs()
})

test.each([
  ['docker.io', 'docker.io'],
  ['index.docker.io', 'docker.io'],
  ['icr.io', 'icr.io'],
  ['de.icr.io', 'icr.io'],
  ['europe-west1-docker.pkg.dev', 'pkg.dev'],
  ['gcr.io', 'gcr.io'],
  ['eu.gcr.io', 'gcr.io'],
  ['123456789012.dkr.ecr.us-east-1.amazonaws.com', 'ecr'],
  ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'ecr'],
  ['localhost', 'local'],
  ['localhost:5000', 'local'],
  ['127.0.0.1:5000', 'local'],
  ['ghcr.io', 'other'],
  ['notdocker.io', 'other'],
  ['12.dkr.ecr.us-east-1.amazonaws.com', 'other'],
])('%s is a registry of the kind %s', (server, kind) => {
  expect(registryKind(server)).toBe(kind)
})

test.each<[RegistrySettings, string]>([
  [{ dockerServer: 'docker.io', dockerUser: 'me' }, 'docker.io/me/worker:1'],
  [{ dockerServer: 'https://index.docker.io/', dockerUser: 'me' }, 'docker.io/me/worker:1'],
  [{ dockerServer: 'de.icr.io', dockerNamespace: 'ns', dockerUser: 'iamapikey' }, 'de.icr.io/ns/worker:1'],
  [
    { dockerServer: 'pkg.dev', region: 'us-east1', project: 'p' },
    'us-east1-docker.pkg.dev/p/lithops/worker:1',
  ],
  [
    { dockerServer: 'us-east1-docker.pkg.dev', project: 'p', artifactRegistryRepository: 'r' },
    'us-east1-docker.pkg.dev/p/r/worker:1',
  ],
  [{ dockerServer: 'gcr.io', project: 'p' }, 'gcr.io/p/worker:1'],
  [{ dockerServer: 'localhost:5000' }, 'localhost:5000/worker:1'],
  [{ dockerServer: 'ghcr.io', dockerUser: 'me' }, 'ghcr.io/me/worker:1'],
])('images of %j are named %s', (settings, name) => {
  expect(imageName('knative', settings, 'worker:1')).toBe(name)
})

test.each<[RegistrySettings, string]>([
  [{ dockerServer: 'docker.io' }, 'knative.docker_user is missing'],
  [{ dockerServer: 'icr.io' }, 'knative.docker_namespace is missing'],
  [{ dockerServer: 'gcr.io' }, 'knative.project_name is missing'],
  [{ dockerServer: 'pkg.dev', project: 'p' }, 'knative.region is missing'],
  [{ dockerServer: 'ghcr.io/me' }, 'knative.docker_server must be a host'],
  [{ dockerServer: 'ghcr.io', dockerUser: 'Me' }, 'lower-case'],
])('%j is refused, and the key is named', (settings, why) => {
  expect(() => imageName('knative', settings, 'worker:1')).toThrow(
    expect.objectContaining({ code: 'LITHOPS_CONFIG', message: expect.stringContaining(why) }),
  )
})

test.each<[RegistrySettings, string | undefined]>([
  [{ dockerServer: 'docker.io', dockerUser: 'me' }, undefined],
  [{ dockerServer: 'docker.io', dockerUser: 'me', dockerPassword: 'p' }, 'me'],
  [{ dockerServer: 'icr.io', dockerPassword: 'p' }, 'iamapikey'],
  [{ dockerServer: 'pkg.dev', region: 'us-east1', dockerPassword: 'ya29' }, 'oauth2accesstoken'],
  [{ dockerServer: 'gcr.io', dockerPassword: '{"type":"service_account"}' }, '_json_key'],
  [{ dockerServer: '123456789012.dkr.ecr.us-east-1.amazonaws.com', dockerPassword: 'p' }, 'AWS'],
])('who logs in by %j is %s', (settings, user) => {
  expect(loginOf('knative', settings)?.user).toBe(user)
})

test('a password of nobody is refused, and not told', () => {
  const settings = { dockerServer: 'ghcr.io', dockerPassword: 'very-secret' }
  expect(() => loginOf('knative', settings)).toThrow('knative.docker_user')
  expect(() => loginOf('knative', settings)).not.toThrow('very-secret')
})

test('what everybody sees is known', () => {
  expect(isPublicByDefault('docker.io')).toBe(true)
  expect(isPublicByDefault('de.icr.io')).toBe(false)
})
