/** Drivers of other people, installed as they would be: packed, from an empty project, outside of this workspace. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'

const run = promisify(execFile)
const corePackage = join(import.meta.dirname, '..', '..')
const packages = [
  corePackage,
  join(corePackage, '..', '..', 'examples', 'backend-template'),
  ...['scoped-backend', 'folder-storage', 'scoped-storage', 'listing-monitor', 'scoped-monitor'].map(name =>
    join(import.meta.dirname, name),
  ),
]
const NETWORK_ERRORS = /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|network/i

let project = ''
let unreachable: string | undefined

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'lithops-third-party-'))
  if (!existsSync(join(corePackage, 'dist', 'index.js'))) await run('npx', ['tsup'], { cwd: corePackage })
  for (const directory of packages) {
    await run('npm', ['pack', '--silent', '--pack-destination', project], { cwd: directory })
  }
  await writeFile(
    join(project, 'package.json'),
    JSON.stringify({ name: 'empty', private: true, type: 'module' }),
  )
  const tarballs = (await readdir(project)).filter(name => name.endsWith('.tgz')).map(name => `./${name}`)
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--fetch-retries=1']
  try {
    await run('npm', ['install', ...flags, ...tarballs], { cwd: project, timeout: 150_000 })
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    if (process.env.LITHOPS_REQUIRE_REAL_PARTS === '1' || !NETWORK_ERRORS.test(stderr)) throw error
    unreachable = 'the package registry cannot be reached'
  }
}, 240_000)

afterAll(() => rm(project, { recursive: true, force: true }))

async function runProgram(context: TestContext, name: string, source: string): Promise<string> {
  if (unreachable !== undefined) {
    console.log(`skipped: ${context.task.name}: ${unreachable}`)
    context.skip()
  }
  await writeFile(join(project, name), source)
  const args = name.includes('.test.') ? ['--test', '--test-reporter=tap', name] : [name]
  try {
    return (await run(process.execPath, args, { cwd: project, timeout: 120_000 })).stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${(error as Error).message}\n${failuresIn(stdout)}${stderr}`)
  }
}

/** What TAP says of the tests that failed. */
function failuresIn(tap: string): string {
  const lines = tap.split('\n')
  return lines.flatMap((line, i) => (/^\s*not ok /.test(line) ? lines.slice(i, i + 20) : [])).join('\n')
}

const MAP = `
const rate = 2
const futures = fexec.map(x => x * rate, [1, 2, 3])
console.log(JSON.stringify(await fexec.getResult(futures)), futures[0].stats.workerId)
`

test('a driver object of a package runs a map', { timeout: 130_000 }, async context => {
  const output = await runProgram(
    context,
    'object.mjs',
    `import { FunctionExecutor } from '@lithops/core'
import { backend } from 'lithops-backend-tiny'
const fexec = new FunctionExecutor({ backend })
${MAP}await fexec.close()
`,
  )
  expect(output).toMatch(/^\[2,4,6\] tiny-\d+\n$/)
})

test('backend, storage and monitor of a CommonJS package run a map', { timeout: 130_000 }, async context => {
  const output = await runProgram(
    context,
    'scoped.mjs',
    `import { FunctionExecutor } from '@lithops/core'
import { backend, monitor, storage } from '@anyone/lithops-backend-scoped'
const fexec = new FunctionExecutor({ backend, storage, monitoring: monitor })
${MAP}await fexec.close()
`,
  )
  expect(output).toMatch(/^\[2,4,6\] memory-\d+\n$/)
})

test('a CommonJS program runs it too', { timeout: 130_000 }, async context => {
  const output = await runProgram(
    context,
    'program.cjs',
    `const { FunctionExecutor } = require('@lithops/core')
const { backend } = require('@anyone/lithops-backend-scoped')
async function main() {
const fexec = new FunctionExecutor({ backend })
${MAP}await fexec.close()
}
main()
`,
  )
  expect(output).toMatch(/^\[2,4,6\] memory-\d+\n$/)
})

test('the template passes the kit under node:test', { timeout: 130_000 }, async context => {
  const output = await runProgram(
    context,
    'kit.test.mjs',
    `import test from 'node:test'
import { computeConformance } from '@lithops/core/testing'
import { TinyBackend } from 'lithops-backend-tiny'
computeConformance({ test, createBackend: () => new TinyBackend(), timing: { manyCalls: 60, callMs: 100_000 } })
`,
  )
  expect(output).toMatch(/^# fail 0$/m)
  expect(output).toMatch(/^# pass [1-9]\d+$/m)
})

for (const [name, worker] of [
  ['tiny', /tiny-\d+/],
  ['lithops-backend-tiny', /tiny-\d+/],
  ['scoped', /memory-\d+/],
  ['@anyone/lithops-backend-scoped', /memory-\d+/],
] as const) {
  const options = JSON.stringify({ backend: name })
  const programs = {
    'by-name.mjs': `import { FunctionExecutor } from '@lithops/core'
const fexec = new FunctionExecutor(${options})
${MAP}await fexec.close()
`,
    'by-name.cjs': `const { FunctionExecutor } = require('@lithops/core')
async function main() {
const fexec = new FunctionExecutor(${options})
${MAP}await fexec.close()
}
main()
`,
  }
  for (const [file, source] of Object.entries(programs)) {
    test(`backend '${name}' is found by name in ${file}`, { timeout: 130_000 }, async context => {
      const output = await runProgram(context, file, source)
      expect(output).toMatch(/^\[2,4,6\] /)
      expect(output).toMatch(worker)
    })
  }
}

for (const [storage, monitoring] of [
  ['folder', 'listing'],
  ['lithops-storage-folder', 'lithops-monitor-listing'],
]) {
  test(`storage '${storage}' and monitor '${monitoring}' are found by name and carry a job of local workers`, {
    timeout: 130_000,
  }, async context => {
    const output = await runProgram(
      context,
      'storage.mjs',
      `import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { FunctionExecutor } from '@lithops/core'
const folder = mkdtempSync(join(process.cwd(), 'lithops-folder-'))
let seen = 0
process.on('listing-monitor:seen', count => (seen += count))
const fexec = new FunctionExecutor({
  backend: 'localhost',
  storage: ${JSON.stringify(storage)},
  monitoring: ${JSON.stringify(monitoring)},
  config: { folder: { folder, storage_bucket: 'jobs' }, listing: { pause_ms: 5 }, localhost: { worker_processes: 2 } },
})
const rate = 2
const futures = fexec.map(async (x, context) => {
  await context.storage.put('made-by-' + x, String(x * rate))
  return [x * rate, process.pid]
}, [1, 2, 3])
const results = await fexec.getResult(futures)
const storage = await fexec.storage()
const objects = []
for (const x of [1, 2, 3]) objects.push(Buffer.from(await storage.get('made-by-' + x)).toString())
await fexec.close()
console.log(JSON.stringify({
  values: results.map(([value]) => value),
  remote: results.every(([, pid]) => pid !== process.pid),
  objects,
  seen: seen > 0,
}))
`,
    )
    expect(JSON.parse(output)).toEqual({
      values: [2, 4, 6],
      remote: true,
      objects: ['2', '4', '6'],
      seen: true,
    })
  })
}

for (const names of [
  { backend: 'scoped', storage: 'scoped', monitoring: 'scoped' },
  {
    backend: '@anyone/lithops-backend-scoped',
    storage: '@anyone/lithops-storage-scoped',
    monitoring: '@anyone/lithops-monitor-scoped',
  },
]) {
  test(`storage '${names.storage}' and monitor '${names.monitoring}' of a scope are found by name`, {
    timeout: 130_000,
  }, async context => {
    const output = await runProgram(
      context,
      'scoped-by-name.cjs',
      `const { FunctionExecutor } = require('@lithops/core')
async function main() {
  const fexec = new FunctionExecutor(${JSON.stringify(names)})
  const storage = await fexec.storage()
  await storage.createBucket()
  const futures = fexec.map(async (x, context) => {
    await context.storage.put('item-' + x, 'text ' + x)
    return x * 2
  }, [1, 2, 3])
  const values = await fexec.getResult(futures)
  console.log(JSON.stringify(values), futures[0].stats.workerId, String(Buffer.from(await storage.get('item-2'))))
  await fexec.close()
}
main()
`,
    )
    expect(output).toMatch(/^\[2,4,6\] memory-\d+ text 2\n$/)
  })
}

test("the third party's storage passes the kit under node:test", { timeout: 130_000 }, async context => {
  const output = await runProgram(
    context,
    'storage-kit.test.mjs',
    `import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { storageConformance } from '@lithops/core/testing'
import { storage } from 'lithops-storage-folder'
const folder = mkdtempSync(join(process.cwd(), 'lithops-folder-kit-'))
storageConformance({ test, createBackend: () => storage.create({ folder }), timing: { manyKeys: 120 } })
`,
  )
  expect(output).toMatch(/^# fail 0$/m)
  expect(output).toMatch(/^# pass [1-9]\d+$/m)
})

test('a backend that is not installed is an error with the command that installs one', {
  timeout: 130_000,
}, async context => {
  const output = await runProgram(
    context,
    'missing.mjs',
    `import { FunctionExecutor } from '@lithops/core'
const fexec = new FunctionExecutor({ backend: 'tinny' })
const error = await fexec.getResult(fexec.map(x => x, [1])).catch(e => e)
console.log(error.code, error.message)
await fexec.close()
`,
  )
  expect(output).toMatch(/^LITHOPS_DRIVER_NOT_FOUND .*npm i/s)
})

const USER_PROGRAM = `import { ALL_COMPLETED, FunctionExecutor } from '@lithops/core'
import { type ComputeBackend, defineConfigSection } from '@lithops/core/driver'
import { computeConformance } from '@lithops/core/testing'
import * as worker from '@lithops/core/worker'
export async function main() {
  await using fexec = new FunctionExecutor()
  const values: number[] = await fexec.getResult(fexec.map((x: number) => x + 1, [1, 2]))
  await fexec.wait(undefined, { returnWhen: ALL_COMPLETED })
  return [values, typeof defineConfigSection, typeof computeConformance, Object.keys(worker)] as const
}
export type Backend = ComputeBackend
`

test.each([
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
])(
  'a TypeScript project compiles against the packed types: module %s, resolution %s',
  {
    timeout: 130_000,
  },
  async (module, moduleResolution) => {
    const files = ['user.ts', 'user.mts', 'user.cts']
    for (const file of files) await writeFile(join(project, file), USER_PROGRAM)
    const modules = join(corePackage, 'node_modules')
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2022', lib: ['es2022', 'esnext.disposable'] },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
      ...{ types: ['node'], typeRoots: [join(corePackage, '..', '..', 'node_modules', '@types')] },
    }
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const tsc = join(modules, 'typescript', 'bin', 'tsc')
    const { stdout } = await run(process.execPath, [tsc, '-p', project]).catch(error => error)
    expect(stdout).toBe('')
  },
)

test("one source spans the job's storage, another by its name, and files; rows of CSV are read by workers", {
  timeout: 130_000,
}, async context => {
  const output = await runProgram(
    context,
    'sources.mjs',
    `import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { csv, FunctionExecutor, objects } from '@lithops/core'
const folder = mkdtempSync(join(process.cwd(), 'lithops-sources-'))
const config = {
  folder: { folder: join(folder, 'other'), storage_bucket: 'jobs' },
  localhost: { worker_processes: 2, storage_folder: join(folder, 'own') },
}
const text = name => 'from\\n' + (name + '\\n').repeat(3)
const other = new FunctionExecutor({ backend: 'localhost', storage: 'folder', config })
const storage = await other.storage()
await storage.createBucket('far')
await storage.put('logs/a.csv', text('other'), { bucket: 'far' })
await other.close()
const fexec = new FunctionExecutor({ config, backend: 'localhost', storage: 'localhost', storages: ['folder'] })
await (await fexec.storage()).put('b.csv', text('own'))
writeFileSync(join(folder, 'c.csv'), text('file'))
const everywhere = ['folder://far/logs/*.csv', 'storage/b.csv', join(folder, 'c.csv')]
const lines = fexec.map(async piece => (await piece.text()).split('\\n')[1], objects(everywhere))
const counted = fexec.mapReduce(async (piece, names) => {
  const found = []
  for await (const row of piece.rows()) found.push(row.from)
  return found
}, csv(everywhere, { chunkNumber: 2 }), parts => parts.flat().join(), { reduceBy: 'object' })
const unknown = await fexec.getResult(fexec.map(piece => piece.key, objects('nowhere_at_all://x/y'))).catch(e => e.code)
console.log(JSON.stringify([await fexec.getResult(lines), await fexec.getResult(counted), counted.groupKeys[0], unknown]))
await fexec.close()
`,
  )
  expect(JSON.parse(output)).toEqual([
    ['other', 'own', 'file'],
    ['other,other,other', 'own,own,own', 'file,file,file'],
    'folder://far/logs/a.csv',
    'LITHOPS_DRIVER_NOT_FOUND',
  ])
})
