import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

  test('falls back to a folder of its own where it cannot be written', async () => {
    const directory = programs.folder({ ...PROGRAM, cache: 'a file where the folder should be' })
    const result = await programs.run(directory)
    expect(result.values).toEqual([6, 5])
  })
})
