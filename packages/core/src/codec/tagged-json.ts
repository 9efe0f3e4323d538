import { types } from 'node:util'
import { ProtocolError } from '../errors/index.ts'
import { bytesOf, ownView, viewName } from './binary.ts'

/** The value has something that only the graph can carry. */
export const NEEDS_GRAPH = Symbol('needs graph')

/** What is nested more deeply is a graph, which no recursion reads or writes: stacks have room for some thousand. */
const MAX_DEPTH = 500

type Tagged = { readonly $: string; readonly v?: unknown; readonly k?: string }

/**
 * Turns a tree of plain data into JSON in which {"$": tag} stands for what JSON lacks. Subtrees that need nothing are
 * passed through uncopied. A reference that occurs twice, and everything unusual, needs the graph.
 *
 *     u undefined   n number that is not finite, or -0   b BigInt   d Date   m Map   s Set
 *     t view, k its class, v its buffer                  o object that has a key '$'
 */
export class TaggedEncoder {
  hasTags = false
  readonly buffers: Uint8Array[] = []
  readonly #seen = new Set<unknown>()
  #depth = 0

  encode(value: unknown): unknown {
    try {
      return this.#any(value)
    } catch (error) {
      if (error === NEEDS_GRAPH) return NEEDS_GRAPH
      throw error
    }
  }

  #any(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        if (Number.isFinite(value) && !Object.is(value, -0)) return value
        return this.#tag({ $: 'n', v: Object.is(value, -0) ? '-0' : String(value) })
      case 'undefined':
        return this.#tag({ $: 'u' })
      case 'bigint':
        return this.#tag({ $: 'b', v: String(value) })
      case 'object':
        return value === null ? null : this.#object(value)
      default:
        throw NEEDS_GRAPH
    }
  }

  #object(value: object): unknown {
    if (types.isProxy(value) || this.#seen.has(value) || this.#depth >= MAX_DEPTH) throw NEEDS_GRAPH
    this.#seen.add(value)
    this.#depth++
    const encoded = this.#ofKind(value)
    this.#depth--
    return encoded
  }

  #ofKind(value: object): unknown {
    const prototype = Object.getPrototypeOf(value)
    if (prototype === Object.prototype) return this.#plain(value as Record<string, unknown>)
    if (prototype === Array.prototype && Array.isArray(value)) return this.#array(value)
    if (prototype === Date.prototype && types.isDate(value) && isBare(value)) {
      return this.#tag({ $: 'd', v: value.getTime() })
    }
    if (prototype === Map.prototype && types.isMap(value) && isBare(value)) {
      const entries: unknown[] = []
      for (const [key, item] of value) entries.push(this.#any(key), this.#any(item))
      return this.#tag({ $: 'm', v: entries })
    }
    if (prototype === Set.prototype && types.isSet(value) && isBare(value)) {
      return this.#tag({ $: 's', v: Array.from(value, item => this.#any(item)) })
    }
    if (ArrayBuffer.isView(value)) return this.#view(value)
    throw NEEDS_GRAPH
  }

  #plain(value: Record<string, unknown>): unknown {
    let copy: Record<string, unknown> | undefined
    const keys = Object.keys(value)
    // hidden keys, symbols, accessors and integrity are the graph's business
    if (Object.getOwnPropertySymbols(value).length > 0 || !Object.isExtensible(value)) throw NEEDS_GRAPH
    if (Object.getOwnPropertyNames(value).length !== keys.length || types.isNativeError(value))
      throw NEEDS_GRAPH
    if (typeof value.toJSON === 'function' || types.isArgumentsObject(value)) throw NEEDS_GRAPH
    for (const key of keys) {
      const descriptor = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor
      if (
        descriptor.get !== undefined ||
        descriptor.set !== undefined ||
        !descriptor.writable ||
        !descriptor.configurable
      )
        throw NEEDS_GRAPH
      const item = descriptor.value
      const encoded = this.#any(item)
      if (encoded === item) continue
      copy ??= withOwn(value, keys)
      define(copy, key, encoded)
    }
    if (Object.hasOwn(value, '$')) return this.#tag({ $: 'o', v: copy ?? value })
    return copy ?? value
  }

  #array(value: unknown[]): unknown {
    let copy: unknown[] | undefined
    if (!Object.isExtensible(value) || Object.keys(value).length !== value.length) throw NEEDS_GRAPH
    for (let i = 0; i < value.length; i++) {
      const item = value[i]
      if (item === undefined && !(i in value)) throw NEEDS_GRAPH
      const encoded = this.#any(item)
      if (encoded === item) continue
      copy ??= value.slice()
      copy[i] = encoded
    }
    return copy ?? value
  }

  #view(view: ArrayBufferView): unknown {
    const name = viewName(view)
    // a view of its whole buffer is alone with it until the buffer is met again
    if (name !== 'Buffer' && this.#seen.has(view.buffer)) throw NEEDS_GRAPH
    const prototype = Object.getPrototypeOf(view)
    const usual =
      name === 'Buffer'
        ? Buffer.prototype
        : (globalThis as unknown as Record<string, { prototype: object }>)[name]?.prototype
    if (prototype !== usual) throw NEEDS_GRAPH
    this.#seen.add(view.buffer)
    return this.#tag({ $: 't', k: name, v: this.buffers.push(bytesOf(view)) - 1 })
  }

  #tag(tagged: Tagged): Tagged {
    this.hasTags = true
    return tagged
  }
}

function isBare(value: object): boolean {
  return Object.isExtensible(value) && Reflect.ownKeys(value).length === 0
}

function withOwn(value: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const key of keys) define(copy, key, value[key])
  return copy
}

/** Sets an own property, whatever its name: '__proto__' included. */
function define(target: object, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
  } else {
    ;(target as Record<string, unknown>)[key] = value
  }
}

/** Puts back what the tags stand for, in place. */
export function untag(value: unknown, buffers: readonly Uint8Array[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = untag(value[i], buffers)
    return value
  }
  const object = value as Record<string, unknown>
  if (!Object.hasOwn(object, '$')) return untagProperties(object, buffers)
  const { $, v, k } = object
  switch ($) {
    case 'u':
      return undefined
    case 'n':
      return v === '-0' ? -0 : Number(v)
    case 'b':
      return BigInt(v as string)
    case 'd':
      return new Date((v ?? Number.NaN) as number)
    case 'm': {
      const map = new Map<unknown, unknown>()
      const entries = v as unknown[]
      for (let i = 0; i < entries.length; i += 2)
        map.set(untag(entries[i], buffers), untag(entries[i + 1], buffers))
      return map
    }
    case 's':
      return new Set((v as unknown[]).map(item => untag(item, buffers)))
    case 't': {
      const bytes = buffers[v as number]
      if (bytes === undefined) break
      return ownView(k, bytes)
    }
    case 'o':
      return untagProperties(v as Record<string, unknown>, buffers)
  }
  throw new ProtocolError(`An encoded value is damaged: there is no tag ${JSON.stringify($)}.`)
}

function untagProperties(object: Record<string, unknown>, buffers: readonly Uint8Array[]): unknown {
  for (const key of Object.keys(object)) {
    const item = object[key]
    if (typeof item === 'object' && item !== null) define(object, key, untag(item, buffers))
  }
  return object
}
