import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findNodes, installNodesIfRequired, missingNode } from '../serializer/harness/nodes.ts'
import { Programs } from './programs.ts'

// Functions that are sent as what a module exports: because the program says so, or because it cannot look into them.

let programs: Programs
beforeAll(async () => {
  installNodesIfRequired([22, 24])
  programs = await Programs.build()
}, 300_000)
afterAll(() => programs.remove())

const FILES = {
  'sizes.mjs': `
export class Size { constructor(width) { this.width = width } area() { return this.width ** 2 } }
export class TooWide extends Error { constructor(width) { super('too wide'); this.width = width } }
let calls = 0
export function resize(width) {
  if (width > 100) throw new TooWide(width)
  return new Size(width + ++calls)
}
export default width => width * 2
`,
  'old.cjs': `exports.half = width => width / 2\n`,
  'main.mjs': `
import { captureFunction, exported, ship, stop } from 'LIBRARY'
import double, { resize, Size, TooWide } from './sizes.mjs'
import { half } from './old.cjs'
const marked = process.env.MARKED === 'yes'
const url = new URL('./sizes.mjs', import.meta.url)
const [f, g] = marked ? [exported(resize, url), exported(double, String(url), 'default')] : [resize, double]
const size = await ship(f, 4)
const error = await ship(f, 200).catch(e => e)
const rate = 3
const answers = {
  size: [size instanceof Size, size.area()],
  error: [error instanceof TooWide, error.width, /sizes\\.mjs:6:\\d+/.test(captureFunction(f).mapStack(error.stack)) || error.stack],
  double: await ship(g, 5),
  half: await ship(half, 5),
  closure: await ship(x => x * rate, 2).catch(e => e.name + ': ' + e.message),
}
console.log(JSON.stringify(answers))
stop()
`,
}

const PERMISSIONS = ['--allow-fs-read=*', '--allow-fs-write=*', '--allow-child-process', '--no-warnings']
const RIGHT = { size: [true, 25], double: 10, half: 2.5 }

describe('a function as the export of a module', () => {
  test('where the program says so', async () => {
    const answers = await programs.run(programs.folder(FILES), { env: { MARKED: 'yes' } })
    expect(answers).toMatchObject({ ...RIGHT, closure: 6 })
    expect(answers.error.slice(0, 2)).toEqual([true, 200])
  })

  for (const major of [20, 22, 24]) {
    test(`where Node ${major} has no inspector, by its permission model`, async context => {
      const node = findNodes().get(major)
      if (node === undefined) return context.skip(missingNode(major))
      const flag = major === 20 ? '--experimental-permission' : '--permission'
      const answers = await programs.run(programs.folder(FILES), {
        execArgv: [flag, ...PERMISSIONS],
        node: node.file,
      })
      expect(answers).toMatchObject(RIGHT)
      expect(answers.error.slice(0, 2)).toEqual([true, 200])
      expect(answers.closure).toMatch(
        /^SerializationError: .*permission model keeps it from V8's inspector.*main\.mjs imports exports it.*exported\(fn/,
      )
    })
  }

  const WRONG: Record<string, { go: string; says: RegExp }> = {
    'a relative name': { go: "exported(resize, './sizes.mjs')", says: /^TypeError: .*import\.meta\.resolve/ },
    'no function': { go: 'exported(5, import.meta.url)', says: /^TypeError: .*takes the function/ },
    'a function without a name': {
      go: 'exported((() => () => 1)(), url)',
      says: /^TypeError: .*third argument/,
    },
    'another export': {
      go: "exported(resize, url, 'Size')",
      says: /^SerializationError: .*exports something else as 'Size'/,
    },
    'no such export': {
      go: "exported(resize, url, 'nope')",
      says: /^SerializationError: .*exports nothing called 'nope'/,
    },
    'no such file': {
      go: "exported(resize, '/no/such.mjs')",
      says: /^SerializationError: .*Could not resolve/s,
    },
    'the script that starts the job': {
      go: 'exported(function main() {}, import.meta.url)',
      says: /^SerializationError: .*starts the job/,
    },
  }
  test('refuses what cannot be right', async () => {
    const directory = programs.folder({
      ...FILES,
      'main.mjs': `
import { exported, ship, stop } from 'LIBRARY'
import { resize } from './sizes.mjs'
const url = new URL('./sizes.mjs', import.meta.url)
const goes = { ${Object.entries(WRONG)
        .map(([name, { go }]) => `${JSON.stringify(name)}: () => ${go}`)
        .join(', ')} }
const said = {}
for (const [name, go] of Object.entries(goes)) said[name] = await (async () => ship(go(), 1))().catch(e => e.name + ': ' + e.message)
console.log(JSON.stringify(said))
stop()
`,
    })
    const said = await programs.run(directory)
    for (const [name, { says }] of Object.entries(WRONG)) expect.soft(said[name], name).toMatch(says)
  })
})
