import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { instantiateFunction, type ModuleFactory } from '../worker/instantiate.ts'
import { captureNamedExport } from './capture-export.ts'
import { checkExport } from './check-export.ts'
import { findModuleFile } from './module-file.ts'

const root = mkdtempSync(path.join(tmpdir(), 'lithops-named-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
afterEach(() => {
  vi.restoreAllMocks()
})

const FILES: Readonly<Record<string, string>> = {
  'scale.ts': `import { rate } from './lib/rate.ts'
export function scale(x: number): number { return x * rate }
export const label: string = 'no function'
export class Box { width = 1 }
export default function area(this: void, x: number): number { return x * x }
`,
  'lib/rate.ts': 'export const rate: number = 3\n',
  'old.cjs': 'exports.half = x => x / 2\nexports.third = x => x / 3\n',
  'whole.cjs': 'module.exports = function whole(x) { return x }\n',
  'compiled.cjs':
    "Object.defineProperty(exports, '__esModule', { value: true })\nexports.default = x => x + 1\n",
  'broken.ts': "throw new Error('no such service')\nexport const f = () => 1\n",
  'empty.ts': 'export const one = 1\n',
  'ends.ts': 'process.exit(0)\nexport const f = () => 1\n',
}

function folder(name: string, files: Readonly<Record<string, string>> = FILES): string {
  const place = path.join(root, name)
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(place, file)), { recursive: true })
    writeFileSync(path.join(place, file), text)
  }
  return place
}

const exportOf = (file: string, name: string) => ({ file, url: pathToFileURL(file).href, name })
const bundleOf = (file: string, name: string) =>
  captureNamedExport(exportOf(file, name), undefined, {}).bundle()

async function run(file: string, name: string, argument: unknown): Promise<unknown> {
  const captured = captureNamedExport(exportOf(file, name), undefined, {})
  const { file: module } = await captured.bundle()
  const { default: factory } = (await import(/* @vite-ignore */ pathToFileURL(module as string).href)) as {
    default: ModuleFactory
  }
  return (instantiateFunction(factory, captured.env).fn as (x: unknown) => unknown)(argument)
}

describe('a function by its file and name', () => {
  test('has the same hash wherever its files and the program are', async () => {
    const [one, other] = [folder('here'), folder('there/deeper')]
    const first = await bundleOf(path.join(one, 'scale.ts'), 'scale')
    vi.spyOn(process, 'cwd').mockReturnValue(other)
    expect((await bundleOf(path.join(other, 'scale.ts'), 'scale')).hash).toBe(first.hash)
    expect((await bundleOf(path.join(one, 'scale.ts'), 'scale')).hash).toBe(first.hash)
    expect(Buffer.from(await first.read()).toString()).not.toContain(root)
  })

  test('has another hash when something changes that it imports', async () => {
    const place = folder('changes')
    const { hash } = await bundleOf(path.join(place, 'scale.ts'), 'scale')
    writeFileSync(path.join(place, 'lib/rate.ts'), 'export const rate: number = 40\n')
    const copy = folder('changed', { ...FILES, 'lib/rate.ts': 'export const rate: number = 40\n' })
    const changed = await bundleOf(path.join(copy, 'scale.ts'), 'scale')
    expect(changed.hash).not.toBe(hash)
    expect(await run(path.join(copy, 'scale.ts'), 'scale', 2)).toBe(80)
  })

  test.each([
    ['scale.ts', 'scale', 2, 6],
    ['scale.ts', 'default', 3, 9],
    ['scale.ts', 'area', 3, 9],
    ['old.cjs', 'half', 6, 3],
    ['whole.cjs', 'default', 6, 6],
    ['whole.cjs', 'whole', 6, 6],
    ['compiled.cjs', 'default', 6, 7],
  ])('%s: %s', async (file, name, argument, result) => {
    const place = folder('ways')
    const full = path.join(place, file)
    expect(await run(full, name, argument)).toBe(result)
    await checkExport(exportOf(full, name), await (await bundleOf(full, name)).read())
  })
})

describe('what is no function', () => {
  test.each([
    [
      'scale.ts',
      'scales',
      'LITHOPS_CONFIG',
      /scale\.ts exports nothing called 'scales'\. Did you mean 'scale'\?/,
    ],
    ['scale.ts', 'label', 'LITHOPS_CONFIG', /'label' of .*scale\.ts is a string, not a function/],
    ['scale.ts', 'Box', 'LITHOPS_CONFIG', /'Box' of .*scale\.ts is a class, not a function/],
    ['old.cjs', 'thrid', 'LITHOPS_CONFIG', /Did you mean 'third'\?/],
    ['old.cjs', 'entirely', 'LITHOPS_CONFIG', /Functions that it exports: .*half/],
    ['empty.ts', 'f', 'LITHOPS_CONFIG', /It exports no function at all/],
    ['broken.ts', 'f', 'LITHOPS_RUNTIME_BUILD', /broken\.ts cannot be loaded.*no such service/s],
    ['ends.ts', 'f', 'LITHOPS_RUNTIME_BUILD', /it ended the process/],
  ])('%s: %s', async (file, name, code, message) => {
    const full = path.join(folder('flaws'), file)
    const bytes = await (await bundleOf(full, name)).read()
    await expect(checkExport(exportOf(full, name), bytes)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })
})

test('a module is found with and without its ending, in the first folder that has it', () => {
  const place = folder('find')
  const find = (name: string, folders = ['/no/such/folder', place]) =>
    findModuleFile(name, folders, 'map_func_mod')
  expect(find('scale')).toBe(path.join(place, 'scale.ts'))
  expect(find('scale.ts')).toBe(path.join(place, 'scale.ts'))
  expect(find('lib/rate')).toBe(path.join(place, 'lib/rate.ts'))
  expect(find(path.join(place, 'old'))).toBe(path.join(place, 'old.cjs'))
  expect(() => find('scales')).toThrow(
    /map_func_mod: there is no file \/no\/such\/folder\/scales, nor .*scales, with or/,
  )
  expect(() => find('lib')).toThrow(/lib is no file/)
})
