import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
  rmSync(folder, { recursive: true })
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
      `The configuration is wrong:\n  ${configFile}:2: lithops.bakend is not a known key. Did you mean 'backend'?\n` +
        `  ${configFile}:3: lithops.execution_timeout must be a number from 0.001, not 'soon'.\n` +
        `  ${configFile}:5: localhost.worker_processes must be a whole number from 1, not 0.`,
    )
  })

  test.each([
    [
      'lithops: {retrys: 1}\nlocalhost:\n  retrys: 2\n',
      1,
      'a key without a line of its own: that of its section',
    ],
    ['other: {}\n"lithops":\n- 1\n', 2, 'a quoted section'],
    ['lithops:\r\n  # a comment\r\n  retrys: 1\r\n', 3, 'lines as Windows ends them'],
    ['localhost:\n  retrys: 1\nlithops:\n  retrys: 2\n', 2, 'the same key in two sections'],
  ])('%j: line %i (%s)', (text, line) => {
    const configFile = file('lines.yaml', text)
    expect(() => resolveConfig({ configFile })).toThrow(`${configFile}:${line}: `)
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
      "the environment variable LITHOPS_WORKER_PROCESSES: localhost.worker_processes must be a whole number from 1, not 'many'.",
    )
  })

  test('a bad value in the options does not blame the file', () => {
    const configFile = file('c.yaml', 'localhost:\n  worker_processes: 2\n')
    expect(() => resolveConfig({ configFile, localhost: { worker_processes: 0 } })).toThrow(
      'the options: localhost.worker_processes must be a whole number from 1, not 0.',
    )
  })

  test('nothing said anywhere is the embedded default', () => {
    expect(resolveConfig({ environment: {}, directory: folder, home: folder })).toBeUndefined()
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
