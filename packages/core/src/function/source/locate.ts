import { inspectFunction } from '../inspector/inspect-function.ts'
import type { CodeNode } from './analyze.ts'
import { type Script, scriptById } from './script.ts'
import { isClassNode } from './syntax.ts'

/** A function's place in its script. */
export interface LocatedFunction {
  readonly script: Script
  /** Undefined when the text of the function is not in the script, e.g. for code of another realm's eval. */
  readonly code: LocatedCode | undefined
}

export interface LocatedCode extends CodeNode {
  readonly form: 'function' | 'method' | 'class'
  /** The range that `toString()` of the function gives; a method's begins before its function node. */
  readonly start: number
  readonly end: number
}

/** Functions do not move, so what was found is kept as long as they live. */
const located = new WeakMap<Function, LocatedFunction>()

/** Finds the source of a function by its offset and its exact text. */
export function locateFunction(
  fn: Function,
  facts: { scriptId: string; line: number; column: number },
): LocatedFunction {
  const known = located.get(fn)
  if (known !== undefined) return known
  const script = scriptById(facts.scriptId)
  const found = { script, code: script.isInternal ? undefined : findCode(fn, script, facts) }
  located.set(fn, found)
  return found
}

function findCode(
  fn: Function,
  script: Script,
  { line, column }: { line: number; column: number },
): LocatedCode | undefined {
  const text = Function.prototype.toString.call(fn)
  if (text.includes('[native code]')) return undefined
  const offset = script.offsetOf(line, column)
  const isTextAt = (start: number, end: number) =>
    end - start === text.length && script.source.startsWith(text, start)
  let found: LocatedCode | undefined
  for (const code of script.codeNodesNear(offset)) {
    const { node, parent } = code
    if (node.start <= offset && offset <= node.end && isTextAt(node.start, node.end)) {
      found = { ...code, form: isClassNode(node) ? 'class' : 'function', start: node.start, end: node.end }
    } else if (
      (parent?.type === 'Property' || parent?.type === 'MethodDefinition') &&
      parent.value === node &&
      parent.start <= offset &&
      offset <= parent.end
    ) {
      // the text of a static method begins behind `static`
      const isStatic = parent.type === 'MethodDefinition' && parent.static
      const start = isStatic ? script.source.indexOf(text.slice(0, 8), parent.start) : parent.start
      if (isTextAt(start, node.end)) found = { ...code, form: 'method', start, end: node.end }
    }
  }
  return found
}

/** The place of a function that is neither bound nor native; undefined for those. */
export function locate(fn: Function): LocatedFunction | undefined {
  const facts = inspectFunction(fn)
  return facts.kind === 'source' ? locateFunction(fn, facts) : undefined
}

/** Whether a function's text lies within a range of a script, as a class's methods do. */
export function isDefinedWithin(
  fn: Function,
  script: Script,
  { start, end }: { start: number; end: number },
): boolean {
  const facts = inspectFunction(fn)
  if (facts.kind !== 'source' || facts.scriptId !== script.id) return false
  const offset = script.offsetOf(facts.line, facts.column)
  return offset >= start && offset <= end
}

/** Function of Node itself or of V8. */
export function isOfNode(fn: Function): boolean {
  const facts = inspectFunction(fn)
  return facts.kind === 'native' || (facts.kind === 'source' && scriptById(facts.scriptId).isInternal)
}
