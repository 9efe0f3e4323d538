import { ProtocolError } from '../errors/index.ts'
import { ownView, viewConstructor } from './binary.ts'
import {
  CONFIGURABLE,
  CONSTANTS,
  ENUMERABLE,
  type Graph,
  HIDDEN_OF_ERRORS,
  type NodeExtra,
  WRITABLE,
} from './graph.ts'

/** How the worker's half of capture takes part in decoding. */
export interface DecodeHooks {
  /** The function at an index. */
  function?(index: number): Function
  /** The value known on both sides at an index. */
  known?(index: number): unknown
  /** The prototype object of a class that travelled. */
  classPrototype?(id: string): object | undefined
  /** An instance of a class with private fields, made without running its constructor's code. */
  construct?(constructor: unknown): object
  /** Sets a private field of the class at an index. */
  setPrivate?(owner: number, target: object, name: string, value: unknown): void
}

const ERRORS: Readonly<Record<string, new (message?: string) => Error>> = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
}

/** Objects within objects are filled in turn from this depth on: the stack has room for some thousand. */
const MAX_DEPTH = 300

/** Makes values of a graph's nodes, each once. Call `finish` when all that is wanted has been got. */
export class GraphDecoder {
  readonly #nodes: readonly unknown[]
  readonly #buffers: readonly Uint8Array[]
  readonly #hooks: DecodeHooks
  readonly #values: unknown[]
  readonly #isMade: Uint8Array
  /** What must wait until everything it refers to exists: entries of collections, freezing. */
  readonly #later: (() => void)[] = []
  /** Objects that exist and are too deep to be filled where they were found. */
  readonly #deferred: (() => void)[] = []
  #depth = 0

  constructor(graph: Graph, hooks: DecodeHooks = {}) {
    this.#nodes = graph.nodes
    this.#buffers = graph.buffers
    this.#hooks = hooks
    this.#values = new Array(graph.nodes.length)
    this.#isMade = new Uint8Array(graph.nodes.length)
  }

  get(ref: number): unknown {
    if (ref < 0) {
      if (ref < -6) throw damaged(`reference ${ref}`)
      return CONSTANTS[-ref]
    }
    if (!(ref < this.#nodes.length)) throw damaged(`reference ${ref}`)
    if (this.#isMade[ref] === 1) return this.#values[ref]
    this.#depth++
    try {
      return this.#make(ref)
    } finally {
      this.#depth--
      if (this.#depth === 0) this.#fillDeferred()
    }
  }

  #fillDeferred(): void {
    this.#depth++
    try {
      for (let fill = this.#deferred.pop(); fill !== undefined; fill = this.#deferred.pop()) fill()
    } finally {
      this.#depth--
    }
  }

  /** Adds what `extra` holds to an object that exists already. */
  extend(value: object, extra: NodeExtra): void {
    this.#extend(value, extra)
  }

  /** Runs what had to wait. */
  finish(): void {
    for (let i = 0; i < this.#later.length; i++) this.#later[i]?.()
    this.#later.length = 0
  }

  #keep<V>(ref: number, value: V): V {
    this.#values[ref] = value
    this.#isMade[ref] = 1
    return value
  }

  #make(ref: number): unknown {
    const node = this.#nodes[ref]
    if (node === null || typeof node !== 'object') return this.#keep(ref, node)
    if (!Array.isArray(node)) throw damaged(`node ${ref}`)
    const [kind, a, b, c, d] = node
    switch (kind) {
      case 'n':
        return this.#keep(ref, BigInt(a))
      case 'y':
        return this.#keep(ref, Symbol(a ?? undefined))
      case 'yw':
        return this.#keep(ref, (Symbol as unknown as Record<string, symbol>)[a])
      case 'yf':
        return this.#keep(ref, Symbol.for(a))
      case 'o':
        return this.#object(ref, a as NodeExtra | undefined)
      case 'a':
        return this.#array(ref, a, b)
      case 'as': {
        const array: unknown[] = this.#keep(ref, [])
        array.length = a
        return this.#extend(array, b)
      }
      case 'ag':
        return this.#keep(ref, argumentsOf((a as number[]).map(item => this.get(item))))
      case 'd':
        return this.#extend(this.#keep(ref, new Date(a ?? Number.NaN)), b)
      case 'r': {
        const regExp = this.#keep(ref, new RegExp(a, b))
        regExp.lastIndex = c
        return this.#extend(regExp, d)
      }
      case 'm':
      case 'wm':
        return this.#map(ref, kind, a, b)
      case 's':
      case 'ws':
        return this.#set(ref, kind, a, b)
      case 'ab':
      case 'sb':
      case 'tb':
      case 'tv':
        return this.#binary(ref, kind, node)
      case 'e':
        return this.#error(ref, a, b)
      case 'bx':
        return this.#extend(this.#keep(ref, Object(this.get(a)) as object), b)
      case 'dx':
        return this.#keep(ref, new DOMException(a, b))
      case 'u':
        return this.#extend(this.#keep(ref, new URL(a)), b)
      case 'us':
        return this.#extend(this.#keep(ref, new URLSearchParams(a)), b)
      case 'c':
        return this.#keep(ref, this.#classPrototype(a))
      case 'cc':
        return this.#keep(ref, this.#classPrototype(a).constructor)
      default:
        return this.#capturedKind(ref, kind, node)
    }
  }

  /** Kinds that only captured values have. */
  #capturedKind(ref: number, kind: unknown, node: readonly unknown[]): unknown {
    const [, a, b, c] = node
    const { function: functionAt, known, construct, setPrivate } = this.#hooks
    if (kind === 'F' && functionAt !== undefined) {
      const fn = this.#keep(ref, functionAt(a as number))
      // properties may refer to functions whose variables are not set yet
      if (b !== undefined) this.#later.push(() => this.#extend(fn, b as NodeExtra, true))
      return fn
    }
    if (kind === 'R' && known !== undefined) return this.#keep(ref, known(a as number))
    if (kind === 'P') return this.#keep(ref, (this.get(a as number) as { prototype: unknown }).prototype)
    if (kind === 'B') {
      const target = this.get(a as number) as Function
      const args = (c as number[]).map(argument => this.get(argument))
      return this.#keep(ref, Function.prototype.bind.call(target, this.get(b as number), ...args))
    }
    if (kind === 'V' && construct !== undefined && setPrivate !== undefined) {
      const instance = this.#keep(ref, construct(this.get(a as number)))
      const fields = b as (number | string)[]
      for (let i = 0; i < fields.length; i += 3) {
        setPrivate(fields[i] as number, instance, fields[i + 1] as string, this.get(fields[i + 2] as number))
      }
      return this.#extend(instance, c as NodeExtra | undefined)
    }
    throw damaged(`node of kind ${String(kind)}`)
  }

  #object(ref: number, extra: NodeExtra | undefined): unknown {
    const prototype = extra?.q === undefined ? Object.prototype : (this.get(extra.q) as object | null)
    if (this.#isMade[ref] === 1) return this.#values[ref] // the prototype referred to it
    const object = this.#keep(ref, prototype === Object.prototype ? {} : Object.create(prototype))
    return this.#extend(object, extra, true)
  }

  #array(ref: number, refs: readonly number[], extra: NodeExtra | undefined): unknown {
    const array: unknown[] = this.#keep(ref, new Array(refs.length))
    const fill = () => {
      for (let i = 0; i < refs.length; i++) array[i] = this.get(refs[i] as number)
    }
    if (this.#depth < MAX_DEPTH) fill()
    else this.#deferred.push(fill)
    return this.#extend(array, extra)
  }

  #map(ref: number, kind: string, refs: readonly number[], extra: NodeExtra | undefined): unknown {
    const map = this.#keep(ref, kind === 'm' ? new Map<unknown, unknown>() : new WeakMap<object, unknown>())
    this.#later.push(() => {
      for (let i = 0; i < refs.length; i += 2) {
        const set = kind === 'm' ? Map.prototype.set : WeakMap.prototype.set
        set.call(map as never, this.get(refs[i] as number) as never, this.get(refs[i + 1] as number))
      }
    })
    return this.#extend(map, extra)
  }

  #set(ref: number, kind: string, refs: readonly number[], extra: NodeExtra | undefined): unknown {
    const set = this.#keep(ref, kind === 's' ? new Set<unknown>() : new WeakSet<object>())
    this.#later.push(() => {
      const add = kind === 's' ? Set.prototype.add : WeakSet.prototype.add
      // weak collections come as pairs, whose second half a WeakSet has no use for
      const step = kind === 's' ? 1 : 2
      for (let i = 0; i < refs.length; i += step) add.call(set as never, this.get(refs[i] as number) as never)
    })
    return this.#extend(set, extra)
  }

  #binary(ref: number, kind: string, node: readonly unknown[]): unknown {
    const [, a, b, c, d, extra] = node
    if (kind === 'tb') {
      const view = this.#keep(ref, ownView(a, this.#buffer(b as number)))
      return this.#extend(view, c as NodeExtra | undefined)
    }
    if (kind === 'tv') {
      const view = this.#keep(ref, viewOf(a, this.get(b as number) as ArrayBuffer, c as number, d as number))
      return this.#extend(view, extra as NodeExtra | undefined)
    }
    const bytes = this.#buffer(a as number)
    const memory = kind === 'sb' ? new SharedArrayBuffer(bytes.length) : new ArrayBuffer(bytes.length)
    new Uint8Array(memory).set(bytes)
    return this.#extend(this.#keep(ref, memory), b as NodeExtra | undefined)
  }

  #buffer(index: number): Uint8Array {
    const buffer = this.#buffers[index]
    if (buffer === undefined) throw damaged(`buffer ${index}`)
    return buffer
  }

  #error(ref: number, name: string, extra: NodeExtra | undefined): unknown {
    const error = name === 'AggregateError' ? new AggregateError([]) : new (ERRORS[name] ?? Error)()
    for (const key of ['stack', 'errors']) delete (error as unknown as Record<string, unknown>)[key]
    return this.#extend(this.#keep(ref, error), extra, false, true)
  }

  #classPrototype(id: string): object {
    const prototype = this.#hooks.classPrototype?.(id)
    if (prototype !== undefined) return prototype
    throw new ProtocolError(
      `The value holds an instance of a class (${id}) that did not travel with the function here. Let the function use the class.`,
      { code: 'LITHOPS_UNKNOWN_CLASS' },
    )
  }

  #extend<V extends object>(
    value: V,
    extra: NodeExtra | undefined,
    hasPrototype = false,
    isError = false,
  ): V {
    if (extra === undefined) return value
    if (extra.q !== undefined && !hasPrototype)
      Object.setPrototypeOf(value, this.get(extra.q) as object | null)
    const { p } = extra
    if (p !== undefined) {
      if (this.#depth < MAX_DEPTH) this.#properties(value, p, extra.t, isError)
      else this.#deferred.push(() => this.#properties(value, p, extra.t, isError))
    }
    const { x } = extra
    if (x !== undefined) {
      this.#later.push(() => {
        if (x === 3) Object.freeze(value)
        else if (x === 2) Object.seal(value)
        else Object.preventExtensions(value)
      })
    }
    return value
  }

  #properties(value: object, pairs: readonly number[], attributes: NodeExtra['t'], isError: boolean): void {
    const byPosition = attributes === undefined ? undefined : new Map(attributes.map(a => [a[0], a]))
    for (let i = 0; i < pairs.length; i += 2) {
      const key = this.get(pairs[i] as number) as PropertyKey
      const special = byPosition?.get(i)
      if (special === undefined) {
        const isHidden = isError && HIDDEN_OF_ERRORS.has(key)
        Object.defineProperty(value, key, {
          value: this.get(pairs[i + 1] as number),
          writable: true,
          enumerable: !isHidden,
          configurable: true,
        })
        continue
      }
      const [, flags, get, set, hasValue] = special
      const common = { enumerable: (flags & ENUMERABLE) !== 0, configurable: (flags & CONFIGURABLE) !== 0 }
      Object.defineProperty(
        value,
        key,
        hasValue === 1
          ? { ...common, value: this.get(pairs[i + 1] as number), writable: (flags & WRITABLE) !== 0 }
          : { ...common, get: this.get(get) as () => unknown, set: this.get(set) as (v: unknown) => void },
      )
    }
  }
}

function viewOf(name: unknown, buffer: ArrayBuffer, offset: number, length: number): ArrayBufferView {
  const constructor = viewConstructor(name)
  try {
    return new constructor(buffer, offset, length)
  } catch (cause) {
    throw new ProtocolError('An encoded value is damaged: a typed array does not fit its buffer.', { cause })
  }
}

function argumentsOf(items: readonly unknown[]): unknown {
  const make = function (this: unknown) {
    // biome-ignore lint/complexity/noArguments: an arguments object is what is wanted
    return arguments
  }
  return make.apply(undefined, items as [])
}

function damaged(what: string): ProtocolError {
  return new ProtocolError(`An encoded value is damaged: ${what} makes no sense.`)
}
