import type { AnyNode, PropertyDefinition } from 'acorn'
import { isDefinedWithin } from '../source/locate.ts'
import { referenceAt } from '../source/references.ts'
import { importOfVite, isRequired, rootOf } from '../source/runner-idioms.ts'
import {
  type ClassNode,
  contains,
  isClassNode,
  privateFieldNames,
  type SourceRange,
} from '../source/syntax.ts'
import type { CaptureContext } from './context.ts'
import type { Edit } from './edits.ts'
import type { FunctionEntry, FunctionSource } from './function-entry.ts'
import type { SourceSite } from './function-source.ts'
import { intrinsicExpression } from './intrinsics.ts'

/** Code of static fields and blocks does not run again: the class's own properties travel as values. */
export function isInStaticMember(node: AnyNode, range: SourceRange): boolean {
  if (!isClassNode(node)) return false
  return node.body.body.some(member => {
    if (member.type === 'StaticBlock') return contains(member, range)
    return (
      member.type === 'PropertyDefinition' && member.static && !!member.value && contains(member.value, range)
    )
  })
}

/**
 * Captures the parent of a class by value, as what it is and not by what its `extends` says, which may be any
 * expression. Returns the range of that expression, or undefined when it is left: a global, or an import.
 */
export function captureHeritage(
  { encoder }: CaptureContext,
  entry: FunctionEntry,
  { fn, script, code, path }: SourceSite,
): SourceRange | undefined {
  const { superClass } = code.node as ClassNode
  const source = entry.source as FunctionSource
  if (!superClass) return undefined
  const root = rootOf(superClass)
  if (root?.type === 'Identifier') {
    const reference = referenceAt(script.analysis, root.start)
    const declaration = reference?.declaration
    const isLeft =
      reference !== undefined &&
      (declaration === undefined ||
        declaration.kind === 'import' ||
        importOfVite(declaration) !== undefined ||
        isRequired(declaration))
    if (isLeft) return undefined
  }
  const parent: unknown = Object.getPrototypeOf(fn)
  const ref = encoder.encode(parent, [...path, '<extends>'])
  // by its reference, not as a function alone: what else it has, static members for instance, comes along
  source.parent = `$h.get(${ref})`
  source.edits.push({ start: superClass.start, end: superClass.end, text: () => '$p' })
  return superClass
}

/** Computed names of methods are written as the keys that came out. Returns the ranges that this covers. */
export function editComputedMethodNames(
  { encoder }: CaptureContext,
  entry: FunctionEntry,
  { fn, script, code }: SourceSite,
): SourceRange[] {
  const { edits } = entry.source as FunctionSource
  return (code.node as ClassNode).body.body.flatMap((member): SourceRange[] => {
    if (member.type !== 'MethodDefinition' || !member.computed) return []
    const owner = member.static ? fn : (fn.prototype as object)
    const key = Reflect.ownKeys(owner).find(candidate => {
      const property = Object.getOwnPropertyDescriptor(owner, candidate) as PropertyDescriptor
      const method =
        member.kind === 'get' ? property.get : member.kind === 'set' ? property.set : property.value
      if (typeof method !== 'function' || intrinsicExpression(method) !== undefined) return false
      return isDefinedWithin(method, script, member)
    })
    if (key === undefined) return []
    const ref = encoder.encode(key)
    const { start, end } = member.key
    edits.push({ start, end, text: () => (typeof key === 'string' ? JSON.stringify(key) : `$h.get(${ref})`) })
    return [member.key]
  })
}

/** The edits that are known only when the whole graph is: whether instances of the class are among the values. */
export function finishClass(entry: FunctionEntry): void {
  const source = entry.source as FunctionSource
  const node = source.code.node as ClassNode
  for (const member of node.body.body) {
    const isPrivate = member.type !== 'StaticBlock' && member.key.type === 'PrivateIdentifier'
    const isStaticField = member.type === 'PropertyDefinition' && member.static
    if (member.type === 'StaticBlock' || (isStaticField && !isPrivate)) replace(source, member, '')
    else if (isStaticField && member.value) replace(source, member.value, 'undefined')
  }
  if (source.isRevived) source.edits.push(...revivalGuards(node, '$h.rv'))
  const names = [
    ...privateFieldNames(node, { isStatic: false }),
    ...privateFieldNames(node, { isStatic: true }),
  ]
  if (names.length > 0)
    source.edits.push(atBodyStart(node, `static { $h.priv(${entry.index}, ${privateSetter(names)}) }`))
}

function replace(source: FunctionSource, range: SourceRange, text: string): void {
  const others = source.edits.filter(edit => !contains(range, edit))
  source.edits.length = 0
  source.edits.push(...others, { start: range.start, end: range.end, text: () => text })
}

export function atBodyStart(node: ClassNode, text: string): Edit {
  const start = node.body.start + 1
  return { start, end: start, text: () => ` ${text} ` }
}

/** `(object, name, value) => …`: sets a private field from outside of its class. */
export function privateSetter(names: readonly string[]): string {
  const cases = names.map(name => `case ${JSON.stringify(name)}: o.#${name} = v; break;`)
  return `(o, n, v) => { switch (n) { ${cases.join(' ')} } }`
}

/**
 * Lets instances be made without running the user's initializers and constructor, while a condition holds: their
 * fields are set one by one afterwards.
 */
export function revivalGuards(node: ClassNode, condition: string): Edit[] {
  return node.body.body.flatMap((member): Edit[] => {
    if (member.type === 'PropertyDefinition' && !member.static && member.value)
      return guardField(member, condition)
    if (member.type !== 'MethodDefinition' || member.kind !== 'constructor') return []
    const start = member.value.body.start + 1
    const leave = node.superClass ? '{ super(...arguments); return }' : 'return;'
    return [{ start, end: start, text: () => ` if (${condition}) ${leave} ` }]
  })
}

function guardField({ value }: PropertyDefinition, condition: string): Edit[] {
  const { start, end } = value as AnyNode
  return [
    { start, end: start, text: () => `${condition} ? undefined : (` },
    { start: end, end, text: () => ')', isClosing: true },
  ]
}
