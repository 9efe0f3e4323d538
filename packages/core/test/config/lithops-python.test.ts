import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { KNOWN_SECTIONS } from '../../src/config/lithops-section.ts'
import { resolveConfig } from '../../src/config/resolve-config.ts'
import { FunctionExecutor, ServerlessExecutor } from '../../src/index.ts'

type Sections = Record<string, Record<string, unknown>>

const FILE = new URL('lithops-python.yaml', import.meta.url)
const python = () => load(readFileSync(FILE, 'utf8')) as Sections
/** All of it, with another choice in the section lithops. */
const choosing = (choice: Record<string, unknown>): Sections => {
  const sections = python()
  return { ...sections, lithops: { ...sections.lithops, ...choice } }
}

/** What the program is told on standard error meanwhile. */
function listen(): string[] {
  const lines: string[] = []
  vi.spyOn(process.stderr, 'write').mockImplementation(text => lines.push(String(text)) > 0)
  return lines
}
afterEach(() => {
  vi.restoreAllMocks()
})

describe('a config that has every section and key of Lithops (Python)', () => {
  test('runs on this machine, and only what is lost is said', async () => {
    const told = listen()
    const config = choosing({ backend: 'localhost', storage: 'localhost', monitoring: 'Storage' })
    await using fexec = new FunctionExecutor({ config })
    expect(await fexec.getResult(fexec.map((x: number) => x + 1, [1, 2]))).toEqual([2, 3])
    expect(told).toEqual([
      'lithops: the option config: lithops.log_filename has no meaning here: log lines go to standard error: redirect that into the file\n',
    ])
    // once in a program
    await new FunctionExecutor({ config }).close()
    expect(told).toHaveLength(1)
  })

  const choices = KNOWN_SECTIONS.filter(name => /_|k8s|knative|openwhisk|singularity|vm/.test(name))
  test.each(choices)('is read without complaint for the backend %s', backend => {
    const told = listen()
    expect(resolveConfig({ config: choosing({ backend }) })?.lithops.backend).toBe(backend)
    expect(told).toEqual([])
  })

  test('has no section that we do not know', () => {
    expect(Object.keys(python()).filter(name => !KNOWN_SECTIONS.includes(name))).toEqual([])
  })

  test.each([
    ['mode', 'serverless'],
    ['rabbitmq_monitor', true],
    ['customized_runtime', true],
    ['storage_bucket', 'b'],
    ['workers', 100],
    ['retries', 3],
    ['log_level', null],
    ['include_modules', null],
    ['data_limit', false],
    ['execution_timeout', 600],
  ])('may have a key of other versions too: lithops.%s: %j', (key, value) => {
    expect(resolveConfig({ config: choosing({ [key]: value }) })).toBeDefined()
  })
})

test('keys without a meaning here are told of at the level debug', () => {
  const told = listen()
  const config = { lithops: { backend: 'localhost', data_cleaner: true } }
  void new FunctionExecutor({ config, logLevel: 'debug' }).close()
  expect(told.join('')).toContain('lithops.data_cleaner has no meaning here')
})

test('the backend may be named in the section serverless, as older versions did', async () => {
  const config = { lithops: { mode: 'serverless' }, serverless: { backend: 'no_such_thing' } }
  for (const Executor of [FunctionExecutor, ServerlessExecutor]) {
    await using fexec = new Executor({ config })
    await expect(fexec.callAsync((x: number) => x, 1).result()).rejects.toThrow("no backend 'no_such_thing'")
  }
})

describe('localhost.runtime', () => {
  const run = async (runtime: string) => {
    await using fexec = new FunctionExecutor({ config: { localhost: { runtime } } })
    return await fexec.callAsync(() => process.execPath, 0)
  }

  test.each(['python3', 'python', '/usr/bin/python3.12'])(
    '%s is that of Python: no word about it',
    async name => {
      const told = listen()
      expect(await run(name)).toBe(process.execPath)
      expect(told).toEqual([])
    },
  )

  test('a container image is not run, which is said', async () => {
    const told = listen()
    expect(await run('lithopscloud/ibmcf-python-v39:2022')).toBe(process.execPath)
    expect(told.join('')).toContain('localhost runs no container images')
  })

  test('a Node binary is run, and one that is not there is refused', async () => {
    expect(await run(process.execPath)).toBe(process.execPath)
    await expect(run('/no/such/node')).rejects.toThrow(
      /must be a Node binary: there is no file \/no\/such\/node/,
    )
  })
})
