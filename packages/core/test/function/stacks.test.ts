import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findNodes, installNodesIfRequired, missingNode } from '../serializer/harness/nodes.ts'
import { Programs } from './programs.ts'

// Where the first frame of a remote error points to: the line and the column of the user's TypeScript, in whatever file
// and way it was thrown.

let programs: Programs
beforeAll(async () => {
  installNodesIfRequired([22, 24])
  programs = await Programs.build()
}, 300_000)
afterAll(() => programs.remove())

/** A line that throws ends in a comment with the name of its job; the column is that of the text between `«` and `»`. */
const LIBRARY = `
// comments, types and blank lines move what is thrown

export interface Options { readonly deep: boolean }

export function failAtOnce(x: number, _options?: Options): never {
  const text: string = 'x'
  throw «new» RangeError(\`at once \${x} \${text}\`) // @called
}
export async function failLater(x: number): Promise<void> {
  await new Promise<void>(resolve => setTimeout(resolve, 1))
  throw «new» Error(\`later \${x}\`) // @later, all
}
export class Thing<T extends object> {
  private readonly inner: T
  constructor(inner: T) { this.inner = inner }
  get bad(): number {
    return (this.inner as any).a.«b».c // @getter
  }
  static make(): Thing<object> {
    const thing: Thing<object> = new Thing({})
    if (Math.random() < 2) throw «new» TypeError('made') // @static
    return thing
  }
}
export const through = (xs: readonly number[]): number[] =>
  xs.map((x: number): number => {
    if (x > 1) throw «new» Error('in map') // @inMap
    return x
  })
`
const JOBS = `
import { failAtOnce, failLater, Thing, through } from './library.ts'

type Item = { n: number }
const thing = new Thing({})
export const jobs: Record<string, (x: number) => unknown> = {
  own: (x: number): never => {
    throw «new» Error('own ' + (x as unknown as Item).n) // @own
  },
  called: (x: number) => failAtOnce(x),
  later: async (x: number) => { await failLater(x) },
  afterAwait: async (x: number) => {
    const y = await Promise.resolve(x)
    if (y) throw «new» Error('after') // @afterAwait
  },
  getter: () => thing.bad,
  static: () => Thing.make(),
  inMap: () => through([1, 2]),
  inSort: () => [3, 1].sort((): number => { throw «new» Error('s') }), // @inSort
  inTimer: () => new Promise((_, reject) => setTimeout(() => reject(«new» Error('timer')), 1)), // @inTimer
  all: () => Promise.all([failLater(1), failLater(2)]),
  ofNothing: () => (undefined as any).«x», // @ofNothing
  inGenerator: () => [...(function* (): Generator<number> { yield 1; throw «new» Error('g') })()], // @inGenerator
}
`
const MAIN = `
import { captureFunction, ship, stop } from 'LIBRARY'
import { jobs } from './jobs.ts'
const stacks = {}
for (const [name, job] of Object.entries(jobs)) {
  const captured = captureFunction(job)
  await captured.bundle()
  stacks[name] = captured.mapStack(await ship(job, 1).then(() => 'nothing was thrown', error => error.stack))
}
console.log(JSON.stringify(stacks))
stop()
`

/** Text without the marks, and the place of each. */
function placesIn(file: string, text: string): [string, Record<string, string>] {
  const places: Record<string, string> = {}
  const lines = text.split('\n').map((line, i) => {
    const names = / \/\/ @(.*)$/.exec(line)?.[1]?.split(', ') ?? []
    for (const name of names) places[name] = `${file}:${i + 1}:${line.indexOf('«') + 1}`
    return line.replace(/[«»]/g, '')
  })
  return [lines.join('\n'), places]
}

const [libraryText, libraryPlaces] = placesIn('library.ts', LIBRARY)
const [jobsText, jobsPlaces] = placesIn('jobs.ts', JOBS)

async function expectPlaces(node: string, execArgv: readonly string[]): Promise<void> {
  const directory = programs.folder({ 'library.ts': libraryText, 'jobs.ts': jobsText, 'main.mjs': MAIN })
  const stacks: Record<string, string> = await programs.run(directory, { node, execArgv })
  const places = { ...libraryPlaces, ...jobsPlaces }
  expect(Object.keys(stacks).sort()).toEqual(Object.keys(places).sort())
  for (const [name, stack] of Object.entries(stacks)) {
    const first = stack.split('\n').find(line => /^ {4}at .*:\d+:\d+\)?$/.test(line))
    const place = /[^\\/]+:\d+:\d+/.exec(first ?? '')?.[0]
    expect.soft(place, `${name}\n${stack}`).toBe(places[name])
  }
}

describe('the first frame of a remote error', { timeout: 60_000 }, () => {
  test('under tsx', () =>
    expectPlaces(process.execPath, ['--import', createRequire(import.meta.url).resolve('tsx')]))

  for (const major of [22, 24]) {
    for (const mode of ['strip', 'transform']) {
      test(`under Node ${major}, types by --experimental-${mode}-types`, async context => {
        const node = findNodes().get(major)
        if (node === undefined) return context.skip(missingNode(major))
        await expectPlaces(node.file, [`--experimental-${mode}-types`, '--no-warnings'])
      })
    }
  }
})
