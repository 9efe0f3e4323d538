import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BuiltHarness, buildHarness } from './harness/build.ts'
import { failureOf, runInClient } from './harness/client-process.ts'

// One program, run as users run TypeScript: each runner gives V8 another text, and capture must understand all of them.
const here = path.dirname(fileURLToPath(import.meta.url))
const programs = path.join(here, 'programs')
const TSX = ['--import', 'tsx']

let harness: BuiltHarness
beforeAll(async () => {
  harness = await buildHarness()
})
afterAll(() => harness.remove())

/** Ships all functions of a program from a client process of its own. */
async function check(file: string, execArgv: readonly string[] = [], node = process.execPath): Promise<void> {
  const outcomes = await runInClient([file], {
    clientFile: harness.clientFile,
    node,
    execArgv: [...execArgv],
    cwd: here,
  })
  const failure = failureOf(outcomes.get(file))
  if (failure !== undefined) expect.fail(failure)
}

/** A folder of the harness with a package.json of this module type. */
function folder(name: string, type: 'module' | 'commonjs'): string {
  const made = path.join(harness.directory, name)
  mkdirSync(made, { recursive: true })
  writeFileSync(path.join(made, 'package.json'), JSON.stringify({ type }))
  return made
}

/** The program as tsc would write it. */
function transpiled(name: string, module: ts.ModuleKind, target: ts.ScriptTarget): string {
  const made = folder(name, module === ts.ModuleKind.CommonJS ? 'commonjs' : 'module')
  for (const source of readdirSync(programs)) {
    const { outputText } = ts.transpileModule(readFileSync(path.join(programs, source), 'utf8'), {
      fileName: source,
      compilerOptions: {
        module,
        target,
        esModuleInterop: true,
        inlineSourceMap: true,
        rewriteRelativeImportExtensions: true,
      },
    })
    writeFileSync(path.join(made, source.replace(/\.ts$/, '.js')), outputText)
  }
  return path.join(made, 'jobs.js')
}

async function bundled(
  name: string,
  options: { readonly format: 'esm' | 'cjs'; readonly minify: boolean },
): Promise<string> {
  const outfile = path.join(folder(name, 'module'), options.format === 'esm' ? 'jobs.mjs' : 'jobs.cjs')
  await build({
    entryPoints: [path.join(programs, 'jobs.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    packages: 'external',
    ...options,
  })
  return outfile
}

describe('runner matrix', () => {
  it('tsx, ES modules', () => check(path.join(programs, 'jobs.ts'), TSX))

  it('tsx, CommonJS', async () => {
    const made = folder('tsx-cjs', 'commonjs')
    cpSync(programs, made, { recursive: true })
    await check(path.join(made, 'jobs.ts'), TSX)
  })

  it('tsc, ES modules', () => check(transpiled('tsc-esm', ts.ModuleKind.ESNext, ts.ScriptTarget.ES2022)))
  it('tsc, CommonJS, es2022', () =>
    check(transpiled('tsc-cjs', ts.ModuleKind.CommonJS, ts.ScriptTarget.ES2022)))
  it('tsc, CommonJS, es2017', () =>
    check(transpiled('tsc-2017', ts.ModuleKind.CommonJS, ts.ScriptTarget.ES2017)))
  it('a bundle', async () => check(await bundled('bundle', { format: 'esm', minify: false })))
  it('a minified bundle', async () => check(await bundled('minified', { format: 'esm', minify: true })))
  it('a bundle of CommonJS', async () => check(await bundled('bundle-cjs', { format: 'cjs', minify: false })))
})

/** Node binaries of LITHOPS_TEST_NODES, else those of scripts/install-test-nodes.mjs. */
function otherNodes(): string[] {
  const given = process.env.LITHOPS_TEST_NODES?.split(',').filter(Boolean)
  if (given !== undefined && given.length > 0) return given
  const cache = path.resolve(here, '../../../../.cache/nodes')
  if (!existsSync(cache)) return []
  return readdirSync(cache).flatMap(major => {
    const modules = path.join(cache, major, 'node_modules')
    if (!existsSync(modules)) return []
    return readdirSync(modules)
      .map(name => path.join(modules, name, 'bin', 'node'))
      .filter(existsSync)
  })
}

describe('other majors of Node', () => {
  const nodes = otherNodes()
  it('are there', context => {
    if (nodes.length > 0) return
    context.skip('real part missing: no other Node; node scripts/install-test-nodes.mjs brings some')
  })
  for (const node of nodes) {
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
    it(`${version}, a bundle`, async () =>
      check(await bundled(`bundle-${version}`, { format: 'esm', minify: false }), [], node))
    it(`${version}, its own way with types`, async context => {
      if (
        !process.allowedNodeEnvironmentFlags.has('--experimental-transform-types') &&
        Number(version.slice(1, 3)) < 22
      ) {
        context.skip(`${version} does not run TypeScript`)
      }
      await check(path.join(programs, 'jobs.ts'), ['--experimental-transform-types', '--no-warnings'], node)
    })
  }
})
