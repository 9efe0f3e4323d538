import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Path } from '../../codec/refusal.ts'
import {
  readVariable,
  type ScopeObject,
  type SourceFacts,
  UNINITIALIZED,
} from '../inspector/inspect-function.ts'
import type { Reference } from '../source/analyze.ts'
import type { LocatedCode } from '../source/locate.ts'
import {
  importOfVite,
  isCreatedRequire,
  isPure,
  isRequired,
  specifierOfVite,
} from '../source/runner-idioms.ts'
import type { Declaration } from '../source/scope.ts'
import type { Script } from '../source/script.ts'
import { CaptureError } from './capture-error.ts'
import type { CaptureContext } from './context.ts'
import { isInDeadZone } from './dead-zone.ts'
import type { Edit } from './edits.ts'
import { KNOWN_GLOBALS } from './intrinsics.ts'
import { keepIfLasting } from './lasting.ts'
import {
  callsNothing,
  canEvaluateAgain,
  isMadeByPackage,
  isRepeatable,
  makesSomething,
} from './repeatable.ts'

/** Where a free name is looked up: the function that uses it, or whose declaration is evaluated again. */
export interface CaptureSite {
  readonly fn: Function
  readonly script: Script
  readonly facts: SourceFacts
  readonly code: LocatedCode | undefined
  /** The way of captures to the function. */
  readonly path: Path
  /** The code must not need captured variables. */
  readonly isEarly?: boolean
}

/** What a free name is called in the emitted module; undefined when it stays as it is. Names are given out last. */
export type NameBinding = (() => string) | undefined

const modules = createRequire(import.meta.url).cache

/** The edit that puts a name's binding in its place. */
export function editOfReference(reference: Reference, binding: () => string): Edit {
  const { name, start, end, isShorthand } = reference
  return {
    start,
    end,
    text: () => (isShorthand ? `${name}: ${binding()}` : binding()),
    isUnchanged: () => binding() === name,
  }
}

/** Finds out what a free name stands for, and captures it. */
export function bindName(context: CaptureContext, reference: Reference, site: CaptureSite): NameBinding {
  const { declaration, name } = reference
  const { script } = site
  if (declaration === undefined) return bindUndeclared(context, name, site)
  if (isCreatedRequire(declaration)) {
    needRequire(context)
    return name === 'require' ? undefined : () => 'require'
  }
  const imported = importOf(declaration)
  if (imported !== undefined) {
    const local = context.imports.add({ importer: script.file, ...imported }, name, valueOf(site, name))
    return () => local.localName
  }
  if (isRequired(declaration) || (site.isEarly && isPure(declaration)))
    return recreate(context, declaration, site)
  const scope = site.facts.scopeOf(name)
  if (scope === undefined) {
    if (reference.isTypeofOperand) return undefined
    // V8 keeps no variables that only other initializers use, such as a bundler's helpers
    if (isPure(declaration) || declaration.kind === 'functionName')
      return recreate(context, declaration, site)
    if (canEvaluateAgain(declaration)) return recreateUnreachable(context, declaration, site)
    throw new CaptureError(
      `variable '${name}' is used by initializers only, so that V8 keeps no value of it (declared at ${script.placeOf(declaration.node.start)}); use it in the function as well, or make what needs it there`,
      site.path,
    )
  }
  refuseUninitialized(context, declaration, scope, site)
  keepIfLasting(site.facts, declaration, scope, script)
  return bindVariable(context, declaration, scope, site)
}

function valueOf({ facts }: CaptureSite, name: string): unknown {
  const scope = facts.scopeOf(name)
  const value = scope && readVariable(scope, name)
  return value === UNINITIALIZED ? undefined : value
}

function importOf(declaration: Declaration): { specifier: string; imported: string } | undefined {
  const { kind, source = '', imported = '*' } = declaration
  if (kind === 'import') {
    return { specifier: source.startsWith('file:') ? fileURLToPath(source) : source, imported }
  }
  const id = importOfVite(declaration)
  return id === undefined ? undefined : { specifier: specifierOfVite(id), imported: '*' }
}

function recreate(context: CaptureContext, declaration: Declaration, site: CaptureSite): NameBinding {
  const { names, values } = context.recreations.add(declaration, site)
  if (isRequired(declaration)) values.set(declaration.name, valueOf(site, declaration.name))
  return () => names.get(declaration.name) as string
}

/** An initializer of a variable that only other initializers use. What it calls may give something else this time. */
function recreateUnreachable(
  context: CaptureContext,
  declaration: Declaration,
  site: CaptureSite,
): NameBinding {
  const recreation = context.recreations.add(declaration, site)
  if (!callsNothing(declaration)) recreation.reason ??= 'V8 keeps no value of what only initializers use'
  return () => recreation.names.get(declaration.name) as string
}

/** The emitted module has a `require` of its own, if it is known to need one. */
function needRequire({ dynamicSpecifiers }: CaptureContext): void {
  dynamicSpecifiers.add('node:module')
}

/** A name that the script does not declare: a global, or what Node gives to CommonJS modules. */
function bindUndeclared(
  context: CaptureContext,
  name: string,
  { script, facts, path: way }: CaptureSite,
): NameBinding {
  const capture = (key: string, read: () => unknown) => {
    const variable = context.variables.add(key, name, read, [...way, name])
    return () => variable.localName
  }
  if (name === 'require') {
    needRequire(context)
    return undefined
  }
  if (script.file !== undefined) {
    const { file } = script
    const module = modules?.[file]
    if (name === 'module' && module !== undefined) {
      return capture(`${script.id}:module`, () => ({ exports: module.exports }))
    }
    if (name === '__filename') return () => JSON.stringify(file)
    if (name === '__dirname') return () => JSON.stringify(path.dirname(file))
  }
  if (!KNOWN_GLOBALS.has(name)) {
    const scope = facts.scopes.find(one => one !== globalThis && Object.hasOwn(one, name))
    if (scope !== undefined && !isGlobalObject(scope)) {
      const value = scope[name]
      return capture(`${script.id}:${name}`, () => value)
    }
    if (name in globalThis) {
      return capture(`global:${name}`, () => (globalThis as Record<string, unknown>)[name])
    }
  }
  context.globals.add(name)
  return undefined
}

function isGlobalObject(scope: ScopeObject): boolean {
  return Object.hasOwn(scope, 'globalThis') && Object.hasOwn(scope, 'Array')
}

/** Refuses a variable whose declaration has not run yet. */
function refuseUninitialized(
  context: CaptureContext,
  declaration: Declaration,
  scope: ScopeObject,
  { fn, script, code, path: way }: CaptureSite,
): void {
  const { name, node } = declaration
  const value = readVariable(scope, name)
  const isUninitialized =
    value === UNINITIALIZED ||
    (value === undefined &&
      code !== undefined &&
      isInDeadZone(context, declaration, scope, { fn, script, code }))
  if (!isUninitialized) return
  throw new CaptureError(
    `variable '${name}' is not initialized yet at the time of the call (declared at ${script.placeOf(node.start)}); start the job after that line`,
    [...way, name],
  )
}

/** Copies the variable's value; what packages made, and what cannot be copied, is made again instead. */
function bindVariable(
  context: CaptureContext,
  declaration: Declaration,
  scope: ScopeObject,
  site: CaptureSite,
): NameBinding {
  const { name } = declaration
  const { script } = site
  const key = context.variables.keyOf(declaration, scope, script, site.fn, site.code)
  const known = context.variables.get(key)
  if (known !== undefined) return () => known.localName
  const isOfPackage = isMadeByPackage(scope[name])
  if (isOfPackage && isRepeatable(declaration, script, 'packages')) {
    const recreation = context.recreations.add(declaration, site)
    if (makesSomething(declaration)) recreation.reason = 'it was made by a package'
    return () => recreation.names.get(name) as string
  }
  const undoMark = context.undo.mark
  const encoderMark = context.encoder.mark()
  try {
    const variable = context.variables.add(key, name, () => scope[name], [...site.path, name])
    return () => variable.localName
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error
    error.where ??= `variable '${name}' (declared at ${script.placeOf(declaration.node.start)})`
    // what a Promise does would be done once more
    const isPending = error.message.startsWith('it is a Promise')
    if (isPending || !isRepeatable(declaration, script, isOfPackage ? 'functions' : 'imports')) throw error
    context.undo.undoTo(undoMark)
    context.encoder.rollback(encoderMark)
    return recreateInstead(context, declaration, site, error)
  }
}

function recreateInstead(
  context: CaptureContext,
  declaration: Declaration,
  site: CaptureSite,
  refusal: CaptureError,
): NameBinding {
  try {
    const recreation = context.recreations.add(declaration, site)
    recreation.reason = refusal.message.replace(/ \(.*\)$/, '')
    return () => recreation.names.get(declaration.name) as string
  } catch {
    throw refusal
  }
}
