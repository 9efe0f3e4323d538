import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DriverContractError, DriverNotFoundError } from '../errors/index.ts'
import { loadDriver } from './load.ts'

// Projects of users on disk, each with its own node_modules; nothing of them is below this repository.
let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lithops-load-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const GOOD = 'export const backend = { specVersion: 1, name: "good", create: () => ({}) }\n'

let projects = 0
function project(files: Readonly<Record<string, string>> = {}): string {
  const directory = join(root, `project-${projects++}`)
  for (const [name, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    const file = join(directory, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return directory
}

function installed(name: string, text: string, manifest: object = {}): Record<string, string> {
  const folder = `node_modules/${name}`
  return {
    [`${folder}/package.json`]: JSON.stringify({ name, type: 'module', exports: './index.js', ...manifest }),
    [`${folder}/index.js`]: text,
  }
}

const refusal = (kind: 'backend' | 'storage' | 'monitor', name: string, directory: string) =>
  loadDriver(kind, name, directory).then(
    () => expect.fail('it was loaded'),
    (error: unknown) => error as DriverNotFoundError | DriverContractError,
  )

describe('a driver that is found', () => {
  test.each([
    ['good', '@lithops/backend-good'],
    ['good', 'lithops-backend-good'],
    ['very_good', 'lithops-backend-very-good'],
    ['lithops-backend-good', 'lithops-backend-good'],
    ['@someone/their-own', '@someone/their-own'],
  ])("'%s' is the package %s", async (name, packageName) => {
    const directory = project(installed(packageName, GOOD))
    const { driver, file } = await loadDriver('backend', name, directory)
    expect(driver.name).toBe('good')
    expect(file).toBe(pathToFileURL(join(directory, 'node_modules', packageName, 'index.js')).href)
  })

  test.each(['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'])(
    'a package of any scope among the %s',
    async key => {
      const directory = project({
        'package.json': JSON.stringify({ [key]: { '@anyone/lithops-backend-good': '*', other: '*' } }),
        ...installed('@anyone/lithops-backend-good', GOOD),
      })
      expect((await loadDriver('backend', 'good', directory)).driver.name).toBe('good')
    },
  )

  test('a package of any scope by the package.json of a folder above', async () => {
    const directory = project({
      'package.json': JSON.stringify({ dependencies: { '@anyone/lithops-backend-good': '*' } }),
      'src/deep/main.js': '',
      ...installed('@anyone/lithops-backend-good', GOOD),
    })
    expect((await loadDriver('backend', 'good', join(directory, 'src', 'deep'))).driver.name).toBe('good')
  })

  test('the one of the project, not that of core or of another project', async () => {
    const named = (label: string) => GOOD.replace('name: "good"', `name: "${label}"`)
    const one = project(installed('lithops-backend-good', named('one')))
    const two = project(installed('lithops-backend-good', named('two')))
    expect((await loadDriver('backend', 'good', one)).driver.name).toBe('one')
    expect((await loadDriver('backend', 'good', two)).driver.name).toBe('two')
    // vitest is among the dependencies of core, and no dependency of the project
    expect((await refusal('backend', 'vitest/config', one)).message).toContain('vitest/config was looked for')
  })

  test('this project before third parties', async () => {
    const directory = project({
      ...installed('@lithops/backend-good', GOOD.replace('"good"', '"ours"')),
      ...installed('lithops-backend-good', GOOD.replace('"good"', '"theirs"')),
    })
    expect((await loadDriver('backend', 'good', directory)).driver.name).toBe('ours')
  })

  test.each([
    ['relative', () => './drivers/mine.mjs'],
    ['absolute', (directory: string) => join(directory, 'drivers', 'mine.mjs')],
    ['URL', (directory: string) => pathToFileURL(join(directory, 'drivers', 'mine.mjs')).href],
  ])('a file by its path: %s', async (_, nameIn) => {
    const directory = project({ 'drivers/mine.mjs': GOOD })
    const { driver, file } = await loadDriver('backend', nameIn(directory), directory)
    expect(driver.name).toBe('good')
    expect(file).toBe(pathToFileURL(join(directory, 'drivers', 'mine.mjs')).href)
  })

  test.each([
    ['CommonJS', 'exports.backend = { specVersion: 1, name: "good", create() {} }'],
    ['CommonJS that node cannot see through', 'module.exports = Object.assign({}, { backend: made() })\n'],
  ])('a package in %s', async (_, text) => {
    const made = '\nfunction made() { return { specVersion: 1, name: "good", create() {} } }'
    const directory = project(installed('lithops-backend-good', text + made, { type: 'commonjs' }))
    expect((await loadDriver('backend', 'good', directory)).driver.name).toBe('good')
  })

  test.each(['storage', 'monitor'] as const)('a %s by its own kind of name and export', async kind => {
    const directory = project({
      ...installed('lithops-backend-good', GOOD),
      ...installed(`lithops-${kind}-good`, GOOD.replace('backend', kind).replace('"good"', `"${kind}"`)),
    })
    expect((await loadDriver(kind, 'good', directory)).driver.name).toBe(kind)
  })
})

describe('a driver that is not installed', () => {
  test('the names that were tried, and the command that installs it', async () => {
    const directory = project({
      'package.json': JSON.stringify({ dependencies: { '@anyone/lithops-backend-none': '*' } }),
    })
    const error = await refusal('backend', 'none', directory)
    expect(error).toBeInstanceOf(DriverNotFoundError)
    expect(error.code).toBe('LITHOPS_DRIVER_NOT_FOUND')
    const candidates = ['@lithops/backend-none', 'lithops-backend-none', '@anyone/lithops-backend-none']
    expect(error.details).toMatchObject({ kind: 'backend', name: 'none', candidates })
    expect(error.message).toBe(
      `There is no backend 'none': ${candidates.join(', ')} were looked for from ${directory}. ` +
        'Lithops for TypeScript has: localhost, aws_lambda, gcp_cloudrun, code_engine, knative. ' +
        "If it is a package of somebody else's, install that: npm i @anyone/lithops-backend-none",
    )
  })

  test('one that only Lithops (Python) has gives no command that cannot work', async () => {
    const error = await refusal('backend', 'k8s', project({}))
    expect(error.message).toMatch(
      /Lithops \(Python\) has it.*Lithops for TypeScript has: localhost, aws_lambda/,
    )
    expect(error.message).not.toContain('npm i')
  })

  test.each([
    ['pnpm-lock.yaml', 'pnpm add'],
    ['yarn.lock', 'yarn add'],
    ['bun.lock', 'bun add'],
    ['package-lock.json', 'npm i'],
  ])('the command is that of the project: %s', async (lockfile, command) => {
    const error = await refusal('backend', 'aws_lambda', project({ [lockfile]: '' }))
    expect(error.message).toContain(`Install it with: ${command} @lithops/backend-aws-lambda`)
  })

  test('a typing error has a suggestion', async () => {
    expect((await refusal('backend', 'aws_lamda', project())).message).toContain("Did you mean 'aws_lambda'?")
    expect((await refusal('storage', 'aws_s4', project())).message).toContain("Did you mean 'aws_s3'?")
    expect((await refusal('backend', 'something_else', project())).message).not.toContain('Did you mean')
  })

  test('a path has no install command', async () => {
    for (const name of ['./missing.mjs', '/missing.mjs', 'file:///missing.mjs']) {
      const { message } = await refusal('backend', name, project())
      expect(message).toMatch(/missing\.mjs was looked for/)
      expect(message).not.toContain('Install it')
    }
  })

  test('a project without a package.json is one without dependencies', async () => {
    const directory = mkdtempSync(join(root, 'bare-'))
    expect(await refusal('backend', 'none', directory)).toBeInstanceOf(DriverNotFoundError)
  })

  test('a project with a broken package.json is told so', async () => {
    const error = await refusal('backend', 'none', project({ 'package.json': '{' }))
    expect(error.message).toMatch(/cannot be resolved from .*package\.json/)
  })
})

describe('a package that is no driver', () => {
  const cases: Record<string, [text: string, message: RegExp]> = {
    'has another export': [
      'export const storage = {}, helper = 1\n',
      /^lithops-backend-bad has no export 'backend'; it exports helper, storage\. A backend package/,
    ],
    'has no export at all': ['', /has no export 'backend'; it exports nothing by name/],
    'exports a function': ['export function backend() {}\n', /has no export 'backend'/],
    'exports null': ['export const backend = null\n', /has no export 'backend'/],
    'is of another version of the contract': [
      'export const backend = { specVersion: 2, name: "bad", create() {} }\n',
      /specVersion 2, and this core needs 1\. Update the package or @lithops\/core/,
    ],
    'has no version of the contract': [
      'export const backend = { name: "bad", create() {} }\n',
      /specVersion undefined/,
    ],
    'has no name': ['export const backend = { specVersion: 1, create() {} }\n', /has no name \(a text\)/],
    'has no create()': [
      'export const backend = { specVersion: 1, name: "bad" }\n',
      /has no create\(config, context\)/,
    ],
    'throws while it is loaded': [
      'throw new TypeError("no such SDK")\n',
      /was found but could not be loaded: no such SDK/,
    ],
    'imports what is not there': [
      'import "not-installed-anywhere"\n',
      /was found but could not be loaded: .*not-installed-anywhere/,
    ],
    'has a syntax error': ['export const = 5\n', /was found but could not be loaded: /],
  }
  test.each(Object.entries(cases))('%s', async (_, [text, message]) => {
    const error = await refusal('backend', 'bad', project(installed('lithops-backend-bad', text)))
    expect(error).toBeInstanceOf(DriverContractError)
    expect(error.message).toMatch(message)
    if (message.source.includes('could not be loaded')) expect(error.cause).toBeInstanceOf(Error)
  })

  test('has no entry that can be imported', async () => {
    const directory = project(
      installed('lithops-backend-bad', GOOD, { exports: { './other': './index.js' } }),
    )
    const error = await refusal('backend', 'bad', directory)
    expect(error).toBeInstanceOf(DriverContractError)
    expect(error.message).toMatch(/^lithops-backend-bad cannot be resolved from .*: /)
  })

  test('a broken one is not passed over for the next of its names', async () => {
    const directory = project({
      ...installed('@lithops/backend-good', 'throw new Error("broken")\n'),
      ...installed('lithops-backend-good', GOOD),
    })
    expect((await refusal('backend', 'good', directory)).message).toMatch(/^@lithops\/backend-good was found/)
  })
})
