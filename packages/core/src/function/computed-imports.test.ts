// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the templates are texts of programs
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseExpressionAt } from 'acorn'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  candidatesOf,
  computedImportModule,
  computedImportOf,
  computedSpecifier,
  partsOfName,
} from './computed-imports.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lithops-computed-'))
  for (const name of [
    'main.ts',
    'a/en.ts',
    'a/de.ts',
    'a/types.d.ts',
    'a/notes.txt',
    'a/deep/fr.ts',
    'a/.hidden/x.ts',
    'node_modules/p/index.ts',
    'a/node_modules/q/i.ts',
  ]) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), '')
  }
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const names = async (
  parts: readonly string[] | undefined,
  includeModules: readonly string[] = [],
  left: string[] = [],
) => {
  const importer = path.join(folder, 'main.ts')
  return (await candidatesOf({ importer, parts }, { includeModules, left })).map(({ name }) => name)
}

describe('the fixed parts of a computed name', () => {
  test.each([
    ['`./a/${x}.ts`', ['./a/', '.ts']],
    ["'./a/' + x + '.' + y", ['./a/', '.', '']],
    ["'./a' + ('/b/' + x)", ['./a/b/', '']],
    ['`../${x}/${y}.js`', ['../', '/', '.js']],
    ['`.\\\\a\\\\${x}.ts`', ['.\\a\\', '.ts']],
    ['`${x}/a.ts`', undefined],
    ["'node:' + x", undefined],
    ['x', undefined],
    ['x ? `./a` : b', undefined],
  ])('of %s', (text, parts) => {
    expect(partsOfName(parseExpressionAt(text, 0, { ecmaVersion: 'latest' }))).toEqual(parts)
  })

  test('come back from a specifier', () => {
    for (const parts of [['./ä:/', '.ts'], undefined]) {
      expect(computedImportOf(computedSpecifier(parts), 'C:\\x\\main.ts')).toEqual({
        importer: 'C:\\x\\main.ts',
        parts,
      })
    }
  })
})

describe('what a computed import may lead to', () => {
  test('are the files that fit, but no declarations, packages and hidden ones', async () => {
    expect(await names(['./a/', '.ts'])).toEqual(['./a/de.ts', './a/deep/fr.ts', './a/en.ts'])
    expect(await names(['./a/', ''])).toEqual(['./a/de.ts', './a/deep/fr.ts', './a/en.ts'])
    expect(await names(['./nowhere/', '.ts'])).toEqual([])
  })

  test('is not the script that starts the job', async () => {
    expect(await names(['./', '.ts'], [], [path.join(folder, 'main.ts')])).not.toContain('./main.ts')
    expect(await names(['./', '.ts'])).toContain('./main.ts')
  })

  test('are the modules of the option, by every name they can have in the function', async () => {
    const file = path.join(folder, 'a', 'en.ts')
    expect(await names(undefined, ['lodash', file])).toEqual(
      ['./a/en.ts', file, pathToFileURL(file).href, 'lodash'].sort(),
    )
  })

  test('too many files are refused', async () => {
    for (let i = 0; i < 501; i++) writeFileSync(path.join(folder, 'a', `f${i}.ts`), '')
    await expect(names(['./a/f', '.ts'])).rejects.toThrow(
      /More than 500 files fit an import\(\) of '\.\/a\/f\*\.ts'/,
    )
  })
})

test('the module for a computed import says what is missing', async () => {
  const text = computedImportModule([{ name: './a.mjs', specifier: 'node:path' }])
  const load = (await import(`data:text/javascript,${encodeURIComponent(text)}`)).default
  expect(await load('./a.mjs')).toHaveProperty('sep')
  expect(await load('node:os')).toHaveProperty('cpus')
  for (const name of ['./b.mjs', '/x/b.mjs', '..\\b.mjs', 'file:///b.mjs']) {
    await expect(load(name)).rejects.toMatchObject({
      code: 'ERR_MODULE_NOT_FOUND',
      message: expect.stringContaining('includeModules'),
    })
  }
})
