// Graph codec. Output: { n: nodes[], b: buffers[] }.  Refs are integers; negatives are constants.
export const CONST = { undefined: -1, hole: -2, NaN: -3, inf: -4, ninf: -5, nzero: -6 }
export class CaptureError extends Error {
  constructor(msg, path) {
    super(msg)
    this.name = 'CaptureError'
    this.path = path
  }
}
const TA = Object.getPrototypeOf(Uint8Array)
const ERR = new Map(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError].map(c => [
    c.prototype,
    c.name,
  ]),
)
const WK = new Map(
  Object.getOwnPropertyNames(Symbol)
    .filter(k => typeof Symbol[k] === 'symbol')
    .map(k => [Symbol[k], k]),
)
const tag = o => Object.prototype.toString.call(o).slice(8, -1)

import { types } from 'node:util'

export class Encoder {
  // hooks: fn(f, path) -> ref descriptor node (array) ; proto(p, path) -> node ref or undefined
  constructor(hooks = {}) {
    this.h = hooks
    this.nodes = []
    this.bufs = []
    this.memo = new Map()
    this.log = []
  }
  mark() {
    return { n: this.nodes.length, b: this.bufs.length, l: this.log.length }
  }
  rollback(m) {
    this.nodes.length = m.n
    this.bufs.length = m.b
    while (this.log.length > m.l) this.memo.delete(this.log.pop())
  }
  add(node) {
    this.nodes.push(node)
    return this.nodes.length - 1
  }
  rem(v, i) {
    this.memo.set(v, i)
    this.log.push(v)
    return i
  }
  enc(v, path = []) {
    switch (typeof v) {
      case 'undefined':
        return -1
      case 'number':
        if (v !== v) return -3
        if (v === Infinity) return -4
        if (v === -Infinity) return -5
        if (Object.is(v, -0)) return -6
      case 'string':
      case 'boolean': {
        const m = this.memo.get(v)
        if (m !== undefined) return m
        return this.rem(v, this.add(v))
      }
      case 'bigint': {
        const m = this.memo.get(v)
        return m !== undefined ? m : this.rem(v, this.add(['n', String(v)]))
      }
      case 'symbol': {
        const m = this.memo.get(v)
        if (m !== undefined) return m
        if (WK.has(v)) return this.rem(v, this.add(['yw', WK.get(v)]))
        const k = Symbol.keyFor(v)
        return this.rem(v, this.add(k !== undefined ? ['yf', k] : ['y', v.description ?? null]))
      }
    }
    if (v === null) {
      const m = this.memo.get(null)
      return m !== undefined ? m : this.rem(null, this.add(null))
    }
    const m = this.memo.get(v)
    if (m !== undefined) return m
    if (this.h.known) {
      const node = this.h.known(v, path)
      if (node) return this.rem(v, this.add(node))
    }
    if (typeof v === 'function') {
      if (!this.h.fn) throw new CaptureError(`functions cannot be sent as data`, path)
      const i = this.rem(v, this.add(null))
      const node = this.h.fn(v, path, i)
      this.nodes[i] = node
      return i
    }
    return this.obj(v, path)
  }
  obj(v, path) {
    if (types.isProxy(v)) throw new CaptureError('it is a Proxy', path)
    if (this.h.check) this.h.check(v, path)
    const i = this.rem(v, this.add(null))
    const proto = Object.getPrototypeOf(v)
    let node, skip
    if (Array.isArray(v)) {
      const keys = Object.keys(v)
      if (
        keys.length === v.length &&
        (!v.length || keys[v.length - 1] === String(v.length - 1)) &&
        proto === Array.prototype
      ) {
        node = ['a', null]
        this.nodes[i] = node
        const a = (node[1] = new Array(v.length))
        for (let k = 0; k < v.length; k++) a[k] = this.enc(v[k], [...path, k])
        skip = 'array'
      } else {
        node = ['as', v.length]
        skip = new Set(['length'])
      }
      if (proto !== Array.prototype) node.push(0), (node = this.withProto(node, proto, path))
      this.nodes[i] = node
      if (skip === 'array') {
        return i
      }
    } else if (types.isDate(v)) {
      node = ['d', v.getTime()]
      skip = NONE
    } else if (types.isRegExp(v)) {
      node = ['r', v.source, v.flags, v.lastIndex]
      skip = new Set(['lastIndex'])
    } else if (types.isMap(v)) {
      node = ['m', []]
      this.nodes[i] = node
      let q = 0
      for (const [k, x] of Map.prototype.entries.call(v)) {
        node[1].push(
          this.enc(k, [...path, `<key ${q}>`]),
          this.enc(x, [...path, typeof k === 'string' ? `.get(${JSON.stringify(k)})` : `<value ${q}>`]),
        )
        q++
      }
      skip = NONE
    } else if (types.isSet(v)) {
      node = ['s', []]
      this.nodes[i] = node
      for (const x of Set.prototype.values.call(v)) node[1].push(this.enc(x, [...path, '<element>']))
      skip = NONE
    } else if (this.h.weak && (types.isWeakMap(v) || types.isWeakSet(v))) {
      node = [types.isWeakMap(v) ? 'wm' : 'ws', []]
      this.h.weak(v, node)
      skip = NONE
    } else if (types.isAnyArrayBuffer(v)) {
      node = ['ab', this.bufs.push(new Uint8Array(v)) - 1]
      skip = NONE
    } else if (ArrayBuffer.isView(v)) {
      const isBuf = typeof Buffer !== 'undefined' && Buffer.isBuffer(v)
      if (v.buffer.byteLength > v.byteLength * 2 || isBuf)
        node = [
          'tb',
          isBuf ? 'Buffer' : tag(v),
          this.bufs.push(new Uint8Array(v.buffer, v.byteOffset, v.byteLength)) - 1,
        ]
      else node = ['tv', tag(v), this.enc(v.buffer, path), v.byteOffset, v.length ?? v.byteLength]
      skip = 'all'
    } else if (types.isNativeError(v)) {
      node = ['e', ERR.get(proto) ?? 'Error']
      skip = NONE
    } else if (types.isBoxedPrimitive(v)) {
      node = ['bx', this.enc(v.valueOf())]
      skip = typeof v.valueOf() === 'string' ? 'all' : NONE
    } else if (types.isArgumentsObject(v)) {
      node = ['ag', Array.from(v, (x, k) => this.enc(x, [...path, k]))]
      skip = 'all'
    } else if (v instanceof URL) {
      node = ['u', v.href]
      skip = 'all'
    } else if (v instanceof URLSearchParams) {
      node = ['us', v.toString()]
      skip = 'all'
    } else {
      const bad = unsupported(v)
      if (bad) throw new CaptureError(bad, path)
      node = ['o']
      skip = NONE
    }
    this.nodes[i] = node
    const std =
      (proto === Object.prototype && node[0] === 'o') ||
      STDPROTO.get(node[0])?.(v) === proto ||
      (node[0] === 'e' && ERR.get(proto)) ||
      skip === 'all'
    let protoRef
    if (!std) {
      protoRef =
        proto === null
          ? this.enc(null)
          : this.h.proto
            ? this.h.proto(proto, [...path, '<prototype>'], v)
            : this.noProto(proto, v, path)
    }
    let props = null,
      attrs = null
    if (skip !== 'all')
      for (const k of Reflect.ownKeys(v)) {
        if (skip.has(k)) continue
        let d = Object.getOwnPropertyDescriptor(v, k)
        const p = [...path, k]
        if (node[0] === 'e' && k === 'stack' && d.get)
          d = { value: v.stack, writable: true, configurable: true, enumerable: false } // V8 >= 12: own accessor
        const plain = d.writable && d.enumerable && d.configurable
        ;(props ??= []).push(
          typeof k === 'string' && 0 ? k : this.enc(k),
          'value' in d ? this.enc(d.value, p) : -1,
        )
        if (
          !plain &&
          !(
            node[0] === 'e' &&
            (k === 'stack' || k === 'message' || k === 'cause' || k === 'errors') &&
            'value' in d
          )
        )
          (attrs ??= []).push([
            props.length - 2,
            (d.writable ? 1 : 0) | (d.enumerable ? 2 : 0) | (d.configurable ? 4 : 0),
            d.get ? this.enc(d.get, p) : -1,
            d.set ? this.enc(d.set, p) : -1,
            'value' in d ? 1 : 0,
          ])
      }
    const ext =
      Object.isFrozen(v) && (props || (node[0] === 'o' && !Object.isExtensible(v)))
        ? 3
        : Object.isSealed(v) && !Object.isExtensible(v)
          ? 2
          : !Object.isExtensible(v)
            ? 1
            : 0
    if (props || protoRef !== undefined || attrs || ext)
      node.push({
        ...(props && { p: props }),
        ...(protoRef !== undefined && { q: protoRef }),
        ...(attrs && !(ext === 3) && { t: attrs }),
        ...(ext && { x: ext }),
      })
    if (this.h.post) this.h.post(v, node, path)
    return i
  }
  withProto(node, proto, path) {
    const q = this.h.proto ? this.h.proto(proto, path) : this.noProto(proto, null, path)
    node[node.length - 1] = { q }
    return node
  }
  noProto(proto, v, path) {
    throw new CaptureError(`it is an instance of class ${proto.constructor?.name ?? '?'}`, path)
  }
}
const NONE = new Set()
const STDPROTO = new Map(
  Object.entries({
    d: () => Date.prototype,
    r: () => RegExp.prototype,
    m: () => Map.prototype,
    s: () => Set.prototype,
    as: () => Array.prototype,
    ab: v => (v instanceof ArrayBuffer ? ArrayBuffer : SharedArrayBuffer).prototype,
    wm: () => WeakMap.prototype,
    ws: () => WeakSet.prototype,
    bx: v => Object.getPrototypeOf(Object(v.valueOf())),
  }),
)
function unsupported(v) {
  if (types.isPromise(v)) return 'it is a Promise (await it first)'
  if (types.isWeakMap(v) || types.isWeakSet(v) || (typeof WeakRef !== 'undefined' && tag(v) === 'WeakRef'))
    return `it is a ${tag(v)}`
  if (types.isGeneratorObject(v)) return 'it is a running generator'
  if (
    types.isMapIterator(v) ||
    types.isSetIterator(v) ||
    (/Iterator$/.test(tag(v)) && /\[native code\]/.test(String(v.next)))
  )
    return 'it is an iterator'
  if (types.isModuleNamespaceObject(v)) return 'it is a module namespace'
  if (types.isExternal?.(v)) return 'it is a native handle'
  if (tag(v).startsWith('WebAssembly')) return 'it is a WebAssembly object'
}

// ---------- decoder (runs on the worker; no dependency) ----------
export function decode({ n: nodes, b: bufs = [] }, root, fns = [], refs = [], hooks = {}) {
  const out = new Array(nodes.length),
    done = new Uint8Array(nodes.length),
    post = []
  const K = [, undefined, , NaN, Infinity, -Infinity, -0]
  const get = r => (r < 0 ? K[-r] : done[r] ? out[r] : make(r))
  const set = (i, v) => {
    out[i] = v
    done[i] = 1
    return v
  }
  function make(i) {
    const d = nodes[i]
    if (d === null || typeof d !== 'object') return set(i, d)
    let v, x
    switch (d[0]) {
      case 'n':
        return set(i, BigInt(d[1]))
      case 'y':
        return set(i, Symbol(d[1] ?? undefined))
      case 'yw':
        return set(i, Symbol[d[1]])
      case 'yf':
        return set(i, Symbol.for(d[1]))
      case 'F':
        v = set(i, fns(d[1]))
        x = d[2]
        break
      case 'R':
        return set(i, refs(d[1]))
      case 'C':
        return set(i, hooks.C(d[1]).prototype)
      case 'K':
        return set(i, hooks.K(d[1]).prototype)
      case 'P':
        return set(i, get(d[1]).prototype) // prototype object of a function/class
      case 'B': {
        const t = get(d[1])
        return set(i, Function.prototype.bind.call(t, get(d[2]), ...d[3].map(get)))
      }
      case 'a': {
        v = set(i, new Array(d[1].length))
        x = d[2]
        for (let k = 0; k < d[1].length; k++) v[k] = get(d[1][k])
        break
      }
      case 'ag': {
        v = set(
          i,
          (function () {
            return arguments
          })(...d[1].map(get)),
        )
        return v
      }
      case 'as':
        v = set(i, [])
        v.length = d[1]
        x = d[2]
        break
      case 'd':
        v = set(i, new Date(d[1] ?? NaN))
        x = d[2]
        break
      case 'r':
        v = set(i, new RegExp(d[1], d[2]))
        v.lastIndex = d[3]
        x = d[4]
        break
      case 'm': {
        v = set(i, new Map())
        x = d[2]
        post.push(() => {
          for (let k = 0; k < d[1].length; k += 2) Map.prototype.set.call(v, get(d[1][k]), get(d[1][k + 1]))
        })
        break
      }
      case 's': {
        v = set(i, new Set())
        x = d[2]
        post.push(() => {
          for (const r of d[1]) Set.prototype.add.call(v, get(r))
        })
        break
      }
      case 'wm': {
        v = set(i, new WeakMap())
        x = d[2]
        post.push(() => {
          for (let k = 0; k < d[1].length; k += 2) v.set(get(d[1][k]), get(d[1][k + 1]))
        })
        break
      }
      case 'ws': {
        v = set(i, new WeakSet())
        x = d[2]
        post.push(() => {
          for (let k = 0; k < d[1].length; k += 2) v.add(get(d[1][k]))
        })
        break
      }
      case 'ab': {
        const u = bufs[d[1]]
        const c = new Uint8Array(u.byteLength)
        c.set(u)
        v = set(i, c.buffer)
        x = d[2]
        break
      }
      case 'tb': {
        const u = bufs[d[2]]
        if (d[1] === 'Buffer') {
          v = set(i, Buffer.from(u))
        } else {
          const c = new Uint8Array(u.byteLength)
          c.set(u)
          v = set(i, d[1] === 'DataView' ? new DataView(c.buffer) : new globalThis[d[1]](c.buffer))
        }
        return v
      }
      case 'tv':
        return set(i, new globalThis[d[1]](get(d[2]), d[3], d[4]))
      case 'e':
        v = set(i, d[1] === 'AggregateError' ? new AggregateError([]) : new globalThis[d[1]]())
        for (const k of ['stack', 'errors']) delete v[k]
        x = d[2]
        break
      case 'bx':
        v = set(i, Object(get(d[1])))
        x = d[2]
        break
      case 'u':
        return set(i, new URL(d[1]))
      case 'us':
        return set(i, new URLSearchParams(d[1]))
      case 'V':
        v = set(i, hooks.construct(get(d[1])))
        x = d[3]
        for (let k = 0; k < d[2].length; k += 3) hooks.setPrivate(d[2][k], v, d[2][k + 1], get(d[2][k + 2]))
        break // instance with private fields
      case 'o':
        x = d[1]
        v = set(i, x?.q !== undefined ? Object.create(get(x.q)) : {})
        break
      default:
        throw new Error('bad node ' + d[0])
    }
    if (x) {
      if (x.q !== undefined && d[0] !== 'o' && d[0] !== 'V') Object.setPrototypeOf(v, get(x.q))
      const fill = () => {
        const at = x.t && new Map(x.t.map(t => [t[0], t]))
        if (x.p)
          for (let k = 0; k < x.p.length; k += 2) {
            const key = get(x.p[k]),
              t = at?.get(k)
            if (t) {
              const desc = { enumerable: !!(t[1] & 2), configurable: !!(t[1] & 4) }
              if (t[4]) {
                desc.value = get(x.p[k + 1])
                desc.writable = !!(t[1] & 1)
              } else {
                desc.get = get(t[2])
                desc.set = get(t[3])
              }
              Object.defineProperty(v, key, desc)
            } else if (d[0] === 'e')
              Object.defineProperty(v, key, {
                value: get(x.p[k + 1]),
                writable: true,
                configurable: true,
                enumerable: !['stack', 'message', 'cause', 'errors'].includes(key),
              })
            else
              Object.defineProperty(v, key, {
                value: get(x.p[k + 1]),
                writable: true,
                configurable: true,
                enumerable: true,
              })
          }
        if (x.x)
          post.push(() =>
            x.x === 3 ? Object.freeze(v) : x.x === 2 ? Object.seal(v) : Object.preventExtensions(v),
          )
      }
      if (d[0] === 'F') post.push(fill)
      else fill()
    }
    return v
  }
  const res = get(root)
  const finish = () => {
    for (let k = 0; k < post.length; k++) post[k]()
  }
  return { res, get, finish }
}
