import { expect, test } from 'vitest'
import { analyzeScript } from './analyze.ts'
import { importOfVite, isCreatedRequire, isPure, isRequired, specifierOfVite } from './runner-idioms.ts'

function declaration(source: string, name = 'x') {
  const found = analyzeScript(source, { isModule: false }).root.declarations.get(name)
  if (found === undefined) throw new Error(`${name} is not declared`)
  return found
}

test.each([
  'const x = require("a")',
  'var x = __toESM(require("a"))',
  'const x = __importStar(require("a"))',
  'const x = require("a").b.c',
  'const x = tslib_1.__importDefault(require("a"))',
  'var b = (m) => m && m.__esModule ? m : { default: m }; var x = b(require("a"), 1)',
])('is filled by require: %s', source => {
  expect(isRequired(declaration(source))).toBe(true)
})

test.each([
  'const x = load(require("a"))',
  'let x = require("a"); x = 1',
  'const x = require(name)',
  'const x = f()',
])('is not: %s', source => {
  expect(isRequired(declaration(source))).toBe(false)
})

test('knows what can be evaluated anywhere', () => {
  expect(isPure(declaration('const x = () => 1'))).toBe(true)
  expect(isPure(declaration('function x() {}'))).toBe(true)
  expect(isPure(declaration('var x = Object.defineProperty'))).toBe(true)
  expect(isPure(declaration('var __awaiter = (this && this.__awaiter) || function () {}', '__awaiter'))).toBe(
    true,
  )
  expect(
    isPure(
      declaration('var __importStar = (this && this.__importStar) || (function () {})()', '__importStar'),
    ),
  ).toBe(true)
  expect(isPure(declaration('const x = make()'))).toBe(false)
  expect(isPure(declaration('let x = () => 1; x = 2'))).toBe(false)
})

test('reads imports as vite writes them', () => {
  expect(importOfVite(declaration('const x = await __vite_ssr_import__("/util.ts")'))).toBe('/util.ts')
  expect(importOfVite(declaration('const x = await load("/util.ts")'))).toBeUndefined()
  expect(specifierOfVite('node:fs')).toBe('node:fs')
  expect(specifierOfVite('/@fs/data/a.ts?v=1')).toBe('/data/a.ts')
  expect(specifierOfVite('file:///data/a.ts')).toBe('/data/a.ts')
  expect(specifierOfVite('zod')).toBe('zod')
})

test('knows a require that the user made', () => {
  expect(isCreatedRequire(declaration('const x = createRequire(import.meta.url)'))).toBe(true)
  expect(isCreatedRequire(declaration('const x = module.createRequire(u)'))).toBe(true)
  expect(isCreatedRequire(declaration('const x = require("a")'))).toBe(false)
})
