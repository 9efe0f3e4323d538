import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readConfig } from './read-config.ts'
import { resolveConfig } from './resolve-config.ts'
import { defineConfigSection, field } from './section.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lithops-config-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
})

/** Writes a file below the test's folder. */
function file(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

const backendOf = (places: Parameters<typeof readConfig>[0]) => readConfig(places)?.sections.lithops?.backend

describe('where a config is looked for', () => {
  test('code, LITHOPS_CONFIG, LITHOPS_CONFIG_FILE, working directory, home, in this order', () => {
    const home = join(folder, 'home')
    const environment: NodeJS.ProcessEnv = {}
    const places = { environment, directory: folder, home }
    expect(readConfig(places)).toBeUndefined()
    file('home/.lithops/config', 'lithops: {backend: from_home}')
    expect(backendOf(places)).toBe('from_home')
    file('.lithops_config', 'lithops:\n  backend: from_directory\n')
    expect(backendOf(places)).toBe('from_directory')
    environment.LITHOPS_CONFIG_FILE = file('named.yaml', 'lithops: {backend: from_named_file}')
    expect(backendOf(places)).toBe('from_named_file')
    environment.LITHOPS_CONFIG = '{"lithops": {"backend": "from_environment"}}'
    expect(backendOf(places)).toBe('from_environment')
    expect(backendOf({ ...places, configFile: file('given.yaml', 'lithops: {backend: given}') })).toBe(
      'given',
    )
    expect(backendOf({ ...places, config: { lithops: { backend: 'in_code' } } })).toBe('in_code')
  })
})

describe('a broken config says what is wrong and where', () => {
  test.each([
    ['bad YAML', 'lithops:\n  backend: [a\n', /broken\.yaml:\d+:\d+ is not valid YAML/],
    ['a list', '- lithops\n', /broken\.yaml must hold sections such as `lithops:`, not a list/],
    [
      'a section that is a text',
      'lithops: yes please\n',
      /broken\.yaml:1: section 'lithops' must hold keys, not the text/,
    ],
    ['a key twice', 'lithops:\n  backend: a\n  backend: b\n', /duplicated mapping key/],
  ])('%s', (_, text, message) => {
    expect(() => readConfig({ configFile: file('broken.yaml', text) })).toThrow(message)
  })

  test('a file that is not there, or is a folder', () => {
    expect(() => readConfig({ configFile: join(folder, 'none') })).toThrow(/none does not exist/)
    expect(() => readConfig({ configFile: folder })).toThrow(/is a folder/)
  })

  test('an empty file is an empty config', () => {
    expect(readConfig({ configFile: file('empty', '') })?.sections).toEqual({})
  })

  test('all problems at once, with lines and the nearest key', () => {
    const configFile = file(
      'wrong.yaml',
      'lithops:\n  bakend: localhost\n  execution_timeout: soon\nlocalhost:\n  worker_processes: 0\n',
    )
    expect(() => resolveConfig({ configFile })).toThrow(
      `The configuration is wrong: \n  ${configFile}:2: lithops.bakend is not a known key. Did you mean 'backend'?\n` +
        `  ${configFile}:3: lithops.execution_timeout must be number from 0.001, not 'soon'.`,
    )
    const other = file('other.yaml', 'localhost:\n\n  worker_processes: 0\n')
    expect(() => resolveConfig({ configFile: other })).toThrow(
      `${other}:3: localhost.worker_processes must be whole number from 1, not 0.`,
    )
  })

  test('a section that nobody knows', () => {
    const configFile = file('section.yaml', 'lithops: {}\naws_lamda: {}\n')
    expect(() => resolveConfig({ configFile })).toThrow(
      /section\.yaml:2: there is no section 'aws_lamda'\. Did you mean 'aws_lambda'\?/,
    )
  })

  test('but one of a driver that is chosen, wherever that is said, is no mistake', () => {
    const sections = { my_store: { folder: '/data' } }
    const wrong = /there is no section 'my_store'/
    expect(() => resolveConfig({ config: sections })).toThrow(wrong)
    expect(() => resolveConfig({ config: sections, drivers: ['other'] })).toThrow(wrong)
    for (const name of ['my_store', 'lithops-storage-my-store', '@anyone/lithops-storage-my-store']) {
      expect(resolveConfig({ config: { ...sections, lithops: { storage: name } } })).toBeDefined()
      expect(resolveConfig({ config: sections, lithops: { storage: name } })).toBeDefined()
      const config = resolveConfig({ config: sections, drivers: [name] })
      expect(config?.section('my_store').raw).toEqual({ folder: '/data' })
    }
  })
})

describe('precedence', () => {
  test('options win over the environment, the environment over the file, the file over defaults', () => {
    const configFile = file('c.yaml', 'lithops:\n  retries: 1\nlocalhost:\n  worker_processes: 2\n')
    expect(resolveConfig({ configFile })?.lithops.retries).toBe(1)
    expect(resolveConfig({ configFile })?.lithops.execution_timeout).toBe(1800)
    vi.stubEnv('LITHOPS_WORKER_PROCESSES', '3')
    expect(resolveConfig({ configFile })?.localhost.worker_processes).toBe(3)
    expect(
      resolveConfig({ configFile, localhost: { worker_processes: 4 } })?.localhost.worker_processes,
    ).toBe(4)
  })

  test('a bad value in the environment names the variable', () => {
    vi.stubEnv('LITHOPS_WORKER_PROCESSES', 'many')
    expect(() => resolveConfig({ config: {} })).toThrow(
      /LITHOPS_WORKER_PROCESSES|worker_processes must be whole number from 1, not 'many'/,
    )
  })

  test('nothing said anywhere is the embedded default', () => {
    expect(resolveConfig({ environment: {}, directory: folder, home: folder })).toBeUndefined()
  })
})

// Keys from the documentation of Lithops (Python); sections of backends that are not chosen are left alone.
const LITHOPS_PYTHON = `
lithops:
    backend: localhost
    storage: localhost
    mode: localhost
    monitoring: storage
    monitoring_interval: 2
    data_limit: 4
    data_cleaner: True
    execution_timeout: 1800
    include_modules: []
    exclude_modules: []
    log_level: INFO
    log_format: "%(asctime)s"
    log_stream: ext://sys.stdout
    log_filename: null
    retries: 0
    telemetry: False
    chunksize: 1
localhost:
    runtime: /usr/bin/node
    version: 2
    worker_processes: 4
serverless:
    customized_runtime: True
standalone:
    auto_dismantle: True
aws: {access_key_id: AKIA, secret_access_key: s, region: eu-west-1}
aws_lambda: {execution_role: "arn:aws:iam::1:role/x", runtime_memory: 512, runtime_timeout: 180}
aws_s3: {storage_bucket: b}
aws_batch: {execution_role: r}
gcp: {region: europe-west1, credentials_path: /x.json}
gcp_functions: {trigger: https}
gcp_cloudrun: {runtime_cpu: 1}
azure: {resource_group: g, region: westeurope}
azure_functions: {trigger: pub/sub}
azure_storage: {storage_account_name: n, storage_account_key: k}
ibm: {iam_api_key: k}
ibm_cf: {endpoint: e, namespace: n}
ibm_cos: {region: eu-de}
code_engine: {project_name: p}
openwhisk: {endpoint: e}
knative: {docker_server: docker.io}
k8s: {docker_user: u}
redis: {host: 127.0.0.1}
rabbitmq: {amqp_url: "amqp://u:p@h/v"}
minio: {endpoint: "http://127.0.0.1:9000"}
aliyun_fc: {role_arn: r}
oracle_f: {subnet_id: s}
`

test('a real Lithops config is read without complaint', () => {
  const config = resolveConfig({ configFile: file('lithops.yaml', LITHOPS_PYTHON) })
  expect(config?.lithops.backend).toBe('localhost')
  expect(config?.localhost.worker_processes).toBe(4)
  expect(config?.warnings.every(warning => warning.includes('has no meaning here'))).toBe(true)
  expect(config?.section('aws_lambda', ['aws']).raw).toMatchObject({
    region: 'eu-west-1',
    runtime_memory: 512,
  })
})

describe('sections of drivers', () => {
  const section = defineConfigSection({
    name: 'tiny',
    fields: {
      url: field.string({ doc: 'Where it is.', required: true }),
      password: field.integer({ doc: 'A number that is secret.', secret: true }),
      tls: field.boolean({ default: false, doc: 'Encrypted.' }),
      size: field.choice(['small', 'large'], { default: 'small', doc: 'Size.' }),
    },
    renamed: { address: 'url' },
  })
  const source = { name: 'test.yaml' }

  test('are typed, filled and frozen', () => {
    const { config } = section.parse({ url: 'x', tls: 'yes' }, source)
    expect(config).toEqual({ url: 'x', password: undefined, tls: true, size: 'small' })
    expect(Object.isFrozen(config)).toBe(true)
  })

  test('refuse renamed and missing keys, and never show a secret', () => {
    expect(() => section.parse({ address: 'x' }, source)).toThrow(
      /tiny\.address is called 'url' here.*tiny\.url is missing/s,
    )
    const wrong = () => section.parse({ url: 'x', password: 'hunter2', size: 'huge' }, source)
    expect(wrong).toThrow(/tiny\.size must be 'small' \| 'large', not 'huge'/)
    expect(wrong).not.toThrow(/hunter2/)
  })
})
