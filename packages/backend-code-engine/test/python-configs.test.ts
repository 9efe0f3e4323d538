import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FunctionExecutor, Storage } from '@lithops/core'
import type { ConfigSource } from '@lithops/core/driver'
import { FakeAws } from '@lithops/fake-clouds/aws'
import { load } from 'js-yaml'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { backend as codeEngine } from '../src/index.ts'
import { COMPUTE_CONFIGS, OTHER_CONFIGS, type PythonConfig, STORAGE_CONFIGS } from './python-configs.ts'

// Configs as the pages of Lithops (Python) have people write them, for every driver that there is here. Nothing is asked of any cloud.
// Core knows no driver, and this package may depend on all of the others: none depends on it.

type Sections = Record<string, Record<string, unknown> | undefined>

interface Sectioned {
  readonly config?: {
    readonly inherits?: readonly string[]
    parse(raw: Readonly<Record<string, unknown>>, source: ConfigSource): { readonly config: unknown }
  }
}

const DRIVERS: Readonly<Record<string, () => Promise<Sectioned>>> = {
  aws_lambda: async () => (await import('@lithops/backend-aws-lambda')).backend,
  gcp_cloudrun: async () => (await import('@lithops/backend-gcp-cloudrun')).backend,
  code_engine: async () => codeEngine,
  knative: async () => (await import('@lithops/backend-knative')).backend,
  aws_s3: async () => (await import('@lithops/storage-aws-s3')).storage,
  minio: async () => (await import('@lithops/storage-minio')).storage,
  ceph: async () => (await import('@lithops/storage-ceph')).storage,
  ibm_cos: async () => (await import('@lithops/storage-ibm-cos')).storage,
  gcp_storage: async () => (await import('@lithops/storage-gcp')).storage,
  azure_storage: async () => (await import('@lithops/storage-azure-blob')).storage,
  redis: async () => (await import('@lithops/storage-redis')).storage,
}

const folder = mkdtempSync(join(tmpdir(), 'lithops-test-configs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const keyFile = join(folder, 'key.json')
const kubeconfig = join(folder, 'kubeconfig')
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})
writeFileSync(
  keyFile,
  JSON.stringify({
    type: 'service_account',
    project_id: 'lithops-dev',
    private_key: privateKey,
    client_email: 'lithops-executor@lithops-dev.iam.gserviceaccount.com',
    token_uri: 'https://oauth2.googleapis.com/token',
  }),
)
const cluster = { name: 'c', cluster: { server: 'https://127.0.0.1:6443', 'insecure-skip-tls-verify': true } }
const context = { name: 'c', context: { cluster: 'c', user: 'u', namespace: 'default' } }
const user = { name: 'u', user: { token: 'example-token' } }
writeFileSync(
  kubeconfig,
  // YAML takes JSON
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [cluster],
    contexts: [context],
    users: [user],
  }),
)

const told: string[] = []
beforeEach(() => {
  told.length = 0
  vi.spyOn(process.stderr, 'write').mockImplementation(text => told.push(String(text)) > 0)
  vi.stubEnv('KUBECONFIG', kubeconfig)
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENVIRONMENT')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-of-the-environment')
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

let files = 0
function configFile(yaml: string): string {
  const file = join(folder, `config-${++files}.yaml`)
  writeFileSync(file, yaml.replaceAll('KEY_FILE', keyFile).replaceAll('KUBECONFIG', kubeconfig))
  return file
}

/** Of ours: SDKs have their own to say. */
function expectTold(warnings: PythonConfig['warnings'] = []): void {
  const ours = told.filter(line => line.startsWith('lithops: '))
  expect(ours, ours.join('')).toHaveLength(warnings.length)
  for (const [i, warning] of warnings.entries()) expect(ours[i]).toMatch(warning)
}

/** What the driver's own schema makes of its section, and of those that it inherits from. */
async function sectionOf({ driver: name, yaml }: PythonConfig): Promise<unknown> {
  const driver = await DRIVERS[name]?.()
  const sections = load(yaml) as Sections
  const parents = (driver?.config?.inherits ?? []).map(parent => sections[parent])
  return driver?.config?.parse(Object.assign({}, ...parents, sections[name]), { name: 'the page' }).config
}

describe('compute', () => {
  test.each(COMPUTE_CONFIGS)('$name', async config => {
    expect(await sectionOf(config)).toMatchObject(config.section)
    await using fexec = new FunctionExecutor({ configFile: configFile(config.yaml) })
    // opens the backend, and asks it for what it knows by its config alone
    const policies = await fexec.runtimes.policies()
    expect(policies.length).toBeGreaterThan(0)
    expect(policies.every(({ backend }) => backend === config.driver)).toBe(true)
    expectTold(config.warnings)
  })

  test('no driver is left out', () => {
    const tried = new Set([...COMPUTE_CONFIGS, ...STORAGE_CONFIGS].map(({ driver }) => driver))
    expect([...tried].sort()).toEqual(Object.keys(DRIVERS).sort())
  })
})

describe('storage', () => {
  test.each(STORAGE_CONFIGS)('$name', async config => {
    expect(await sectionOf(config)).toMatchObject(config.section)
    await using aws = config.asksSts === true ? await FakeAws.start() : undefined
    for (const [name, value] of Object.entries(aws?.env ?? {})) vi.stubEnv(name, value)
    const storage = new Storage({ configFile: configFile(config.yaml) })
    try {
      await storage.ready()
      expect(storage.bucket).toMatch(config.bucket)
      expectTold(config.warnings)
    } finally {
      await storage.close()
    }
  })
})

describe('the rest', () => {
  test.each(OTHER_CONFIGS)('$name', async ({ yaml, warnings }) => {
    await using fexec = new FunctionExecutor({ configFile: configFile(yaml) })
    expect(await fexec.callAsync((x: number) => x + 1, 1)).toBe(2)
    expectTold(warnings)
  })

  test('RabbitMQ, by either key', async () => {
    const { monitor } = await import('@lithops/monitor-rabbitmq')
    const section = { amqp_url: 'amqp://somebody:example@127.0.0.1:5672/' }
    expect(monitor.config?.parse(section, { name: 'the page' }).config).toMatchObject(section)
    for (const key of ['monitoring: rabbitmq', 'rabbitmq_monitor: True']) {
      const yaml = `lithops:\n    backend: localhost\n    ${key}\n\nrabbitmq:\n    amqp_url: ${section.amqp_url}\n`
      await using fexec = new FunctionExecutor({ configFile: configFile(yaml) })
      expect(await fexec.runtimes.policies()).toEqual([])
    }
    expectTold()
  })

  test.each([
    ['gcp_functions', /It is not made yet for TypeScript.*gcp_cloudrun, which reads the same section gcp/],
    ['ibm_cf', /It is not made yet.*code_engine/],
    ['azure_functions', /It is not made yet/],
    ['aws_batch', /nobody has made it for TypeScript/],
    ['k8s', /nobody has made it for TypeScript/],
  ])('the backend %s, which is not here, is said', async (backend, message) => {
    const yaml = `lithops:\n    backend: ${backend}\n\ngcp:\n    region: us-east1\n    credentials_path: KEY_FILE\n`
    await using fexec = new FunctionExecutor({ configFile: configFile(yaml) })
    await expect(fexec.callAsync((x: number) => x, 1).result()).rejects.toThrow(message)
    expect(told.join('')).not.toContain('npm i @lithops/backend-gcp-functions')
  })

  test('placeholders that nobody has filled in are refused by their keys', async () => {
    const yaml =
      'lithops:\n    backend: code_engine\n\nibm:\n    iam_api_key: <IAM_API_KEY>\n    region: <REGION>\n'
    await using fexec = new FunctionExecutor({ configFile: configFile(yaml) })
    await expect(fexec.runtimes.policies()).rejects.toThrow(/region must be 'au-syd' .*not '<REGION>'/)
  })
})
