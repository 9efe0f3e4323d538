import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { type BuiltHarness, buildHarness } from './harness/build.ts'
import { type ClientOptions, failureOf, runInClient } from './harness/client-process.ts'
import { findNodes, installNodesIfRequired, missingNode } from './harness/nodes.ts'

// The same program, run the ways in which people run TypeScript. Each way gets a folder of its own below the package,
// so that the program's packages resolve as in a user's project.
const programs = path.join(path.dirname(fileURLToPath(import.meta.url)), 'programs')
const packageRoot = path.resolve(programs, '../../..')
const require = createRequire(import.meta.url)
const SOURCES = ['jobs.ts', 'util.ts']

let harness: BuiltHarness
beforeAll(async () => {
  installNodesIfRequired([22, 24])
  harness = await buildHarness()
}, 300_000)
afterAll(() => harness.remove())

function folder(name: string, type: 'module' | 'commonjs'): string {
  const directory = path.join(harness.directory, 'runners', name)
  mkdirSync(directory, { recursive: true })
  writeFileSync(path.join(directory, 'package.json'), JSON.stringify({ type }))
  return directory
}

const source = (name: string) => readFileSync(path.join(programs, name), 'utf8')

/** The built package as a user has it installed. */
function copyPackageTo(directory: string): void {
  const installed = path.join(directory, 'node_modules', '@lithops', 'core')
  mkdirSync(installed, { recursive: true })
  for (const name of ['dist', 'package.json']) {
    cpSync(path.join(packageRoot, name), path.join(installed, name), { recursive: true })
  }
}

function copySources(directory: string): string {
  for (const name of SOURCES) cpSync(path.join(programs, name), path.join(directory, name))
  return path.join(directory, 'jobs.ts')
}

async function expectToPass(file: string, options: Partial<ClientOptions> = {}): Promise<void> {
  const outcomes = await runInClient([file], {
    clientFile: harness.clientFile,
    cwd: path.dirname(file),
    ...options,
  })
  const failure = failureOf(outcomes.get(file))
  if (failure !== undefined) expect.fail(failure)
}

function resolveOrSkip(context: TestContext, specifier: string): string {
  try {
    return require.resolve(specifier)
  } catch {
    return context.skip(`real part missing: ${specifier} is not installed`)
  }
}

describe('runner matrix', { timeout: 120_000 }, () => {
  it('tsx, ES modules', () =>
    expectToPass(copySources(folder('tsx-esm', 'module')), {
      execArgv: ['--import', require.resolve('tsx')],
    }))

  it('tsx, CommonJS', () =>
    expectToPass(copySources(folder('tsx-cjs', 'commonjs')), {
      execArgv: ['--import', require.resolve('tsx')],
    }))

  const tscTargets = [
    ['es2022', ts.ScriptTarget.ES2022],
    ['es2017', ts.ScriptTarget.ES2017],
  ] as const
  const tscModules = [
    ['ES modules', 'module', ts.ModuleKind.ES2022],
    ['CommonJS', 'commonjs', ts.ModuleKind.CommonJS],
  ] as const
  for (const [targetName, target] of tscTargets) {
    for (const [moduleName, type, module] of tscModules) {
      it(`tsc, ${moduleName}, ${targetName}`, async () => {
        const directory = folder(`tsc-${type}-${targetName}`, type)
        for (const name of SOURCES) {
          const { outputText } = ts.transpileModule(source(name), {
            fileName: name,
            compilerOptions: { module, target, esModuleInterop: true, rewriteRelativeImportExtensions: true },
          })
          writeFileSync(path.join(directory, name.replace('.ts', '.js')), outputText)
        }
        await expectToPass(path.join(directory, 'jobs.js'))
      })
    }
  }

  for (const major of [22, 24]) {
    for (const mode of ['strip', 'transform'] as const) {
      it(`Node ${major}, types by --experimental-${mode}-types`, async context => {
        const node = findNodes().get(major)
        if (node === undefined) return context.skip(missingNode(major))
        const directory = folder(`node${major}-${mode}`, 'module')
        const file = copySources(directory)
        if (mode === 'strip') writeFileSync(file, erasable(source('jobs.ts')))
        await expectToPass(file, {
          node: node.file,
          execArgv: [`--experimental-${mode}-types`, '--no-warnings'],
        })
      })
    }
  }

  for (const minify of [false, true]) {
    for (const format of ['esm', 'cjs'] as const) {
      it(`esbuild bundle, ${format}${minify ? ', minified' : ''}`, async () => {
        const directory = folder(`esbuild-${format}-${minify}`, 'module')
        const outfile = path.join(directory, format === 'esm' ? 'app.mjs' : 'app.cjs')
        // with the packages inside, functions of theirs are captured by the thousand: that takes its time
        const isWhole = minify === (format === 'cjs')
        await build({
          entryPoints: [path.join(programs, 'jobs.ts')],
          outfile,
          bundle: true,
          minify,
          format,
          platform: 'node',
          target: 'node20',
          logLevel: 'error',
          ...(isWhole ? {} : { packages: 'external' }),
          nodePaths: [path.resolve(programs, '../../../node_modules')],
        })
        await expectToPass(outfile)
      })
    }
  }

  for (const type of ['es6', 'commonjs'] as const) {
    it(`swc, ${type}`, async context => {
      resolveOrSkip(context, '@swc/core')
      const { transformSync } = await import('@swc/core')
      const extension = type === 'es6' ? '.mjs' : '.cjs'
      const directory = folder(`swc-${type}`, type === 'es6' ? 'module' : 'commonjs')
      for (const name of SOURCES) {
        const { code } = transformSync(source(name), {
          filename: name,
          swcrc: false,
          module: { type },
          jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        })
        writeFileSync(
          path.join(directory, name.replace('.ts', extension)),
          code.replaceAll(/(['"])\.\/util\.ts\1/g, `'./util${extension}'`),
        )
      }
      await expectToPass(path.join(directory, `jobs${extension}`))
    })
  }

  it('ts-node', async context => {
    const register = resolveOrSkip(context, 'ts-node/register/transpile-only')
    const directory = folder('ts-node', 'commonjs')
    const file = copySources(directory)
    writeFileSync(
      path.join(directory, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { module: 'commonjs', target: 'es2022', esModuleInterop: true } }),
    )
    // ts-node hooks into require, not into import()
    const entry = path.join(directory, 'entry.cjs')
    writeFileSync(entry, `module.exports = require(${JSON.stringify(file)})\n`)
    await expectToPass(entry, { execArgv: ['-r', register] })
  })

  for (const pool of ['forks', 'threads', 'vmThreads', 'vmForks']) {
    it(`inside vitest, pool ${pool}`, async () => {
      const directory = folder(`vitest-${pool}`, 'module')
      copySources(directory)
      writeFileSync(path.join(directory, 'vitest.config.mjs'), 'export default {}\n')
      writeFileSync(path.join(directory, 'jobs.test.ts'), testFile(harness.libraryFile))
      const { code, output } = await runVitest(directory, pool)
      if (code !== 0) expect.fail(output)
      expect(output).toMatch(/ passed/)
    })

    // The vm pools give each file a context of its own: other classes of errors, other symbols, another require().
    it(`an executor of the built package inside vitest, pool ${pool}`, async () => {
      const directory = folder(`vitest-executor-${pool}`, 'module')
      copyPackageTo(directory)
      writeFileSync(path.join(directory, 'vitest.config.mjs'), 'export default {}\n')
      writeFileSync(path.join(directory, 'executor.test.ts'), EXECUTOR_TEST)
      const { code, output } = await runVitest(directory, pool)
      if (code !== 0) expect.fail(output)
      expect(output).toMatch(/3 passed/)
    })
  }
})

describe('Jest', { timeout: 120_000 }, () => {
  // Jest has contexts, a process and a require() of its own, and code that it compiled in memory.
  it('an executor of the built package', async context => {
    for (const name of ['jest/bin/jest', '@swc/jest']) resolveOrSkip(context, name)
    const directory = folder('jest', 'commonjs')
    copyPackageTo(directory)
    for (const [name, text] of Object.entries(JEST_PROJECT)) writeFileSync(path.join(directory, name), text)
    writeFileSync(
      path.join(directory, 'jest.config.cjs'),
      `module.exports = { haste: { enableSymlinks: false }, transform: { '\\.ts$': [${JSON.stringify(require.resolve('@swc/jest'))}, { sourceMaps: 'inline' }] } }\n`,
    )
    const { code, output } = await runNode(
      [require.resolve('jest/bin/jest'), '--rootDir', directory],
      directory,
    )
    if (code !== 0) expect.fail(output)
    expect(output).toMatch(/6 passed/)
  })
})

/** The program without what Node cannot strip: the enum and the parameter property. */
function erasable(text: string): string {
  const erased = text
    .replace(/enum Color \{[^}]*\}/, "const Color = { Red: 0, Green: 5, 5: 'Green' } as const")
    .replace('constructor(public v: number) {}', 'v: number\n  constructor(v: number) {\n    this.v = v\n  }')
  expect(erased).not.toMatch(/enum Color|constructor\(public/)
  return erased
}

const testFile = (library: string) => `
import { afterAll, expect, test } from 'vitest'
import { cases } from './jobs.ts'
import { closeWorker, runCases, ship, stop } from ${JSON.stringify(library)}

const results = await runCases(cases, import.meta.dirname)
for (const { name, failure } of results.results) test(name, () => { if (failure) expect.fail(failure) })
test('written in the test', async () => {
  const k = 3
  expect(await ship((x: number) => x * k, 2)).toBe(6)
})
afterAll(() => { closeWorker(); stop() })
`

const EXECUTOR_TEST = `
import { FunctionExecutor } from '@lithops/core'
import { expect, test } from 'vitest'

const options = { backend: 'localhost', localhost: { worker_processes: 1 } }

test('await using closes the executor', async () => {
  let kept
  {
    await using fexec = new FunctionExecutor(options)
    kept = fexec
    const rate = 3
    expect(await fexec.getResult(fexec.map((x: number) => x * rate, [1, 2]))).toEqual([3, 6])
  }
  await expect((async () => kept.callAsync((x: number) => x, 1))()).rejects.toThrow(/closed/)
})

test('an error of the function has its class, and its stack points here', async () => {
  await using fexec = new FunctionExecutor(options)
  class OrderError extends Error {}
  const fail = (order: number) => {
    throw new OrderError('no order ' + order)
  }
  const error = await fexec.callAsync(fail, 7).catch(e => e)
  expect(error).toBeInstanceOf(OrderError)
  expect(error).toBeInstanceOf(Error)
  expect(error.message).toBe('no order 7')
  expect(error.stack).toContain('executor.test.ts')
})

test('the storage of a job can be disposed of', async () => {
  await using fexec = new FunctionExecutor(options)
  await using storage = await fexec.storage()
  await storage.put('key', 'text')
  expect(await fexec.callAsync(async (key: string, context: any) => context.storage.get(key, { as: 'text' }), 'key')).toBe('text')
})
`

const JEST_PROJECT = {
  'util.ts': `
export class Point { constructor(public x: number) {} norm() { return Math.abs(this.x) } }
export const scale = (x: number, by: number) => x * by
export function fail(x: number): never {
  throw new TypeError('failed ' + x)
}
`,
  'job.test.ts': `
import { FunctionExecutor } from '@lithops/core'
import { fail, Point, scale } from './util'
class OrderError extends Error { constructor(message: string, readonly order: number) { super(message) } }
const point = new Point(-4)
const known = new Map([[1, new Date(5)]])
let fexec: FunctionExecutor
beforeAll(() => { fexec = new FunctionExecutor({ backend: 'localhost', localhost: { worker_processes: 1 } }) })
afterAll(() => fexec.close())
test('a closure', async () => {
  const rate = 3
  expect(await fexec.getResult(fexec.map((x: number) => x * rate, [1, 2]))).toEqual([3, 6])
})
test('modules and instances', async () => {
  expect(await fexec.callAsync((x: number) => scale(x, 2) + point.norm(), 1)).toBe(6)
  expect(await fexec.callAsync((x: number) => new Point(x), 5)).toBeInstanceOf(Point)
})
test('this of an arrow', async () => {
  class Job { rate = 2; run = (x: number) => x * this.rate }
  expect(await fexec.callAsync(new Job().run, 4)).toBe(8)
})
test('values of the context', async () => {
  const [map, isMap] = await fexec.callAsync((x: any) => [known, known instanceof Map && x instanceof Map] as const, new Map())
  expect(isMap).toBe(true)
  expect(map).toBeInstanceOf(Map)
  expect(map.get(1)!.getTime()).toBe(5)
})
test('an error has its class, and its stack points here', async () => {
  const error = await fexec.callAsync((x: number) => { throw new OrderError('no', x) }, 7).catch(e => e)
  expect(error).toBeInstanceOf(OrderError)
  expect(error.order).toBe(7)
  expect(error.stack).toMatch(/job\\.test\\.ts:29:/)
})
test('a stack points into a module', async () => {
  const error = await fexec.callAsync((x: number) => fail(x), 7).catch(e => e)
  expect(error).toBeInstanceOf(TypeError)
  expect(error.stack).toMatch(/util\\.ts:5:/)
})
`,
}

function runVitest(directory: string, pool: string): Promise<{ code: number | null; output: string }> {
  const main = path.join(path.dirname(require.resolve('vitest/package.json')), 'vitest.mjs')
  if (!existsSync(main)) throw new Error(`vitest has no ${main}`)
  return runNode([main, 'run', '--root', directory, `--pool=${pool}`], directory)
}

function runNode(
  args: readonly string[],
  directory: string,
): Promise<{ code: number | null; output: string }> {
  const outer = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS|TEST$)/.test(name))
  return new Promise(resolve => {
    let output = ''
    const child = spawn(process.execPath, args, {
      cwd: directory,
      env: {
        ...Object.fromEntries(outer),
        NO_COLOR: '1',
        LITHOPS_CACHE_DIR: path.join(harness.directory, 'bundles'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const collect = (chunk: Buffer) => (output += chunk)
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('exit', code => resolve({ code, output }))
  })
}
