import { types } from 'node:util'
import { SerializationError } from '../errors/index.ts'
import { bytesOf, viewName } from './binary.ts'
import {
  CONFIGURABLE,
  ENUMERABLE,
  type Graph,
  type GraphNode,
  HIDDEN_OF_ERRORS,
  type NodeExtra,
  UNDEFINED_REF,
  WRITABLE,
} from './graph.ts'
import { cannotSend, type Path, refusalOf, unknownClass } from './refusal.ts'

/** How capture takes part in encoding a graph. Without hooks, functions and unknown classes are refused. */
export interface GraphHooks {
  /** A node for a value that both sides have, such as an intrinsic; undefined when it is not one. */
  known?(value: object, path: Path): GraphNode | undefined
  /** A node for a function. `ref` is its reference; `owner` is the object that holds it, if it was come by that way. */
  encodeFunction?(fn: Function, path: Path, ref: number, owner: object | undefined): GraphNode
  /** Reference of a prototype object that is not the usual one of its kind. */
  encodePrototype?(prototype: object, path: Path, owner: object): number | undefined
  /** The error for a part that cannot travel. Default: a SerializationError about data. */
  refuse?(why: string, path: Path): Error
  /** Id of a class that travelled, by its prototype. */
  classId?(prototype: object): string | undefined
  /** Throws when the object must not be copied. */
  check?(value: object, path: Path): void
  /** Sees the finished node of an object. */
  afterObject?(value: object, node: GraphNode, path: Path): void
  /** Takes note of a WeakMap or WeakSet, whose node it fills later. */
  weakCollection?(value: object, node: GraphNode): void
}

const ERROR_NAMES = new Map<object, string>(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError].map(c => [
    c.prototype,
    c.name,
  ]),
)
const WELL_KNOWN_SYMBOLS = new Map<symbol, string>(
  Object.getOwnPropertyNames(Symbol).flatMap(name => {
    const value = (Symbol as unknown as Record<string, unknown>)[name]
    return typeof value === 'symbol' ? [[value, name] as const] : []
  }),
)
const NO_KEYS: ReadonlySet<PropertyKey> = new Set()
const ALL_KEYS = 'all'

/** Objects within objects are looked at in turn from this depth on: the stack has room for some thousand. */
const MAX_DEPTH = 300
/** A function is worth this many objects: its capture takes much more of the stack. */
const FUNCTION_DEPTH = 6
/** Parts of a path at its beginning and its end that are kept when it is longer. */
const KEPT_PATH_PARTS = 20

/** Where an encoder stood, to go back to. */
export interface EncoderMark {
  readonly nodes: number
  readonly buffers: number
  readonly log: number
  readonly deferred: number
}

/** Turns values into the nodes of a graph. Several values encoded by one encoder share what they have in common. */
export class GraphEncoder implements Graph {
  readonly nodes: unknown[] = []
  readonly buffers: Uint8Array[] = []
  /** References of what was encoded already. */
  readonly memo = new Map<unknown, number>()
  readonly #hooks: GraphHooks
  readonly #log: unknown[] = []
  /** Objects too deep to be filled where they were found. */
  readonly #deferred: (() => void)[] = []
  #depth = 0

  constructor(hooks: GraphHooks = {}) {
    this.#hooks = hooks
  }

  #refuse(why: string, path: Path): Error {
    return this.#hooks.refuse?.(why, path) ?? cannotSend(why, path)
  }

  mark(): EncoderMark {
    return {
      nodes: this.nodes.length,
      buffers: this.buffers.length,
      log: this.#log.length,
      deferred: this.#deferred.length,
    }
  }

  /** Forgets what was encoded since the mark. */
  rollback(mark: EncoderMark): void {
    this.nodes.length = mark.nodes
    this.buffers.length = mark.buffers
    this.#deferred.length = mark.deferred
    while (this.#log.length > mark.log) this.memo.delete(this.#log.pop())
  }

  addNode(node: unknown): number {
    return this.nodes.push(node) - 1
  }

  /** Notes that a value has this reference. */
  remember(value: unknown, ref: number): number {
    this.memo.set(value, ref)
    this.#log.push(value)
    return ref
  }

  /**
   * Encodes a value and all it refers to; returns its reference. `owner` is the object that holds the value. Throws
   * SerializationError with the path.
   */
  encode(value: unknown, path: Path = [], owner?: object): number {
    if (typeof value === 'object' && value !== null) return this.memo.get(value) ?? this.#object(value, path)
    if (typeof value === 'function') return this.memo.get(value) ?? this.#function(value, path, owner)
    return this.#primitive(value)
  }

  #primitive(value: unknown): number {
    if (value === undefined) return UNDEFINED_REF
    if (typeof value === 'number') {
      if (Number.isNaN(value)) return -3
      if (value === Number.POSITIVE_INFINITY) return -4
      if (value === Number.NEGATIVE_INFINITY) return -5
      if (Object.is(value, -0)) return -6
    }
    const known = this.memo.get(value)
    if (known !== undefined) return known
    if (typeof value === 'bigint') return this.remember(value, this.addNode(['n', String(value)]))
    if (typeof value === 'symbol') return this.remember(value, this.addNode(symbolNode(value)))
    return this.remember(value, this.addNode(value))
  }

  #function(fn: Function, path: Path, owner: object | undefined): number {
    const known = this.#hooks.known?.(fn, path)
    if (known !== undefined) return this.remember(fn, this.addNode(known))
    if (this.#hooks.encodeFunction === undefined) {
      const id = isConstructor(fn) ? this.#hooks.classId?.(fn.prototype) : undefined
      if (id !== undefined) return this.remember(fn, this.addNode(['cc', id]))
      throw cannotSend(
        'it is a function. Functions travel when the job’s function captures them, not as data',
        path,
      )
    }
    const ref = this.remember(fn, this.addNode(null))
    const { encodeFunction } = this.#hooks
    this.#inTurn(FUNCTION_DEPTH, path, way => {
      this.nodes[ref] = encodeFunction(fn, way, ref, owner)
    })
    return ref
  }

  /** Does what encodes a part of a value, at once or, when it is nested deeply, after what is under way. */
  #inTurn(depth: number, path: Path, fill: (path: Path) => void): void {
    if (this.#depth + depth > MAX_DEPTH) {
      const shortened = shortenPath(path)
      this.#deferred.push(() => fill(shortened))
      return
    }
    this.#depth += depth
    try {
      fill(path)
    } finally {
      this.#depth -= depth
    }
    if (this.#depth > 0) return
    for (let next = this.#deferred.pop(); next !== undefined; next = this.#deferred.pop()) {
      this.#depth++
      try {
        next()
      } finally {
        this.#depth--
      }
    }
  }

  #object(value: object, path: Path): number {
    if (types.isProxy(value)) throw this.#refuse('it is a Proxy (pass the object behind it)', path)
    const known = this.#hooks.known?.(value, path)
    if (known !== undefined) return this.remember(value, this.addNode(known))
    this.#hooks.check?.(value, path)
    const ref = this.remember(value, this.addNode(null))
    this.#inTurn(1, path, way => this.#fill(value, ref, way))
    return ref
  }

  #fill(value: object, ref: number, path: Path): void {
    const prototype = Object.getPrototypeOf(value) as object | null
    if (Array.isArray(value) && prototype === Array.prototype && isDense(value)) {
      const refs: number[] = new Array(value.length)
      const node: GraphNode = ['a', refs]
      this.nodes[ref] = node
      for (let i = 0; i < value.length; i++) refs[i] = this.encode(value[i], [...path, i])
      this.#extend(node, value, path, ALL_KEYS, undefined)
      return
    }
    const { node, skip, usual } = this.#kind(value, prototype, path, ref)
    this.nodes[ref] = node
    const isUsual = skip === ALL_KEYS || usual === prototype
    const prototypeRef = isUsual ? undefined : this.#prototype(prototype, node, value, path)
    this.#extend(node, value, path, skip, prototypeRef)
    this.#hooks.afterObject?.(value, node, path)
  }

  /** The node of an object without its properties, which keys are in it already, and its usual prototype. */
  #kind(
    value: object,
    prototype: object | null,
    path: Path,
    ref: number,
  ): { node: GraphNode; skip: ReadonlySet<PropertyKey> | 'all'; usual: object | null | undefined } {
    const skip = NO_KEYS
    if (Array.isArray(value))
      return { node: ['as', value.length], skip: new Set(['length']), usual: Array.prototype }
    if (types.isDate(value))
      return { node: ['d', Date.prototype.getTime.call(value)], skip, usual: Date.prototype }
    if (types.isRegExp(value)) {
      return {
        node: ['r', value.source, value.flags, value.lastIndex],
        skip: new Set(['lastIndex']),
        usual: RegExp.prototype,
      }
    }
    if (types.isMap(value)) return { node: this.#map(value, path, ref), skip, usual: Map.prototype }
    if (types.isSet(value)) return { node: this.#set(value, path, ref), skip, usual: Set.prototype }
    if (this.#hooks.weakCollection !== undefined && (types.isWeakMap(value) || types.isWeakSet(value))) {
      const node: GraphNode = [types.isWeakMap(value) ? 'wm' : 'ws', []]
      this.#hooks.weakCollection(value, node)
      return { node, skip, usual: types.isWeakMap(value) ? WeakMap.prototype : WeakSet.prototype }
    }
    if (types.isAnyArrayBuffer(value)) {
      const shared = types.isSharedArrayBuffer(value)
      const node: GraphNode = [shared ? 'sb' : 'ab', this.buffers.push(new Uint8Array(value)) - 1]
      return { node, skip, usual: shared ? SharedArrayBuffer.prototype : ArrayBuffer.prototype }
    }
    if (ArrayBuffer.isView(value)) {
      const node = this.#view(value, path)
      if (isOfHost(prototype)) return { node, skip: ALL_KEYS, usual: prototype }
      // listing the keys of a large array takes long: only a class of the user's may have given it others
      return { node, skip: new Set(Object.keys(value).filter(isIndex)), usual: undefined }
    }
    if (value instanceof DOMException) {
      return { node: ['dx', value.message, value.name], skip: ALL_KEYS, usual: prototype }
    }
    if (types.isNativeError(value)) {
      const name = prototype === null ? undefined : ERROR_NAMES.get(prototype)
      return { node: ['e', name ?? 'Error'], skip, usual: name === undefined ? Error.prototype : prototype }
    }
    if (types.isBoxedPrimitive(value)) {
      const inner = (value as { valueOf(): unknown }).valueOf()
      const node: GraphNode = ['bx', this.encode(inner, path)]
      return {
        node,
        skip: typeof inner === 'string' ? ALL_KEYS : skip,
        usual: Object.getPrototypeOf(Object(inner)),
      }
    }
    if (types.isArgumentsObject(value)) {
      const refs = Array.from(value as ArrayLike<unknown>, (item, i) => this.encode(item, [...path, i]))
      return { node: ['ag', refs], skip: ALL_KEYS, usual: prototype }
    }
    if (value instanceof URL) return { node: ['u', value.href], skip, usual: URL.prototype }
    if (value instanceof URLSearchParams)
      return { node: ['us', value.toString()], skip, usual: URLSearchParams.prototype }
    const refusal = refusalOf(value)
    if (refusal !== undefined) throw this.#refuse(refusal, path)
    return { node: ['o'], skip, usual: Object.prototype }
  }

  #map(map: Map<unknown, unknown>, path: Path, ref: number): GraphNode {
    const refs: number[] = []
    const node: GraphNode = ['m', refs]
    this.nodes[ref] = node
    let i = 0
    for (const [key, item] of Map.prototype.entries.call(map)) {
      const name = typeof key === 'string' ? `.get(${JSON.stringify(key)})` : `<value ${i}>`
      refs.push(this.encode(key, [...path, `<key ${i}>`]), this.encode(item, [...path, name]))
      i++
    }
    return node
  }

  #set(set: Set<unknown>, path: Path, ref: number): GraphNode {
    const refs: number[] = []
    const node: GraphNode = ['s', refs]
    this.nodes[ref] = node
    for (const item of Set.prototype.values.call(set)) refs.push(this.encode(item, [...path, '<element>']))
    return node
  }

  #view(view: ArrayBufferView, path: Path): GraphNode {
    const name = viewName(view)
    const sharesLittle = view.buffer.byteLength > view.byteLength * 2
    if (name === 'Buffer' || sharesLittle) return ['tb', name, this.buffers.push(bytesOf(view)) - 1]
    const length = 'length' in view ? (view.length as number) : view.byteLength
    return ['tv', name, this.encode(view.buffer, path), view.byteOffset, length]
  }

  /** How an object's unusual prototype is told; may turn the node into an instance of a class that travelled. */
  #prototype(prototype: object | null, _node: GraphNode, value: object, path: Path): number | undefined {
    if (prototype === null) return this.encode(null)
    const ref = this.#hooks.encodePrototype?.(prototype, [...path, '<prototype>'], value)
    if (ref !== undefined) return ref
    const id = this.#hooks.classId?.(prototype)
    const name = nameOfClass(prototype)
    if (id === undefined) throw unknownClass(name, path)
    if (hasPrivateFields(prototype)) {
      throw cannotSend(
        `it is an instance of class ${name} with #private fields, which cannot be read from outside (send its data, or let the function capture the instance or make it)`,
        path,
      )
    }
    return this.addNode(['c', id])
  }

  /** Adds own properties, prototype and integrity to a node. */
  #extend(
    node: GraphNode,
    value: object,
    path: Path,
    skip: ReadonlySet<PropertyKey> | 'all',
    prototype: number | undefined,
  ): void {
    const extra: NodeExtra = {}
    if (prototype !== undefined) extra.q = prototype
    if (skip !== ALL_KEYS) this.#properties(extra, value, path, skip, node[0] === 'e')
    const integrity = integrityOf(value, extra.p !== undefined || node[0] === 'o')
    if (integrity !== 0) {
      extra.x = integrity
    }
    for (const _ in extra) {
      node.push(extra)
      break
    }
  }

  #properties(
    extra: NodeExtra,
    value: object,
    path: Path,
    skip: ReadonlySet<PropertyKey>,
    isError: boolean,
  ): void {
    for (const key of Reflect.ownKeys(value)) {
      if (skip.has(key)) continue
      let property = Object.getOwnPropertyDescriptor(value, key)
      if (property === undefined) continue
      if (isError && key === 'stack' && property.get !== undefined) {
        // from V8 12 on, the stack of an error is an own accessor
        property = { value: (value as Error).stack, writable: true, configurable: true, enumerable: false }
      }
      if (this.#hooks.encodeFunction === undefined && !('value' in property)) {
        // data is read, as structured clone does: functions do not travel with it
        property = { ...OPEN, value: (value as Record<PropertyKey, unknown>)[key] }
      }
      const at = [...path, key]
      const hasValue = 'value' in property
      extra.p ??= []
      const position =
        extra.p.push(this.encode(key), hasValue ? this.encode(property.value, at, value) : UNDEFINED_REF) - 2
      const flags =
        (property.writable ? WRITABLE : 0) |
        (property.enumerable ? ENUMERABLE : 0) |
        (property.configurable ? CONFIGURABLE : 0)
      const isPlain = flags === (WRITABLE | ENUMERABLE | CONFIGURABLE)
      if (isPlain || (isError && hasValue && HIDDEN_OF_ERRORS.has(key))) continue
      extra.t ??= []
      const get = property.get === undefined ? UNDEFINED_REF : this.encode(property.get, at, value)
      const set = property.set === undefined ? UNDEFINED_REF : this.encode(property.set, at, value)
      extra.t.push([position, flags, get, set, hasValue ? 1 : 0])
    }
  }
}

/** A property as assignment makes it. */
const OPEN = { writable: true, enumerable: true, configurable: true } as const

function isIndex(key: string): boolean {
  return /^\d+$/.test(key)
}

/** The prototype of a class of the language or of Node, of any realm. */
function isOfHost(prototype: object | null): boolean {
  const constructor: unknown = prototype?.constructor
  return (
    constructor === Buffer ||
    (typeof constructor === 'function' &&
      /\[native code\]\s*\}$/.test(Function.prototype.toString.call(constructor)))
  )
}

function isConstructor(fn: Function): fn is Function & { prototype: object } {
  return typeof fn.prototype === 'object' && fn.prototype !== null && fn.prototype.constructor === fn
}

function shortenPath(path: Path): Path {
  if (path.length <= 3 * KEPT_PATH_PARTS) return path
  return [...path.slice(0, KEPT_PATH_PARTS), '<…>', ...path.slice(-KEPT_PATH_PARTS)]
}

function symbolNode(symbol: symbol): GraphNode {
  const wellKnown = WELL_KNOWN_SYMBOLS.get(symbol)
  if (wellKnown !== undefined) return ['yw', wellKnown]
  const key = Symbol.keyFor(symbol)
  return key === undefined ? ['y', symbol.description ?? null] : ['yf', key]
}

/** No holes, and nothing but elements. */
function isDense(array: readonly unknown[]): boolean {
  const keys = Object.keys(array)
  // one more own key than elements: 'length'
  if (keys.length !== array.length || Reflect.ownKeys(array).length !== array.length + 1) return false
  return keys.length === 0 || keys[keys.length - 1] === String(array.length - 1)
}

/** 3 frozen, 2 sealed, 1 not extensible, 0 none of them. */
function integrityOf(value: object, hasProperties: boolean): number {
  if (Object.isExtensible(value)) return 0
  if (!hasProperties) return 1
  if (Object.isFrozen(value)) return 3
  return Object.isSealed(value) ? 2 : 1
}

export function nameOfClass(prototype: object): string {
  const constructor = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : '(anonymous)'
}

/** Whether methods of the class or its parents use #private fields: those are not seen from outside. */
export function hasPrivateFields(prototype: object): boolean {
  for (let p: object | null = prototype; p !== null && p !== Object.prototype; p = Object.getPrototypeOf(p)) {
    const constructor = Object.getOwnPropertyDescriptor(p, 'constructor')?.value
    if (
      typeof constructor === 'function' &&
      /\bthis\.#[\w$]/.test(Function.prototype.toString.call(constructor))
    )
      return true
  }
  return false
}

/** A RangeError of the stack becomes an error that says what to do. */
export function explainDepth(error: unknown): unknown {
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    return new SerializationError(
      'The value is nested too deeply to be sent. Turn the chain (a linked list, for instance) into an array.',
      { cause: error },
    )
  }
  return error
}
