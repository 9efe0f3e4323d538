import { realmOf } from '../inspector/realm.ts'

// The values that every worker has as well, by the expressions that name them.

const LANGUAGE =
  'Object Function Array Number parseFloat parseInt Boolean String Symbol Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError JSON Math Intl ArrayBuffer Atomics Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array DataView Map BigInt Set WeakMap WeakSet WeakRef Proxy Reflect FinalizationRegistry decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN SharedArrayBuffer WebAssembly Iterator Float16Array'
const HOST =
  'console process Buffer URL URLSearchParams TextEncoder TextDecoder AbortController AbortSignal Event EventTarget MessageChannel MessagePort MessageEvent Blob fetch Headers Request Response FormData ReadableStream WritableStream TransformStream performance crypto structuredClone queueMicrotask setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate atob btoa DOMException WebSocket BroadcastChannel'

/** Members of members of globals are looked at to this depth, e.g. `Intl.NumberFormat.prototype.format`. */
const DEPTH = 3
/** The host's globals are large; their members two steps away are enough. */
const HOST_START_DEPTH = 1

/** Names that mean the same on every worker. Taken when this module loads, before user code adds globals of its own. */
export const KNOWN_GLOBALS: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(globalThis),
  ...['undefined', 'NaN', 'Infinity', 'globalThis', 'global', 'arguments'],
])

type Realm = Readonly<Record<string, unknown>>

let expressions: Map<unknown, string> | undefined
let isHostComplete = false
/** The values of the language in other realms. */
const realms = new WeakMap<object, Map<unknown, string>>()

/** The expression for a value of the language or of the host, or undefined. */
export function intrinsicExpression(value: unknown): string | undefined {
  expressions ??= ownIntrinsics()
  return expressions.get(value)
}

/** The same for a native function of another realm: the worker's own takes its place. */
export function foreignIntrinsicExpression(fn: Function): string | undefined {
  const realm = realmOf(fn)
  if (realm === globalThis) return undefined
  let found = realms.get(realm)
  if (found === undefined) {
    found = languageIntrinsics(realm)
    realms.set(realm, found)
  }
  return found.get(fn)
}

/**
 * The same, after a look at all members of the host's globals. That reads their accessors, which loads `fetch` and its
 * kin, some 30 ms; so it is asked only for values that are native or Node's own.
 */
export function hostExpression(value: unknown): string | undefined {
  if (!isHostComplete) {
    isHostComplete = true
    expressions ??= ownIntrinsics()
    for (const name of HOST.split(' ')) {
      const member = memberOf(globalThis, name)
      if (member === null || (typeof member !== 'object' && typeof member !== 'function')) continue
      add(expressions, member, name)
      addMembers(expressions, member, name, HOST_START_DEPTH)
    }
  }
  return intrinsicExpression(value)
}

function memberOf(realm: Realm, name: string): unknown {
  try {
    return realm[name]
  } catch {
    return undefined
  }
}

function ownIntrinsics(): Map<unknown, string> {
  const found = languageIntrinsics(globalThis)
  for (const name of HOST.split(' ')) {
    // accessors are not read here: see hostExpression
    const value = name === 'process' ? process : Object.getOwnPropertyDescriptor(globalThis, name)?.value
    add(found, value, name)
  }
  add(found, process.env, 'process.env')
  add(found, console, 'console')
  return found
}

function languageIntrinsics(realm: Realm): Map<unknown, string> {
  const found = new Map<unknown, string>([[realm, 'globalThis']])
  for (const name of LANGUAGE.split(' ')) {
    if (name in realm) addWithMembers(found, memberOf(realm, name), name, 0)
  }
  // kinds of functions that no global names; made by the realm's own compiler
  const make = (text: string) =>
    (realm.Function as FunctionConstructor)(`return Object.getPrototypeOf(${text})`)()
  for (const kind of ['function*(){}', 'async function*(){}', 'async function(){}']) {
    const expression = `Object.getPrototypeOf(${kind})`
    const prototype = make(kind)
    add(found, prototype, expression)
    add(found, prototype.prototype, `${expression}.prototype`)
  }
  add(found, Object.getPrototypeOf(realm.Uint8Array), 'Object.getPrototypeOf(Uint8Array)')
  return found
}

function add(found: Map<unknown, string>, value: unknown, expression: string): boolean {
  const isReference = (typeof value === 'object' && value !== null) || typeof value === 'function'
  if (!isReference || found.has(value)) return false
  found.set(value, expression)
  return true
}

function addWithMembers(
  found: Map<unknown, string>,
  value: unknown,
  expression: string,
  depth: number,
): void {
  if (add(found, value, expression) && depth <= DEPTH) addMembers(found, value as object, expression, depth)
}

function addMembers(found: Map<unknown, string>, owner: object, expression: string, depth: number): void {
  for (const key of Reflect.ownKeys(owner)) {
    if (key === 'prototype' && typeof owner !== 'function') continue
    const member = memberExpression(key)
    const property = Object.getOwnPropertyDescriptor(owner, key)
    if (member === undefined || property === undefined) continue
    if ('value' in property) {
      if (typeof property.value === 'function' || (key === 'prototype' && property.value)) {
        addWithMembers(found, property.value, expression + member, depth + 1)
      }
      continue
    }
    const name = typeof key === 'symbol' ? key.description : JSON.stringify(key)
    const descriptor = `Object.getOwnPropertyDescriptor(${expression}, ${name})`
    add(found, property.get, `${descriptor}.get`)
    add(found, property.set, `${descriptor}.set`)
  }
}

function memberExpression(key: string | symbol): string | undefined {
  if (typeof key === 'string') return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
  const isWellKnown = Symbol.keyFor(key) === undefined && key.description?.startsWith('Symbol.')
  return isWellKnown ? `[${key.description}]` : undefined
}
