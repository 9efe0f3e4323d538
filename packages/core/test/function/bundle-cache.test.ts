import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { BundleCache } from '../../src/function/bundle-cache.ts'
import { captureFunction } from '../../src/function/index.ts'
import { Programs } from './programs.ts'
import { revive } from './revive.ts'

let programs: Programs
beforeAll(async () => {
  programs = await Programs.build()
})
afterAll(() => programs.remove())

/** A function that needs a bundle (it imports a file) and one that does not. Tells their hashes and what they give. */
const PROGRAM = {
  'scale.mjs':
    'export const scale = (x, by) => x * by\nexport function fail() {\n  throw new Error("failed")\n}\n',
  'main.mjs': `
import { readFileSync } from 'node:fs'
import { captureFunction, ship, stop } from 'LIBRARY'
import { fail, scale } from './scale.mjs'
const rate = 3
const functions = [x => scale(x, rate), x => x + rate, () => fail()]
const hashes = []
for (const fn of functions) hashes.push((await captureFunction(fn).bundle()).hash)
const failing = captureFunction(functions[2])
const { file } = await failing.bundle()
const stack = failing.mapStack(\`Error: failed\\n    at fail (file://\${file}:\${lineOf(await failing.bundle())}:9)\`)
console.log(JSON.stringify({
  hashes,
  values: [await ship(functions[0], 2), await ship(functions[1], 2)],
  stack,
}))
stop()

function lineOf({ file }) {
  const lines = readFileSync(file, 'utf8').split('\\n')
  return lines.findIndex(line => line.includes('throw new Error')) + 1
}
`,
}

const cacheOf = (directory: string) => path.join(directory, 'cache')
const contentsOf = (directory: string) =>
  Object.fromEntries(
    readdirSync(cacheOf(directory))
      .filter(name => !name.startsWith('.'))
      .map(name => [name, readFileSync(path.join(cacheOf(directory), name), 'utf8')]),
  )

describe('the hash of a bundle', () => {
  const make = (n: number, config: object) => (x: number) => x * n + Object.keys(config).length

  test('is the same when only captured values change', async () => {
    const one = captureFunction(make(1, { a: 1 }))
    const two = captureFunction(make(2, { b: [1, 2, 3], c: 'more' }))
    const [first, second] = await Promise.all([one.bundle(), two.bundle()])
    expect(second.hash).toBe(first.hash)
    expect(second.file).toBe(first.file)
    expect(two.envHash).not.toBe(one.envHash)
    expect(await (await revive(one))(10)).toBe(11)
    expect(await (await revive(two))(10)).toBe(22)
  })

  test('is the same for a loop of captures, and the environment too when nothing changes', async () => {
    const hashes = new Set<string>()
    const environments = new Set<string>()
    for (let i = 0; i < 10; i++) {
      const captured = captureFunction(make(i % 2, {}))
      hashes.add((await captured.bundle()).hash)
      environments.add(captured.envHash)
    }
    expect(hashes.size).toBe(1)
    expect(environments.size).toBe(2)
  })

  test('is another for other code', async () => {
    const [plus, minus] = [(x: number) => x + 1, (x: number) => x - 1].map(fn => captureFunction(fn))
    expect((await plus!.bundle()).hash).not.toBe((await minus!.bundle()).hash)
  })
})

describe('the cache of bundles on disk', () => {
  test('may be written by several processes at once', async () => {
    const directory = programs.folder(PROGRAM)
    const results = await Promise.all(Array.from({ length: 6 }, () => programs.run(directory)))
    for (const result of results) {
      expect(result).toEqual(results[0])
      expect(result.values).toEqual([6, 5])
    }
    const names = readdirSync(cacheOf(directory))
    // no half-written file is left
    expect(names.filter(name => name.startsWith('.') && name !== '.writable')).toEqual([])
    for (const hash of results[0].hashes) expect(names).toContain(`${hash}.mjs`)
  })

  const DAMAGES: Record<string, (file: string) => void> = {
    'cut off': file => truncateSync(file, Math.floor(readFileSync(file).length / 2)),
    empty: file => truncateSync(file, 0),
    'overwritten with something else': file => writeFileSync(file, 'export default 5 // {"hash":"0"}\n'),
    'with one letter changed': file => {
      const text = readFileSync(file, 'utf8')
      writeFileSync(file, text.replace('scale', 'scald').replace('inputs', 'imputs'))
    },
    gone: file => rmSync(file),
  }
  for (const ending of ['.mjs', '.json', '.map']) {
    test.each(Object.entries(DAMAGES))(`is repaired when its ${ending} files are %s`, async (_, damage) => {
      const directory = programs.folder(PROGRAM)
      const before = await programs.run(directory)
      const whole = contentsOf(directory)
      const files = Object.keys(whole).filter(name => name.endsWith(ending))
      expect(files.length).toBeGreaterThan(0)
      expect(before.stack).toContain('scale.mjs:3:')
      for (const name of files) damage(path.join(cacheOf(directory), name))

      expect(await programs.run(directory)).toEqual(before)
      expect(contentsOf(directory)).toEqual(whole)
    })
  }

  test('a source map that is damaged while the program runs costs the positions, not the error', async () => {
    const directory = programs.folder({
      ...PROGRAM,
      'main.mjs': PROGRAM['main.mjs']
        .replace('const stack =', "writeFileSync(file.replace('.mjs', '.map'), '{')\nconst stack =")
        .replace('readFileSync }', 'readFileSync, writeFileSync }'),
    })
    const { stack } = await programs.run(directory)
    expect(stack).toMatch(/^Error: failed\n {4}at fail \(.*\.mjs:\d+:9\)$/)
  })

  test('notices that a file which was bundled has changed', async () => {
    const directory = programs.folder(PROGRAM)
    const before = await programs.run(directory)
    const file = path.join(directory, 'scale.mjs')
    // of the same length: the size alone would not tell
    writeFileSync(file, readFileSync(file, 'utf8').replace('x * by', 'x - by'))
    const after = await programs.run(directory)
    expect(before.values).toEqual([6, 5])
    expect(after.values).toEqual([-1, 5])
    expect(after.hashes[0]).not.toBe(before.hashes[0])
    expect(after.hashes[1]).toBe(before.hashes[1])
  })

  test('notices that another version of a package was installed beside the one that was bundled', async () => {
    const directory = programs.folder({
      ...PROGRAM,
      'main.mjs': PROGRAM['main.mjs'].replace("'./scale.mjs'", "'scaler'"),
    })
    const install = (version: string, text: string) => {
      const store = path.join(directory, 'store', `scaler@${version}`)
      mkdirSync(store, { recursive: true })
      writeFileSync(
        path.join(store, 'package.json'),
        JSON.stringify({ name: 'scaler', version, exports: './index.mjs' }),
      )
      writeFileSync(path.join(store, 'index.mjs'), text)
      const link = path.join(directory, 'node_modules', 'scaler')
      mkdirSync(path.dirname(link), { recursive: true })
      rmSync(link, { force: true, recursive: true })
      symlinkSync(store, link, 'junction')
      writeFileSync(path.join(directory, 'pnpm-lock.yaml'), `scaler: ${version}\n`)
    }
    install('1.0.0', PROGRAM['scale.mjs'])
    const before = await programs.run(directory)
    install('2.0.0-beta', PROGRAM['scale.mjs'].replace('x * by', 'x - by'))
    const after = await programs.run(directory)
    expect([before.values[0], after.values[0]]).toEqual([6, -1])
  })

  test('notices that the manifest of a bundled package leads elsewhere', async () => {
    const directory = programs.folder({
      ...PROGRAM,
      'main.mjs': PROGRAM['main.mjs'].replace("'./scale.mjs'", "'scaler'"),
    })
    const home = path.join(directory, 'node_modules', 'scaler')
    mkdirSync(home, { recursive: true })
    writeFileSync(path.join(home, 'one.mjs'), PROGRAM['scale.mjs'])
    writeFileSync(path.join(home, 'two.mjs'), PROGRAM['scale.mjs'].replace('x * by', 'x - by'))
    const lead = (file: string) =>
      writeFileSync(
        path.join(home, 'package.json'),
        JSON.stringify({ name: 'scaler', version: '1.0.0', exports: file }),
      )
    lead('./one.mjs')
    const before = await programs.run(directory)
    lead('./two.mjs')
    const after = await programs.run(directory)
    expect([before.values[0], after.values[0]]).toEqual([6, -1])
  })

  const leftFolders = () => readdirSync(tmpdir()).filter(name => name.startsWith('lithops-cache-'))

  test.each([
    ['a file is in its place', (directory: string) => path.join(directory, 'cache')],
    ['the folder cannot be made', () => '/dev/null/cache'],
  ])('falls back to a folder of its own, and leaves none, where %s', async (_, folderIn) => {
    const directory = programs.folder({ ...PROGRAM, cache: 'a file where the folder should be' })
    const before = leftFolders()
    const result = await programs.run(directory, { cacheDirectory: folderIn(directory) })
    expect(result.values).toEqual([6, 5])
    expect(leftFolders().filter(name => !before.includes(name))).toEqual([])
  })

  test('goes on without a cache on a disk that takes nothing', async context => {
    if (process.platform === 'win32')
      return context.skip('a limit to the size of files needs a shell of POSIX')
    const directory = programs.folder({
      ...PROGRAM,
      'main.mjs': `
import { captureFunction } from 'LIBRARY'
import { scale } from './scale.mjs'
const captured = captureFunction(x => scale(x, 3))
const bundle = await captured.bundle()
const text = Buffer.from(await bundle.read()).toString()
console.log(JSON.stringify({ file: bundle.file ?? null, isWhole: text.includes('x * by') && text.length === bundle.sizeBytes }))
`,
    })
    // no file may be longer than one block, as on a disk that is full
    const shell = ['-c', 'trap "" XFSZ; ulimit -f 0; exec "$0" "$@"', process.execPath]
    const before = leftFolders()
    const result = await programs.run(directory, { node: '/bin/sh', execArgv: shell })
    expect(result).toEqual({ file: null, isWhole: true })
    expect(leftFolders().filter(name => !before.includes(name))).toEqual([])
  })
})

describe('the size of the cache', () => {
  const DAY_MS = 24 * 60 * 60 * 1000
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'lithops-sizes-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const hashOf = (n: number) => String(n).padStart(32, '0')
  function put(n: number, bytes: number, ageDays: number, ending = 'mjs', prefix = '') {
    const file = path.join(directory, `${prefix}${hashOf(n)}.${ending}`)
    writeFileSync(file, 'x'.repeat(bytes))
    const at = new Date(Date.now() - ageDays * DAY_MS)
    utimesSync(file, at, at)
  }
  const left = () =>
    readdirSync(directory)
      .filter(name => name !== '.writable')
      .map(name => name.replace(/^(\.?)0+/, '$1'))
      .sort()

  test('is kept by removing what was used least recently, and never what was used today', async () => {
    put(1, 400, 5)
    put(2, 400, 3)
    put(3, 400, 2, 'map')
    put(4, 5000, 0.5)
    await new BundleCache({ directory, maxBytes: 5700 }).tidy()
    expect(left()).toEqual(['3.map', '4.mjs'])
    await new BundleCache({ directory, maxBytes: 10 }).tidy()
    expect(left()).toEqual(['4.mjs'])
  })

  test('holds nothing that was not used for a month, and no half-written file', async () => {
    put(1, 10, 31)
    put(2, 10, 29, 'json')
    put(3, 10, 40, 'mjs.0123456789ab', '.')
    put(4, 10, 0, 'mjs.0123456789ab', '.')
    writeFileSync(path.join(directory, 'notes.txt'), 'not ours')
    await new BundleCache({ directory }).tidy()
    expect(left()).toEqual(['.4.mjs.0123456789ab', '2.json', 'notes.txt'])
  })

  test('is looked at when something is written, and a use counts', async () => {
    put(1, 10, 31)
    put(2, 10, 29)
    const cache = new BundleCache({ directory })
    expect(await cache.touch(hashOf(2))).toBe(true)
    expect(await cache.touch(hashOf(9))).toBe(false)
    await cache.putModule(hashOf(5), 'text')
    await vi.waitFor(() => expect(left()).toEqual(['2.mjs', '5.mjs']))
    await cache.tidy(Date.now() + 29 * DAY_MS)
    expect(left()).toEqual(['2.mjs', '5.mjs'])
  })
})
