import { InspectorSession, type RemoteProperty, type RemoteValue } from './inspector-session.ts'

/** One of a function's scopes, innermost first: an object whose properties are the scope's variables, live. */
export type ScopeObject = Record<string, unknown>

export type FunctionFacts =
  | {
      readonly kind: 'bound'
      readonly target: Function
      readonly thisValue: unknown
      readonly args: readonly unknown[]
    }
  | { readonly kind: 'native' }
  | SourceFacts

interface SourcePlace {
  readonly scriptId: string
  /** Position in the script, both from 0. */
  readonly line: number
  readonly column: number
}

/** Functions do not move: a function that was looked at in an earlier capture is not asked for its place again. */
const places = new WeakMap<Function, SourcePlace>()

/** Scopes by the names that `keep` was told of. */
const lasting = new WeakMap<Function, Map<string, ScopeObject>>()

/** Where a function's source lies, and what its scopes hold. */
export class SourceFacts implements SourcePlace {
  readonly kind = 'source'
  readonly scriptId: string
  readonly line: number
  readonly column: number
  /** An earlier capture had it too. Functions that are made for one capture are not worth keeping anything of. */
  readonly isSeenAgain: boolean
  readonly #fn: Function
  #listed: RemoteValue | undefined
  #scopes: readonly ScopeObject[] | undefined

  constructor(fn: Function, { scriptId, line, column }: SourcePlace, listed?: RemoteValue) {
    this.#fn = fn
    this.scriptId = scriptId
    this.line = line
    this.column = column
    this.isSeenAgain = listed === undefined
    this.#listed = listed
  }

  /** Innermost first, as they are when they are first asked for. That question to V8 is most of what a capture costs. */
  get scopes(): readonly ScopeObject[] {
    this.#scopes ??= scopesIn(this.#listed ?? internalsOf(this.#fn)('[[Scopes]]'))
    return this.#scopes
  }

  /** The innermost scope that has a variable of this name. */
  scopeOf(name: string): ScopeObject | undefined {
    return lasting.get(this.#fn)?.get(name) ?? this.scopes.find(scope => Object.hasOwn(scope, name))
  }

  /** Later captures get this for the name: the variable never changes again. */
  keep(name: string, scope: ScopeObject): void {
    let kept = lasting.get(this.#fn)
    if (kept === undefined) {
      kept = new Map()
      lasting.set(this.#fn, kept)
    }
    kept.set(name, scope)
  }
}

/** What was found during the capture under way: a function is looked at once. */
const inspected = new Map<Function, FunctionFacts>()

/** Variables change between captures: only what is told to `keep` outlives one. */
export function forgetInspected(): void {
  inspected.clear()
}

/** What V8 knows of a function: what it is bound to, or where its source lies and what its scopes hold. */
export function inspectFunction(fn: Function): FunctionFacts {
  let facts = inspected.get(fn)
  if (facts === undefined) {
    facts = inspectAnew(fn)
    inspected.set(fn, facts)
  }
  return facts
}

function inspectAnew(fn: Function): FunctionFacts {
  const known = places.get(fn)
  if (known !== undefined) return new SourceFacts(fn, known)
  const session = InspectorSession.get()
  const find = internalsOf(fn)
  const target = find('[[TargetFunction]]')
  if (target !== undefined) {
    const thisValue = find('[[BoundThis]]')
    const args = find('[[BoundArgs]]')
    return {
      kind: 'bound',
      target: session.valueOf(target) as Function,
      thisValue: thisValue && session.valueOf(thisValue),
      args: args === undefined ? [] : Array.from(session.valueOf(args) as unknown[]),
    }
  }
  const location = find('[[FunctionLocation]]')?.value as
    | { scriptId: string; lineNumber: number; columnNumber: number }
    | undefined
  const scopes = find('[[Scopes]]')
  if (location === undefined || scopes === undefined) return { kind: 'native' }
  const place = { scriptId: location.scriptId, line: location.lineNumber, column: location.columnNumber }
  places.set(fn, place)
  return new SourceFacts(fn, place, scopes)
}

function internalsOf(fn: Function): (name: string) => RemoteValue | undefined {
  const { internal } = InspectorSession.get().propertiesOf(fn)
  return name => internal.find(property => property.name === name)?.value
}

function scopesIn(listed: RemoteValue | undefined): ScopeObject[] {
  if (listed === undefined) return []
  const list = InspectorSession.get().valueOf(listed)
  return listOf<{ object?: ScopeObject }>(list).flatMap(({ object }) => (object ? [object] : []))
}

/** An element that is not initialized yet. */
export const UNINITIALIZED = Symbol('uninitialized')

/** A variable of a scope. From Node 22 on, reading a variable in its temporal dead zone throws. */
export function readVariable(scope: ScopeObject, name: string): unknown {
  try {
    return scope[name]
  } catch {
    return UNINITIALIZED
  }
}

export interface PrivateField {
  /** With its '#'. */
  readonly name: string
  readonly value: unknown
}

/** The private fields and methods that a value holds, in the order of their making: those of base classes first. */
export function privateFieldsOf(owner: object): PrivateField[] {
  const session = InspectorSession.get()
  return session
    .propertiesOf(owner)
    .private.filter(isField)
    .map(({ name, value }) => ({ name, value: session.valueOf(value) }))
}

function isField(
  property: RemoteProperty,
): property is RemoteProperty & { value: NonNullable<RemoteProperty['value']> } {
  return property.value !== undefined && property.get === undefined && property.set === undefined
}

/** The entries of a WeakMap, or the elements of a WeakSet with `true`. */
export function weakEntriesOf(collection: object): [object, unknown][] {
  const session = InspectorSession.get()
  const entries = session.propertiesOf(collection).internal.find(({ name }) => name === '[[Entries]]')?.value
  if (entries === undefined) return []
  return listOf<{ key?: object; value: unknown }>(session.valueOf(entries)).map(entry =>
    entry.key === undefined ? [entry.value as object, true] : [entry.key, entry.value],
  )
}

/** V8's own lists look like arrays and have no length that counts. */
function listOf<Item>(list: unknown): Item[] {
  const items: Item[] = []
  const source = list as Item[]
  for (let i = 0; i in source; i++) items.push(source[i] as Item)
  return items
}
