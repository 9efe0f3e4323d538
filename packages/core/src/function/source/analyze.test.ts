import { expect, test } from 'vitest'
import { analyzeScript } from './analyze.ts'
import { codeNodesWithin, freeReferences, referenceAt, specialPlaces } from './references.ts'

const analyze = (source: string, isModule = true) => analyzeScript(source, { isModule })

/** Free names of the first function whose text begins with `text`. */
function freeNames(source: string, text: string): string[] {
  const analysis = analyze(source)
  const start = source.indexOf(text)
  const code = analysis.codeNodes.find(node => node.start === start)
  if (code === undefined) throw new Error(`no function at ${text}`)
  return freeReferences(analysis, code).map(
    ({ name, declaration }) => `${name}:${declaration?.kind ?? 'global'}`,
  )
}

test('free names are those declared outside of a function', () => {
  expect(freeNames('const a = 1; let b; const f = (x, { y = a }) => x + y + b + globalThing', '(x')).toEqual([
    'a:const',
    'b:let',
    'globalThing:global',
  ])
  expect(freeNames('import d, { n as m } from "x"; const f = () => [d, m]', '() =>')).toEqual([
    'd:import',
    'm:import',
  ])
  expect(freeNames('const f = function own() { return own }', 'function own')).toEqual([])
  expect(
    freeNames(
      'const f = () => { try {} catch (e) { e } for (const i of []) i; var v; { let w; w } return v }',
      '() =>',
    ),
  ).toEqual([])
  expect(freeNames('const o = {}; const f = () => ({ o, key: o.key, o: 1 })', '() =>')).toEqual([
    'o:const',
    'o:const',
  ])
})

test('declarations below their use, and in nested blocks, are found', () => {
  expect(freeNames('const f = () => later; const later = 1', '() =>')).toEqual(['later:const'])
  expect(freeNames('const f = () => { if (1) { var hoisted } return hoisted }', '() =>')).toEqual([])
  expect(freeNames('const f = () => { inner(); function inner() {} }', '() =>')).toEqual([])
  expect(freeNames('switch (1) { case 1: let a; var f = () => a }', '() =>')).toEqual(['a:let'])
})

test('says which uses write, are shorthand, callee or operand of typeof', () => {
  const source = 'let a, b, c, d; a = 1; ({ b } = {}); c(); typeof d; [a] = []; d++'
  const facts = analyze(source).references.map(({ name, isWrite, isShorthand, isCallee, isTypeofOperand }) =>
    [name, isWrite && 'write', isShorthand && 'shorthand', isCallee && 'callee', isTypeofOperand && 'typeof']
      .filter(Boolean)
      .join(' '),
  )
  expect(facts).toEqual(['a write', 'b write shorthand', 'c callee', 'd typeof', 'a write', 'd write'])
  expect(analyze(source).root.declarations.get('c')?.isReassigned).toBe(false)
  expect(analyze(source).root.declarations.get('d')?.isReassigned).toBe(true)
})

test('special places know what gives them their meaning', () => {
  const source =
    'class A { #p = 1; m() { return () => this.#p } static { this } } const o = { n() { return super.x } }'
  const places = analyze(source).specials.map(place =>
    'owner' in place ? `${place.kind} of ${place.owner.type}` : place.kind,
  )
  expect(places).toEqual([
    'this of FunctionExpression',
    'private',
    'this of StaticBlock',
    'super of FunctionExpression',
  ])
})

test('strictness comes from modules, directives and classes', () => {
  const strictness = (source: string, isModule = false) =>
    analyze(source, isModule).codeNodes.map(({ isStrict }) => isStrict)
  expect(strictness('() => 1')).toEqual([false])
  expect(strictness('() => 1', true)).toEqual([true])
  expect(strictness('"use strict"; () => 1')).toEqual([true])
  expect(strictness('function f() { "use strict"; return () => 1 } function g() {}')).toEqual([
    true,
    true,
    false,
  ])
  expect(strictness('class C { m() {} }')).toEqual([true, true])
})

test('exports are known by their local names, also those of vite', () => {
  expect([
    ...analyze('const a = 1; export { a as b }; export default function () {}; export class C {}').exports,
  ]).toEqual([
    ['*default*', 'default'],
    ['C', 'C'],
    ['a', 'b'],
  ])
  const vite = '__vite_ssr_exportName__("K", () => { try { return local } catch {} }); const local = 1'
  expect([...analyze(vite).exports]).toEqual([['local', 'K']])
})

test('looks up places by offset', () => {
  const source = 'const a = 1; const f = () => a; const g = () => { const h = () => 2 }'
  const analysis = analyze(source)
  expect(referenceAt(analysis, source.indexOf('a;'))?.name).toBe('a')
  expect(referenceAt(analysis, 0)).toBeUndefined()
  const [, outer] = analysis.codeNodes
  expect(codeNodesWithin(analysis, outer!)).toHaveLength(2)
  expect(analysis.codeNodes[2]?.outer).toBe(outer)
  expect(specialPlaces(analysis, outer!)).toEqual([])
})

test('reads what is no module as a script, and the other way round', () => {
  expect(analyze('return 010').codeNodes).toEqual([])
  expect(analyze('import a from "b"; a', false).references).toHaveLength(1)
  expect(() => analyze('const = 1')).toThrow(SyntaxError)
})
