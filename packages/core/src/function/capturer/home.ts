import { readVariable } from '../inspector/inspect-function.ts'
import type { CodeNode, SpecialPlace } from '../source/analyze.ts'
import { locate } from '../source/locate.ts'
import type { Script } from '../source/script.ts'
import { type ClassNode, declaresPrivate, isClassNode, type SourceRange } from '../source/syntax.ts'
import { CaptureError } from './capture-error.ts'
import type { CaptureContext } from './context.ts'
import { type FunctionEntry, sourceOfForm } from './function-entry.ts'
import type { SourceSite } from './function-source.ts'

/**
 * Finds the class whose private names a function uses, so that it is made inside that class on the worker. The class is
 * looked for where it can be: `this` of the function, the object that holds it, its scopes, and what is captured.
 */
export function findHome(
  { encoder, functions }: CaptureContext,
  entry: FunctionEntry,
  { script, facts, code, path }: SourceSite,
  { name, place, candidates }: { name: string; place: SourceRange; candidates: readonly unknown[] },
): void {
  const node = enclosingClass(code, name)
  const { scopes } = facts
  const named = node?.id ? scopes.filter(scope => Object.hasOwn(scope, node.id?.name ?? '')) : []
  const values = [
    ...candidates,
    ...named.map(scope => readVariable(scope, node?.id?.name as string)),
    ...functions.entries.map(({ fn }) => fn),
    // the variable that holds an anonymous class, or the class under another name
    ...scopes
      .slice(0, 2)
      .flatMap(scope => (isSmall(scope) ? Object.keys(scope).map(key => readVariable(scope, key)) : [])),
  ]
  const owner =
    node && values.map(value => classMadeBy(value, script, node)).find(found => found !== undefined)
  if (owner !== undefined) {
    encoder.encode(owner, [...path, `<class ${owner.name}>`])
    const home = functions.get(owner)
    const source = sourceOfForm(home, 'class')
    if (home !== undefined && source !== undefined) {
      ;(entry.source as NonNullable<FunctionEntry['source']>).host = home
      source.guests.push(entry)
      return
    }
  }
  throw new CaptureError(
    `it uses the private name #${name} of a class it was taken out of: call it as a method of an instance (${script.placeOf(place.start)})`,
    path,
  )
}

/** The global scope is no place to look through. */
function isSmall(scope: object): boolean {
  return scope !== globalThis && !Object.hasOwn(scope, 'globalThis')
}

/** The innermost class around a function that declares a private name. */
function enclosingClass(code: CodeNode, name: string): ClassNode | undefined {
  for (let around = code.outer; around !== undefined; around = around.outer) {
    if (isClassNode(around.node) && declaresPrivate(around.node, name)) return around.node
  }
  return undefined
}

/** The class that a class node of a script made: the value itself, or one that the value is an instance of. */
function classMadeBy(value: unknown, script: Script, node: ClassNode): Function | undefined {
  const isMadeByNode = (candidate: unknown): candidate is Function => {
    if (typeof candidate !== 'function') return false
    const place = locate(candidate)
    return place?.script === script && place.code?.node === node
  }
  if (isMadeByNode(value)) return value
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return undefined
  for (let part: object | null = value; part !== null; part = Object.getPrototypeOf(part)) {
    const constructor: unknown = Object.getOwnPropertyDescriptor(part, 'constructor')?.value
    if (isMadeByNode(constructor)) return constructor
  }
  return undefined
}

/**
 * The prototype that `super` of an object literal's method looks at: that of the object which holds the method.
 * Returns its reference.
 */
export function findHomePrototype(
  { encoder }: CaptureContext,
  { fn, script, code, path }: SourceSite,
  { place, owner }: { place: SpecialPlace; owner: object | undefined },
): number {
  const isOfLiteral = code.parent?.type === 'Property'
  if (!isOfLiteral || owner === undefined || !holds(owner, fn)) {
    throw new CaptureError(
      `it uses 'super' and was taken out of the object or class it belongs to: call it as a method of that (${script.placeOf(place.start)})`,
      path,
    )
  }
  return encoder.encode(Object.getPrototypeOf(owner), [...path, '<super>'])
}

function holds(owner: object, fn: Function): boolean {
  return Object.values(Object.getOwnPropertyDescriptors(owner)).some(
    ({ value, get, set }) => value === fn || get === fn || set === fn,
  )
}
