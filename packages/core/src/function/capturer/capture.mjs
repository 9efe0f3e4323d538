import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { builtinModules, createRequire, isBuiltin } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { types } from 'node:util'
import { GraphEncoder } from '../../codec/graph-encoder.ts'
import { magicString, remapping as remappingModule, traceMapping } from '../lazy-modules.ts'
import { CaptureError } from './capture-error.mjs'
import {
  evalAtEntry,
  forgetInspected,
  inspectFunction,
  privateFields,
  session,
  weakEntries,
} from './inspect.mjs'
import { analyze, collectNames, freeRefs, freeSpecials, isClass, isFn } from './scope.mjs'

export { CaptureError }

// ---------------------------------------------------------------- intrinsics
let INTR, loadHost
function hostIntrinsic(v) {
  if (loadHost) loadHost()
  return INTR.get(v)
}
function intrinsics() {
  if (INTR) return INTR
  INTR = new Map()
  const add = (v, e) => {
    if (((typeof v === 'object' && v !== null) || typeof v === 'function') && !INTR.has(v)) {
      INTR.set(v, e)
      return true
    }
  }
  const walk = (v, e, depth) => {
    if (!add(v, e) || depth > 3) return
    for (const k of Reflect.ownKeys(v)) {
      if (k === 'prototype' && typeof v !== 'function') continue
      const d = Object.getOwnPropertyDescriptor(v, k)
      const ke =
        typeof k === 'symbol'
          ? Symbol.keyFor(k)
            ? undefined
            : k.description?.startsWith('Symbol.')
              ? `[${k.description}]`
              : undefined
          : /^[A-Za-z_$][\w$]*$/.test(k)
            ? '.' + k
            : `[${JSON.stringify(k)}]`
      if (!ke) continue
      if ('value' in d) {
        if (typeof d.value === 'function' || (k === 'prototype' && d.value)) walk(d.value, e + ke, depth + 1)
      } else {
        if (d.get)
          add(
            d.get,
            `Object.getOwnPropertyDescriptor(${e}, ${typeof k === 'symbol' ? k.description : JSON.stringify(k)}).get`,
          )
        if (d.set)
          add(
            d.set,
            `Object.getOwnPropertyDescriptor(${e}, ${typeof k === 'symbol' ? k.description : JSON.stringify(k)}).set`,
          )
      }
    }
  }
  const ES =
    'Object Function Array Number parseFloat parseInt Boolean String Symbol Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError JSON Math Intl ArrayBuffer Atomics Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array DataView Map BigInt Set WeakMap WeakSet WeakRef Proxy Reflect FinalizationRegistry decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN SharedArrayBuffer WebAssembly Iterator Float16Array'.split(
      ' ',
    )
  const HOST =
    'console process Buffer URL URLSearchParams TextEncoder TextDecoder AbortController AbortSignal Event EventTarget MessageChannel MessagePort MessageEvent Blob fetch Headers Request Response FormData ReadableStream WritableStream TransformStream performance crypto structuredClone queueMicrotask setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate atob btoa DOMException WebSocket BroadcastChannel'.split(
      ' ',
    )
  INTR.set(globalThis, 'globalThis')
  for (const k of ES) if (k in globalThis) walk(globalThis[k], k, 0)
  const GF = Object.getPrototypeOf(function* () {}),
    AGF = Object.getPrototypeOf(async function* () {}),
    AF = Object.getPrototypeOf(async () => {})
  add(GF, 'Object.getPrototypeOf(function*(){})')
  add(GF.prototype, 'Object.getPrototypeOf(function*(){}).prototype')
  add(AGF, 'Object.getPrototypeOf(async function*(){})')
  add(AGF.prototype, 'Object.getPrototypeOf(async function*(){}).prototype')
  add(AF, 'Object.getPrototypeOf(async function(){})')
  add(Object.getPrototypeOf(Uint8Array), 'Object.getPrototypeOf(Uint8Array)')
  loadHost = () => {
    loadHost = null
    for (const k of HOST) {
      let v
      try {
        v = globalThis[k]
      } catch {}
      if (v) walk(v, k, 1)
    }
  }
  for (const k of HOST) {
    const d = Object.getOwnPropertyDescriptor(globalThis, k)
    if (d && 'value' in d && d.value && k !== 'process') add(d.value, k)
  } // data properties only: reading the accessors would load undici etc.
  add(process, 'process')
  add(process.env, 'process.env')
  add(console, 'console')
  return INTR
}
const KNOWN_GLOBALS = new Set()
for (const k of Object.getOwnPropertyNames(globalThis)) KNOWN_GLOBALS.add(k) // taken when this module loads, before user code adds its own
for (const k of ['undefined', 'NaN', 'Infinity', 'globalThis', 'global', 'arguments']) KNOWN_GLOBALS.add(k)

// builtin-module values: fn -> ['node:fs', 'readFileSync']
const builtinValues = new Map()
const builtinLoaded = new Set()
const req = createRequire(import.meta.url)
function builtinOf(v) {
  if (builtinValues.has(v)) return builtinValues.get(v)
  for (const id of builtinModules) {
    if (builtinLoaded.has(id) || /^(_|punycode|sys|wasi|trace_events|inspector|sqlite|sea|test)/.test(id))
      continue
    builtinLoaded.add(id)
    let m
    try {
      m = req(id)
    } catch {
      continue
    }
    const put = (x, p) => {
      if (x && (typeof x === 'object' || typeof x === 'function') && !builtinValues.has(x))
        builtinValues.set(x, p)
    }
    put(m, ['node:' + id, null])
    for (const k of Object.keys(m)) {
      const d = Object.getOwnPropertyDescriptor(m, k)
      if (d && 'value' in d && typeof d.value === 'function') {
        put(d.value, ['node:' + id, k])
        if (d.value.prototype) {
          put(d.value.prototype, ['node:' + id, k, 'prototype'])
        }
      }
    }
  }
  return builtinValues.get(v)
}

// ---------------------------------------------------------------- scripts
const scriptCache = new Map()
function lineStarts(src) {
  const a = [0]
  for (let i = src.indexOf('\n'); i >= 0; i = src.indexOf('\n', i + 1)) a.push(i + 1)
  return a
}
class Script {
  constructor(id, params) {
    this.id = id
    this.url = params.url
    this.params = params
    this.file = params.url.startsWith('file:')
      ? fileURLToPath(params.url.replace(/[?#].*$/, ''))
      : path.isAbsolute(params.url)
        ? params.url
        : null
  }
  get source() {
    return (this._s ??= session().sourceOf(this.id))
  }
  get an() {
    return (this._an ??= analyze(this.source, { isModule: !!this.params.isModule }))
  }
  near(off) {
    // function/class nodes around an offset
    const an = this.an
    an.sorted ??= an.nodes.slice().sort((a, b) => a.node.start - b.node.start)
    const a = an.sorted
    let lo = 0,
      hi = a.length
    while (lo < hi) {
      const m = (lo + hi) >> 1
      if (a[m].node.start <= off) lo = m + 1
      else hi = m
    }
    const out = []
    for (let i = Math.min(lo + 2, a.length - 1); i >= 0 && i > lo - 40; i--) out.push(a[i])
    for (let i = lo - 40; i >= 0; i--) if (a[i].node.end >= off) out.push(a[i])
    return out
  }
  get lines() {
    return (this._l ??= lineStarts(this.source))
  }
  offset(line, col) {
    const p = this.params
    const l = line - p.startLine
    return this.lines[l] + col - (l === 0 ? p.startColumn : 0)
  }
  loc(off) {
    let lo = 0,
      hi = this.lines.length - 1
    while (lo < hi) {
      const m = (lo + hi + 1) >> 1
      if (this.lines[m] <= off) lo = m
      else hi = m - 1
    }
    return { line: lo + 1, col: off - this.lines[lo] + 1 }
  }
  get inNodeModules() {
    return this.file ? /[\\/]node_modules[\\/]/.test(this.file) : false
  }
}
export function getScript(id) {
  let s = scriptCache.get(id)
  if (s) return s
  const S = session()
  const p = S.script(id)
  if (!p) throw new CaptureError(`script ${id} is not known to V8`)
  s = new Script(id, p)
  scriptCache.set(id, s)
  return s
}
const thisCache = new WeakMap() // arrow function -> its lexical this (immutable)
const fnMemo = new WeakMap() // Function -> static info (script, node, text)
function locate(fn, info) {
  let m = fnMemo.get(fn)
  if (m) return m
  const script = getScript(info.scriptId),
    text = Function.prototype.toString.call(fn)
  const off = script.offset(info.line, info.col)
  m = { script, text, off }
  if (!script.url.startsWith('node:') && !text.includes('[native code]')) {
    for (const n of script.near(off)) {
      const { node, parent } = n
      if (
        node.start <= off &&
        off <= node.end &&
        node.end - node.start === text.length &&
        script.source.startsWith(text, node.start)
      ) {
        m.n = n
        m.start = node.start
        m.end = node.end
        m.form = isClass(node) ? 'class' : 'fn'
      } else if (
        parent &&
        (parent.type === 'Property' || parent.type === 'MethodDefinition') &&
        parent.value === node &&
        parent.start <= off &&
        off <= parent.end
      ) {
        // toString() of a method omits `static`
        const st = parent.static ? script.source.indexOf(text.slice(0, 8), parent.start) : parent.start
        if (node.end - st === text.length && script.source.startsWith(text, st)) {
          m.n = n
          m.start = st
          m.end = node.end
          m.form = 'method'
        }
      }
    }
  }
  fnMemo.set(fn, m)
  return m
}

// ---------------------------------------------------------------- capture
export function capture(fn, opts = {}) {
  const t0 = performance.now()
  const c = new Capturer(opts)
  try {
    return c.run(fn, t0)
  } finally {
    forgetInspected()
    session().idle()
  }
}

class Capturer {
  constructor(opts) {
    this.o = { maxForeign: 30, ...opts }
    this.fns = [] // [{code():string, name}]
    this.fnIndex = new Map()
    this.refs = [] // expressions for intrinsics / imports used from the graph
    this.refIndex = new Map()
    this.vars = new Map() // key -> {name, id, ref}
    this.insts = new Map() // scope node -> [{names:Map, lits:Map}]
    this.imports = new Map() // key -> {local, importer, spec, imported}
    this.slices = new Map() // declarator -> slice
    this.globals = new Set()
    this.stack = []
    this.foreign = 0
    this.weaks = []
    this.scripts = new Set()
    this.log = [] // undo log for speculative capture
    this.enc = new GraphEncoder({
      refuse: (why, path) => new CaptureError(why, path),
      known: v => this.known(v),
      encodeFunction: (f, p, _i) => {
        const k = this.fnEntry(f, p)
        const e = this.fns[k]
        if (e.node) return e.node(p)
        const props = this.fnProps(f, e, p)
        return props ? ['F', k, props] : ['F', k]
      },
      encodePrototype: (p, path, v) => this.proto(p, path, v),
      check: (v, p) => this.check(v, p),
      afterObject: (v, node, p) => this.privates(v, node, p),
      weakCollection: (v, node) => {
        const w = { v, node, done: new Set(), entries: weakEntries(v) }
        this.weaks.push(w)
        this.log.push(() => this.weaks.pop())
      },
    })
  }
  undo(m) {
    while (this.log.length > m) this.log.pop()()
  }
  run(fn, t0) {
    if (typeof fn !== 'function')
      throw new CaptureError(`expected a function, got ${fn === null ? 'null' : typeof fn}`)
    this.rootName = fn.name || '(anonymous)'
    if (/^class\b/.test(Function.prototype.toString.call(fn)))
      throw new CaptureError(
        `it is a class; pass a function that calls it, e.g. x => new ${fn.name || 'C'}(x)`,
        [],
      )
    const root = this.enc.encode(fn, [])
    for (let again = true; again; ) {
      // ephemerons: an entry is copied when its key is otherwise captured
      again = false
      for (const w of this.weaks)
        for (const [k, v] of w.entries)
          if (!w.done.has(k) && this.enc.memo.has(k)) {
            w.done.add(k)
            again = true
            w.node[1].push(this.enc.memo.get(k), this.enc.encode(v, ['<weak>']))
          }
    }
    const code = this.emit(root)
    return {
      code: code.text,
      imports: code.imports,
      needsBundle: code.needsBundle,
      graph: this.enc,
      meta: this.meta,
      root,
      hash: createHash('sha256').update(code.text).digest('hex').slice(0, 32),
      ms: performance.now() - t0,
      map: this.mapFn,
      fnValues: this.fns.map(e => e.f),
      recreated: [...this.slices.values()]
        .filter(x => x.because)
        .map(x => ({ names: [...x.names.keys()], because: x.because, where: fmt(x.script, x.decl) })),
      refVals: this.refVals ?? {},
      fns: this.fns.length,
      scripts: [...this.scripts].map(s => s.url),
    }
  }
  fail(msg, path) {
    const _chain = this.stack.map(s => s.desc)
    throw new CaptureError(msg, path)
  }
  known(v) {
    let e = intrinsics().get(v)
    if (
      !e &&
      loadHost &&
      typeof v === 'function' &&
      /\[native code\]\s*}$/.test(Function.prototype.toString.call(v))
    )
      e = hostIntrinsic(v)
    if (e) return ['R', this.ref(e)]
    return undefined
  }
  ref(expr) {
    let i = this.refIndex.get(expr)
    if (i === undefined) {
      i = this.refs.push(expr) - 1
      this.refIndex.set(expr, i)
      this.log.push(() => {
        this.refs.pop()
        this.refIndex.delete(expr)
      })
    }
    return i
  }
  check(v, p) {
    // foreign objects: instances of node builtins / native classes
    const proto = Object.getPrototypeOf(v)
    if (!proto || proto === Object.prototype || Array.isArray(v)) return
    const c = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value
    if (isOpaque(v, c))
      throw new CaptureError(
        `it is ${/^[AEIOU]/.test(c.name) ? 'an' : 'a'} ${c.name}, whose state only the engine sees (make it in the function, or in a const initializer)`,
        p,
      )
    if (typeof c === 'function' && !intrinsics().has(c) && isNodeOwn(c) && !hostIntrinsic(c)) {
      const b = builtinOf(c)
      if (
        b &&
        !/^node:(url|buffer)$/.test(b[0]) &&
        !types.isNativeError(v) &&
        b[1] !== 'EventEmitter' &&
        b[0] !== 'node:events'
      )
        throw new CaptureError(`it is a ${c.name} from '${b[0]}' (a live handle of this process)`, p)
    }
    if (types.isModuleNamespaceObject(v)) return
  }
  proto(p, path, _v) {
    // prototype object of a class/function?
    const e = intrinsics().get(p)
    if (e) return this.enc.remember(p, this.enc.memo.get(p) ?? this.enc.addNode(['R', this.ref(e)]))
    if (this.enc.memo.has(p)) return this.enc.memo.get(p)
    const c = Object.getOwnPropertyDescriptor(p, 'constructor')?.value
    if (typeof c === 'function' && c.prototype === p) {
      const r = this.enc.encode(c, [...path.slice(0, -1), `<class ${c.name}>`])
      return this.enc.memo.get(p) ?? this.enc.remember(p, this.enc.addNode(['P', r]))
    }
    return this.enc.encode(p, path)
  }
  privates(v, node, p) {
    const proto = Object.getPrototypeOf(v)
    if (!proto || proto === Object.prototype || types.isProxy(v) || node[0] === 'a') return
    // classes of the prototype chain that declare private fields
    const cls = []
    for (let q = proto; q && q !== Object.prototype; q = Object.getPrototypeOf(q)) {
      const c = Object.getOwnPropertyDescriptor(q, 'constructor')?.value
      const k = this.fnIndex.get(c)
      const e = k !== undefined && this.fns[k]
      if (
        e?.m?.form === 'class' &&
        e.m.n.node.body.body.some(m => m.key?.type === 'PrivateIdentifier' && !m.static)
      )
        cls.push(e)
      else if (c && !intrinsics().has(c) && k !== undefined && !e?.m) cls.foreign = c
    }
    if (!cls.length && !cls.foreign) return
    const pf = privateFields(v).filter(x => x.has && !x.accessor)
    if (!cls.length) {
      if (pf.length)
        throw new CaptureError(
          `it is a ${proto.constructor?.name} instance with private field ${pf[0].name}`,
          p,
        )
      return
    }
    if (node[0] !== 'o')
      throw new CaptureError(
        `it is a ${proto.constructor?.name} instance with private members and a built-in base class`,
        p,
      )
    const out = []
    const seen = new Map()
    for (const f of pf) {
      if (
        f.has &&
        typeof f.value === 'function' &&
        cls.some(e =>
          e.m.n.node.body.body.some(m => m.type === 'MethodDefinition' && '#' + m.key.name === f.name),
        )
      )
        continue
      const owners = cls.filter(e =>
        e.m.n.node.body.body.some(
          m =>
            m.type === 'PropertyDefinition' &&
            !m.static &&
            m.key.type === 'PrivateIdentifier' &&
            '#' + m.key.name === f.name,
        ),
      )
      // Fields of the same name come in the order of their making: those of the base class first.
      const nth = seen.get(f.name) ?? 0
      seen.set(f.name, nth + 1)
      const owner = owners[owners.length - 1 - nth]
      if (!owner)
        throw new CaptureError(
          `private field ${f.name} is declared by none of the classes that were captured`,
          p,
        )
      owner.revive = true
      out.push(owner.k, f.name.slice(1), this.enc.encode(f.value, [...p, f.name]))
    }
    for (const e of cls) e.revive = true
    const self = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value
    const _k = this.fnIndex.get(self)
    for (let c = self; typeof c === 'function' && c !== Function.prototype; c = Object.getPrototypeOf(c)) {
      const kk = this.fnIndex.get(c)
      if (kk === undefined || !this.fns[kk].m) {
        if (!intrinsics().has(c))
          throw new CaptureError(`it has private fields and inherits from ${c.name}, which is imported`, p)
      } else this.fns[kk].revive = true
    }
    const rest = node[1]
    node.length = 0
    node.push('V', this.enc.encode(self, p), out)
    if (rest) {
      delete rest.q
      node.push(rest)
    }
  }
  // ---- a function value -> index into the function table
  fnEntry(f, path) {
    let k = this.fnIndex.get(f)
    if (k !== undefined) return k
    k = this.fns.length
    const entry = { f, k }
    this.fns.push(entry)
    this.fnIndex.set(f, k)
    this.log.push(() => {
      this.fns.pop()
      this.fnIndex.delete(f)
    })
    if (types.isProxy(f)) throw new CaptureError('it is a Proxy', path)
    const info = inspectFunction(f)
    if (info.bound) {
      entry.node = p => [
        'B',
        this.enc.encode(info.bound.target, [...p, '<bound target>']),
        this.enc.encode(info.bound.thisArg, [...p, '<bound this>']),
        info.bound.args.map((a, i) => this.enc.encode(a, [...p, `<bound arg ${i}>`])),
      ]
      return k
    }
    if (info.native) {
      const b = builtinOf(f)
      if (b) {
        entry.node = () => ['R', this.ref(this.builtinExpr(b))]
        return k
      }
      throw new CaptureError(`it is native code (${f.name || 'anonymous'})`, path)
    }
    const m = locate(f, info)
    if (m.script.url.startsWith('node:')) {
      const h = hostIntrinsic(f)
      if (h) {
        entry.node = () => ['R', this.ref(h)]
        return k
      }
      const b = builtinOf(f)
      if (b) {
        entry.node = () => ['R', this.ref(this.builtinExpr(b))]
        return k
      }
      throw new CaptureError(`it is internal to Node.js (${f.name || 'anonymous'} in ${m.script.url})`, path)
    }
    const by = this.byReference(f, m, info)
    if (by) {
      entry.node = () => {
        const i = this.ref(by)
        ;(this.refVals ??= {})[i] = f
        return ['R', i]
      }
      return k
    }
    if (m.script.inNodeModules && ++this.foreign > this.o.maxForeign)
      throw new CaptureError(
        `it pulls in more than ${this.o.maxForeign} functions from ${m.script.file}`,
        path,
      )
    if (!m.n) throw new CaptureError(`its source could not be located (${m.script.url || 'no file'})`, path)
    this.scripts.add(m.script)
    this.stack.push({ f, m })
    try {
      this.analyzeFn(entry, f, m, info, path)
    } finally {
      this.stack.pop()
    }
    return k
  }
  builtinExpr([mod, name, sub]) {
    const l = this.importLocal(
      { importer: null, spec: mod, imported: name ?? '*' },
      name ?? mod.replace(/\W/g, '_'),
    )
    return { imp: l, sub }
  }
  importLocal(i, hint) {
    const key = JSON.stringify([
      i.importer && !isBuiltin(i.spec) ? path.dirname(i.importer) : null,
      i.spec,
      i.imported,
      i.kind ?? 'import',
    ])
    let e = this.imports.get(key)
    if (!e) {
      e = { ...i, hint: hint.replace(/[^\w$]/g, '_') }
      this.imports.set(key, e)
      this.log.push(() => this.imports.delete(key))
    }
    return e
  }
  // exported from a module that is not the entry and not the root function's own module
  byReference(f, m, info) {
    const s = m.script
    if (!s.file) return null
    const rootScript = this.stack[0]?.m.script
    if (!rootScript) {
      if (this.o.mode !== 'reference') return null
    } else if (s === rootScript) return null
    if (s.params.isModule || /__vi(te_ssr)?_export/.test(s.source.slice(0, 400))) {
      for (const [local, exported] of s.an.exportsOf) {
        for (const sc of info.scopes)
          if (Object.hasOwn(sc, local) && peek(sc, local) === f)
            return { imp: this.importLocal({ importer: s.file, spec: s.file, imported: exported }, local) }
      }
    } else {
      const ex = req.cache?.[s.file]?.exports
      if (ex === f)
        return {
          imp: this.importLocal(
            { importer: s.file, spec: s.file, imported: '*', kind: 'require' },
            f.name || 'm',
          ),
        }
      if (ex && (typeof ex === 'object' || typeof ex === 'function'))
        for (const k of Object.keys(ex)) {
          const d = Object.getOwnPropertyDescriptor(ex, k)
          if (d && ('value' in d ? d.value === f : ex.__esModule && peek(ex, k) === f))
            return {
              imp: this.importLocal({ importer: s.file, spec: s.file, imported: '*', kind: 'require' }, 'm'),
              sub: k,
            }
        }
    }
    return null
  }
  analyzeFn(entry, f, m, info, path) {
    const { script, n, form } = m,
      an = script.an
    const edits = [],
      free = freeRefs(an, m.start, m.end)
    entry.m = m
    entry.edits = edits
    entry.deps = []
    const owner = n.owner,
      node = n.node
    for (const sp of freeSpecials(an, m.start, m.end)) {
      const at = () => placeOf(script, sp.start)
      if (form === 'class' && staticRange(node, sp)) continue
      const lexical = sp.owner && !(sp.owner.start >= m.start && sp.owner.end <= m.end) // provided from outside of f
      if (sp.type === 'this' && lexical && node.type === 'ArrowFunctionExpression') {
        ;(entry.thisRefs ??= []).push(sp)
      } else if (sp.type === 'super' && lexical && form !== 'method')
        throw new CaptureError(`it uses 'super' outside of its class (${at()})`, path)
      else if (sp.type === 'new.target' && lexical)
        throw new CaptureError(`it uses 'new.target' of an enclosing function (${at()})`, path)
      else if (sp.type === 'eval')
        throw new CaptureError(
          `it calls eval() directly, so its variables cannot be determined (${at()})`,
          path,
        )
      else if (sp.type === 'import.meta') {
        edits.push({
          start: sp.start,
          end: sp.end,
          text: () =>
            `({url:${JSON.stringify(script.url)},filename:${JSON.stringify(script.file)},dirname:${JSON.stringify(script.file && pathDir(script.file))}})`,
        })
      } else if (sp.type === 'import()') {
        const a = sp.node.source
        if (a.type === 'Literal' && typeof a.value === 'string') {
          edits.push({
            start: a.start,
            end: a.end,
            text: () => JSON.stringify(this.encSpec(script.file, a.value)),
          })
          entry.dynImport = true
          ;(this.dyn ??= []).push(a.value)
        }
      } else if (sp.type === 'vite-import()') {
        const c = sp.node.callee,
          a = sp.node.arguments[0]
        edits.push({ start: c.start, end: c.end, text: () => 'import' })
        if (a?.type === 'Literal') {
          const spec = viteSpec(a.value)
          edits.push({
            start: a.start,
            end: a.end,
            text: () => JSON.stringify(this.encSpec(script.file, spec)),
          })
          ;(this.dyn ??= []).push(spec)
        }
      } else if (sp.type === 'require()' && !sp.scope.lookup('require')) {
        const a = sp.node.arguments[0]
        edits.push({
          start: a.start,
          end: a.end,
          text: () => JSON.stringify(this.encSpec(script.file, a.value)),
        })
        ;(this.dyn ??= []).push(a.value)
      } else if (sp.type === 'with') {
        throw new CaptureError(`it uses a 'with' statement, which modules do not allow (${at()})`, path)
      } else if (
        sp.type === 'private' &&
        (form === 'method' || node.type === 'ArrowFunctionExpression' || form === 'fn') &&
        !insideOwnClass(an, sp, m)
      )
        (entry.homeless ??= []).push({ sp, at: at() })
    }
    if (entry.thisRefs) {
      let val = thisCache.get(f)
      if (!val) {
        val = { v: evalAtEntry(f, 'this', node.params.length) }
        thisCache.set(f, val)
      }
      val = val.v
      const v = this.variable(`this@${script.id}:${owner.start}:${this.thisId(val)}`, '$this', () => val, [
        ...path,
        'this',
      ])
      for (const t of entry.thisRefs) edits.push({ start: t.start, end: t.end, text: () => v.id })
      if (entry.homeless && node.type === 'ArrowFunctionExpression') this.giveHome(entry, val, script, path)
    }
    if (entry.homeless && entry.home === undefined) {
      const { sp, at } = entry.homeless[0]
      throw new CaptureError(
        `it uses the private name #${sp.name} of a class it was taken out of (${at})`,
        path,
      )
    }
    let skip = null
    const skips = []
    if (form === 'class') {
      skip = this.heritage(entry, f, m, path)
      for (const mem of node.body.body)
        if (mem.computed && mem.type === 'MethodDefinition') {
          const on = mem.static ? f : f.prototype
          for (const k of Reflect.ownKeys(on)) {
            const d = Object.getOwnPropertyDescriptor(on, k),
              g = mem.kind === 'get' ? d.get : mem.kind === 'set' ? d.set : d.value
            if (typeof g !== 'function' || intrinsics().has(g)) continue
            const gi = inspectFunction(g)
            if (gi.scriptId !== script.id) continue
            const o = script.offset(gi.line, gi.col)
            if (o < mem.start || o > mem.end) continue
            const ref = this.enc.encode(k)
            skips.push(mem.key)
            edits.push({
              start: mem.key.start,
              end: mem.key.end,
              text: () => (typeof k === 'string' ? JSON.stringify(k) : `$h.get(${ref})`),
            })
            break
          }
        }
    }
    const seen = new Map()
    for (const r of free) {
      if (skip && r.start >= skip.start && r.end <= skip.end) continue
      if (skips.some(k => r.start >= k.start && r.end <= k.end)) continue
      if (form === 'class' && staticRange(node, r)) continue
      let b = seen.get(r.name + '|' + (r.decl ? r.decl.scope.start + ':' + r.decl.scope.end : ''))
      if (!b) {
        b = this.bind(r, entry, f, m, info, path)
        seen.set(r.name + '|' + (r.decl ? r.decl.scope.start + ':' + r.decl.scope.end : ''), b)
      }
      if (b.keep) continue
      edits.push({
        start: r.start,
        end: r.end,
        text: () => {
          const id = b.id()
          return r.shorthand ? `${r.name}: ${id}` : id
        },
        same: () => b.id() === r.name,
      })
    }
    // class: parent by value when the heritage is not an import expression
  }
  /** An arrow that uses #private names is made inside its class on the worker. */
  giveHome(entry, self, script, path) {
    const classNode = enclosingClass(script.an, entry.homeless[0].sp)
    const owner = classNode && classMadeBy(self, script, classNode)
    if (!owner) return
    this.enc.encode(owner, [...path, `<class ${owner.name}>`])
    const home = this.fns[this.fnIndex.get(owner)]
    if (home?.m?.form !== 'class') return
    entry.home = home.k
    ;(home.hosts ??= []).push(entry)
  }
  thisId(v) {
    this._tids ??= new Map()
    if (!this._tids.has(v)) this._tids.set(v, this._tids.size)
    return this._tids.get(v)
  }
  variable(key, name, getValue, path, meta) {
    let v = this.vars.get(key)
    if (v) return v
    v = { key, name, id: name, meta }
    this.vars.set(key, v)
    this.log.push(() => this.vars.delete(key))
    v.ref = this.enc.encode(getValue(), path)
    return v
  }
  encSpec(importer, spec) {
    return isBuiltin(spec) ? spec : `lithops:${Buffer.from(importer ?? '').toString('base64url')}:${spec}`
  }
  // what does a free name refer to?
  bind(r, _entry, f, m, info, path, pure) {
    const { script } = m,
      name = r.name
    if (!r.decl) {
      if (name === 'require') return { keep: true }
      if (name === 'module' && script.file && req.cache?.[script.file]) {
        const v = this.variable(
          `${script.id}:module`,
          'module',
          () => ({ exports: req.cache[script.file].exports }),
          [...path, 'module'],
        )
        return { id: () => v.id }
      }
      if ((name === '__filename' || name === '__dirname') && script.file)
        return { id: () => JSON.stringify(name === '__filename' ? script.file : pathDir(script.file)) }
      // CommonJS `exports`, or a user-defined global
      for (const sc of info.scopes)
        if (sc !== globalThis && Object.hasOwn(sc, name) && !KNOWN_GLOBALS.has(name)) {
          const val = sc[name]
          if (isRealGlobal(sc)) break
          const v = this.variable(`${script.id}:${name}`, name, () => val, [...path, name])
          return { id: () => v.id }
        }
      if (!KNOWN_GLOBALS.has(name) && name in globalThis) {
        const v = this.variable(`global:${name}`, name, () => globalThis[name], [...path, name])
        return { id: () => v.id }
      }
      this.globals.add(name)
      return { keep: true }
    }
    const d = r.decl
    if (name === 'require' && isCreateRequire(d)) return { keep: true }
    if (d.kind === 'import') {
      const e = this.importLocal(
        { importer: script.file, spec: resolveSpec(d.source), imported: d.imported },
        name,
      )
      return { id: () => e.local }
    }
    const vi = viteImport(d) // const __vite_ssr_import_0__ = await __vite_ssr_import__("/x.ts")
    if (vi) {
      const e = this.importLocal({ importer: script.file, spec: viteSpec(vi), imported: '*' }, name)
      return { id: () => e.local }
    }
    if (isRequireInit(d)) {
      const s = this.slice(d, script, info, f, path)
      return { id: () => s.names.get(name) }
    }
    if (pure && isPureInit(d)) {
      const s = this.slice(d, script, info, f, path)
      return { id: () => s.names.get(name) }
    }
    // ordinary captured variable: first scope, innermost out, that has the name
    const sc = info.scopes.find(s => Object.hasOwn(s, name))
    if (!sc) {
      if (r.typeofOnly) return { keep: true }
      if (isPureInit(d)) {
        const s = this.slice(d, script, info, f, path)
        return { id: () => s.names.get(name) }
      } // never context-allocated by V8, e.g. bundler helpers
      throw new CaptureError(
        `variable '${name}' is not reachable from V8 (declared at ${fmt(script, d.node ?? d.scope.node)})`,
        path,
      )
    }
    if (peek(sc, name) === TDZ)
      throw new CaptureError(
        `variable '${name}' is not initialized yet at the time of the call (declared at ${fmt(script, d.node)})`,
        [...path, name],
      ) // V8 >= 12
    if (
      sc[name] === undefined &&
      (d.kind === 'const' || (d.kind === 'let' && d.init) || d.kind === 'class') &&
      m.n &&
      m.form === 'fn' &&
      isFn(m.n.node) &&
      !m.n.node.generator
    ) {
      let tdz = false
      try {
        tdz = evalAtEntry(
          f,
          `(() => { try { ${name}; return false } catch { return true } })()`,
          m.n.node.params.length,
        )
      } catch {}
      if (tdz)
        throw new CaptureError(
          `variable '${name}' is not initialized yet at the time of the call (declared at ${fmt(script, d.node)})`,
          [...path, name],
        )
    }
    const key = this.varKey(d, sc, script, f, m)
    const p = [...path, name]
    const existing = this.vars.get(key)
    if (existing) return { id: () => existing.id }
    if (this.canSlice(d) && foreignRoot(sc[name]) && this.recreatable(d, script, true)) {
      const s = this.slice(d, script, info, f, path)
      if (isMade(d.init)) s.because = 'it was made by a package'
      return { id: () => s.names.get(name) }
    }
    const mk = { n: this.log.length, e: this.enc.mark(), f: this.foreign }
    try {
      const v = this.variable(key, name, () => sc[name], p, { decl: d, script })
      return { id: () => v.id }
    } catch (e) {
      if (!(e instanceof CaptureError) || !this.canSlice(d) || !this.recreatable(d, script, false)) {
        throw this.decorate(e, d, script, name, sc[name])
      }
      this.undo(mk.n)
      this.enc.rollback(mk.e)
      this.foreign = mk.f
      try {
        const s = this.slice(d, script, info, f, path)
        s.because = e.message.replace(/ \(.*\)$/, '')
        return { id: () => s.names.get(name) }
      } catch (_e2) {
        throw this.decorate(e, d, script, name, sc[name])
      }
    }
  }
  decorate(e, d, script, name, _value) {
    if (e instanceof CaptureError && !e.where) {
      e.where = `variable '${name}' (declared at ${fmt(script, d.node ?? d.scope.node)})`
      e.varName = name
    }
    return e
  }
  // callee / member root of the initializer is an import, a builtin or a global constructor
  recreatable(d, script, pkgOnly) {
    if (!pkgOnly && (d.init.type === 'ObjectExpression' || d.init.type === 'ArrayExpression'))
      return literalOfParts(d.init)
    let x = d.init
    while (true) {
      if (x.type === 'NewExpression' || x.type === 'CallExpression') x = x.callee
      else if (x.type === 'MemberExpression') x = x.object
      else break
    }
    if (x.type !== 'Identifier') return false
    const r = script.an.refs.find(r => r.start === x.start)
    if (!r) return false
    if (!r.decl) return !pkgOnly
    const src =
      r.decl.kind === 'import' ? r.decl.source : (viteImport(r.decl) ?? (isRequireInit(r.decl) ? '?' : null))
    if (src === null) return false
    return pkgOnly
      ? src === '?' || /node_modules/.test(src) || (!/^([./]|file:)/.test(src) && !isBuiltin(src))
      : true
  }
  canSlice(d) {
    return d.init && !d.reassigned && !hasAwait(d.init) && d.node?.type === 'VariableDeclarator'
  }
  // re-evaluate the declaration on the worker instead of copying the value
  slice(d, script, info, f, path) {
    let s = this.slices.get(d.node)
    if (s) return s
    const decl = d.node
    const init = decl.type === 'FunctionDeclaration' ? decl : decl.init
    s = {
      decl,
      init,
      script,
      names: new Map(),
      edits: [],
      order: decl.type === 'FunctionDeclaration' ? -1 : decl.start,
      top: isRequireInit(d) || isPureInit(d),
    }
    for (const n of collectNames(decl.id)) s.names.set(n, n)
    this.slices.set(decl, s)
    this.log.push(() => this.slices.delete(decl))
    const _fake = { edits: s.edits }
    for (const sp of freeSpecials(script.an, init.start, init.end)) {
      if (sp.type === 'require()') {
        const a = sp.node.arguments[0]
        s.edits.push({
          start: a.start,
          end: a.end,
          text: () => JSON.stringify(this.encSpec(script.file, a.value)),
        })
        s.req = true
      } else if (sp.type === 'this' && isTsHelper(d))
        s.edits.push({ start: sp.start, end: sp.end, text: () => 'undefined' })
      else if (sp.type === 'this' && sp.owner.start <= init.start && !isFn(init))
        throw new CaptureError(`initializer uses this`, path)
    }
    for (const r of freeRefs(script.an, init.start, init.end)) {
      const b = this.bind(r, null, f, { script }, info, path, s.top)
      if (b.keep) continue
      s.edits.push({
        start: r.start,
        end: r.end,
        text: () => {
          const id = b.id()
          return r.shorthand ? `${r.name}: ${id}` : id
        },
        same: () => b.id() === r.name,
      })
    }
    return s
  }
  // identity of a variable: module level => (script,name); otherwise scope instance, see report
  varKey(d, sc, script, f, m) {
    if (d.scope.kind === 'module') return `${script.id}:${d.name}`
    let list = this.insts.get(d.scope)
    if (!list) this.insts.set(d.scope, (list = []))
    const names = new Map(Object.keys(sc).map(k => [k, peek(sc, k)]))
    const anyReassigned = [...d.scope.decls.values()].some(x => x.reassigned && names.has(x.name))
    for (const inst of list) {
      let same = true,
        proof = false
      for (const [k, v] of names) {
        if (!inst.names.has(k)) continue
        if (!Object.is(inst.names.get(k), v)) {
          same = false
          break
        }
        if (typeof v === 'function' || (typeof v === 'object' && v !== null)) {
          if (d.scope.decls.has(k) && freshPerCall(d.scope.decls.get(k))) proof = true
        }
      }
      if (!same) continue
      if (!proof && anyReassigned) {
        const other = inst.lits.get(m.n?.node)
        if (other && other !== f) continue
      }
      inst.lits.set(m.n?.node, f)
      return `${script.id}:${d.scope.start}#${inst.id}:${d.name}`
    }
    const inst = { id: list.length, names, lits: new Map([[m.n?.node, f]]) }
    list.push(inst)
    return `${script.id}:${d.scope.start}#${inst.id}:${d.name}`
  }
  // own properties of a function value that its source text does not create
  fnProps(f, entry, path) {
    if (!entry.m) return null
    const isC = entry.m.form === 'class'
    const props = [],
      attrs = []
    const expected = new Set(['length', 'name', 'prototype', 'arguments', 'caller'])
    for (const k of Reflect.ownKeys(f)) {
      if (expected.has(k)) continue
      const d = Object.getOwnPropertyDescriptor(f, k)
      if (isC && typeof d.value === 'function' && this.isMemberOf(d.value, entry)) continue
      if (isC && (d.get || d.set) && this.isMemberOf(d.get ?? d.set, entry)) continue
      props.push(this.enc.encode(k), 'value' in d ? this.enc.encode(d.value, [...path, k]) : -1)
      if (!('value' in d) || !(d.writable && d.enumerable && d.configurable))
        attrs.push([
          props.length - 2,
          (d.writable ? 1 : 0) | (d.enumerable ? 2 : 0) | (d.configurable ? 4 : 0),
          d.get ? this.enc.encode(d.get, path) : -1,
          d.set ? this.enc.encode(d.set, path) : -1,
          'value' in d ? 1 : 0,
        ])
    }
    // prototype members added from outside (ES5 classes, decorators, mixins)
    const P = f.prototype
    if (P && typeof P === 'object' && !types.isGeneratorFunction(f) && Object.hasOwn(f, 'prototype')) {
      const pp = [],
        pa = []
      for (const k of Reflect.ownKeys(P)) {
        if (k === 'constructor' && P[k] === f) continue
        const d = Object.getOwnPropertyDescriptor(P, k)
        const g = d.value ?? d.get ?? d.set
        if (isC && typeof g === 'function' && this.isMemberOf(g, entry)) continue
        pp.push(this.enc.encode(k), 'value' in d ? this.enc.encode(d.value, [...path, 'prototype', k]) : -1)
        if (!('value' in d) || !(d.writable && d.enumerable && d.configurable))
          pa.push([
            pp.length - 2,
            (d.writable ? 1 : 0) | (d.enumerable ? 2 : 0) | (d.configurable ? 4 : 0),
            d.get ? this.enc.encode(d.get, path) : -1,
            d.set ? this.enc.encode(d.set, path) : -1,
            'value' in d ? 1 : 0,
          ])
      }
      const pproto = Object.getPrototypeOf(P)
      let q
      if (!isC && pproto !== Object.prototype && pproto !== null)
        q = this.proto(pproto, [...path, 'prototype', '<prototype>'])
      if (pp.length || q !== undefined)
        entry.protoFill = {
          ...(pp.length && { p: pp }),
          ...(pa.length && { t: pa }),
          ...(q !== undefined && { q }),
        }
    }
    if (isC) {
      const sp = privateFields(f).filter(
        x =>
          x.has &&
          !x.accessor &&
          entry.m.n.node.body.body.some(
            m =>
              m.type === 'PropertyDefinition' &&
              m.static &&
              m.key.type === 'PrivateIdentifier' &&
              '#' + m.key.name === x.name,
          ),
      )
      if (sp.length)
        entry.sp = sp.flatMap(x => [x.name.slice(1), this.enc.encode(x.value, [...path, x.name])])
    }
    const fp = Object.getPrototypeOf(f)
    let q
    if (!isC && !intrinsics().has(fp)) q = this.proto(fp, [...path, '<prototype>'])
    return props.length || q !== undefined
      ? {
          ...(props.length && { p: props }),
          ...(attrs.length && { t: attrs }),
          ...(q !== undefined && { q }),
        }
      : null
  }
  isMemberOf(g, entry) {
    try {
      const i = inspectFunction(g)
      if (!i.scriptId || i.scriptId !== entry.m.script.id) return false
      const o = entry.m.script.offset(i.line, i.col)
      return o >= entry.m.start && o <= entry.m.end
    } catch {
      return false
    }
  }

  // ---- code generation
  emit() {
    // class heritage by value (only where not an import expression); may add nodes
    for (let k = 0; k < this.fns.length; k++) {
      const e = this.fns[k]
      if (e.m?.form !== 'class') continue
      this.classEdits(e)
    }
    const used = new Set(this.globals),
      _idents = new Set()
    for (const k of ['$f', '$h', '$r', '$n', '$v', '$p', 'undefined', 'require']) used.add(k)
    const texts = []
    for (const e of this.fns) if (e.m) texts.push(e.m.script.source.slice(e.m.start, e.m.end))
    for (const s of this.slices.values()) texts.push(s.script.source.slice(s.decl.start, s.decl.end))
    const all = texts.join('\n')
    const alloc = base => {
      if (!/^[A-Za-z_$]/.test(base) || RESERVED.has(base)) base = '_' + base
      let id = base,
        i = 1
      while (used.has(id) || (i > 1 && all.includes(id))) id = `${base}$${i++}`
      used.add(id)
      return id
    }
    for (const i of this.imports.values()) i.local = alloc(i.hint)
    for (const v of this.vars.values()) v.id = alloc(v.name)
    for (const s of this.slices.values()) for (const n of s.names.keys()) s.names.set(n, alloc(n))
    const apply = (src, start, end, edits) => {
      edits = edits
        .filter(e => !e.same?.() && e.start >= start && e.end <= end)
        .sort((a, b) => a.start - b.start || (a.late ? -1 : 0) - (b.late ? -1 : 0) || a.end - b.end)
      let out = '',
        pos = start
      for (const e of edits) {
        if (e.start < pos) continue
        out += src.slice(pos, e.start) + e.text()
        pos = e.end
      }
      return out + src.slice(pos, end)
    }
    let needsBundle = !!this.dyn?.some(s => !isBuiltin(s))
    const head = []
    const byReq = []
    for (const i of this.imports.values()) {
      const spec = JSON.stringify(this.encSpec(i.importer, i.spec))
      if (!isBuiltin(i.spec)) needsBundle = true
      if (i.kind === 'require') byReq.push(`const ${i.local} = require(${spec})`)
      else
        head.push(
          i.imported === '*'
            ? `import * as ${i.local} from ${spec}`
            : i.imported === 'default'
              ? `import ${i.local} from ${spec}`
              : `import { ${i.imported === i.local ? i.local : (/^[\w$]+$/.test(i.imported) ? i.imported : JSON.stringify(i.imported)) + ' as ' + i.local} } from ${spec}`,
        )
    }
    const sl = [...this.slices.values()].sort((a, b) => a.script.id - b.script.id || a.order - b.order)
    const sliceText = s =>
      s.decl.type === 'FunctionDeclaration'
        ? apply(s.script.source, s.init.start, s.init.end, [
            ...s.edits,
            { start: s.decl.id.start, end: s.decl.id.end, text: () => s.names.get(s.decl.id.name) },
          ])
        : `const ${patternText(s, apply)} = ${apply(s.script.source, s.init.start, s.init.end, s.edits)}`
    if (sl.some(s => s.req))
      needsBundle = needsBundle || sl.some(s => s.edits.some(e => e.text().includes('lithops:')))
    for (const e of this.fns) {
      if (!e.hosts) continue
      const at = e.m.n.node.body.start + 1
      const hosted = h => `$h.host(${h.k}, () => (${apply(h.m.script.source, h.m.start, h.m.end, h.edits)}))`
      e.edits.push({ start: at, end: at, text: () => ` static { ${e.hosts.map(hosted).join('; ')} } ` })
    }
    const body = this.fns.map(e => {
      if (!e.m) return `  null`
      const { script, n, form, start, end } = e.m,
        node = n.node
      let code
      if (form === 'method') {
        const par = n.parent
        const pre = (node.async ? 'async ' : '') + (node.generator ? '*' : '')
        const key = JSON.stringify(typeof e.f.name === 'string' ? e.f.name.replace(/^(get|set) /, '') : 'm')
        const rest = apply(script.source, node.start, node.end, e.edits)
        code =
          par.kind === 'get' || par.kind === 'set'
            ? `Object.getOwnPropertyDescriptor({ ${par.kind} [${key}]${rest} }, ${key}).${par.kind}`
            : par.kind === 'constructor'
              ? ''
              : `({ ${pre}[${key}]${rest} })[${key}]`
      } else {
        code = '(' + apply(script.source, start, end, e.edits) + ')'
        if (!node.id && e.f.name) code = `$n(${code}, ${JSON.stringify(e.f.name)})`
      }
      if (e.home !== undefined) code = `$n($h.hosted(${e.k}, ${e.home}), ${JSON.stringify(e.f.name)})`
      e.code = code
      return e.parent ? `  () => { const $p = ${e.parent()}; return ${code} }` : `  () => ${code}`
    })
    const vars = [...this.vars.values()]
    const refs = this.refs.map(x =>
      typeof x === 'string' ? x : x.imp.local + (x.sub ? `[${JSON.stringify(x.sub)}]` : ''),
    )
    const pf = this.fns.flatMap((e, k) => (e.protoFill ? [[k, e.protoFill]] : []))
    if (!needsBundle && (byReq.length || sl.some(s => s.req) || this.dyn?.length))
      head.unshift(`import { createRequire as $cr } from 'node:module'; const require = $cr(import.meta.url)`)
    const text =
      [
        ...head,
        ...byReq,
        `export default $h => {`,
        ...sl.filter(s => s.top).map(sliceText),
        vars.length ? `let ${vars.map(v => v.id).join(', ')};` : '',
        `const $n = $h.name, $f = $h.fns([`,
        body.join(',\n'),
        `]);`,
        `$h.refs([${refs.map(r => `() => ${r}`).join(', ')}]);`,
        `$h.vars([${vars.map(v => `$v => { ${v.id} = $v }`).join(', ')}]);`,
        ...sl.filter(s => !s.top).map(s => sliceText(s)),
        `return $h.done();`,
        `}`,
      ]
        .filter(Boolean)
        .join('\n') + '\n'
    if (this.o.sourcemap) this.mapFn = () => this.makeMap(text, apply)
    this.meta = {
      variables: vars.map(v => v.ref),
      prototypes: pf,
      staticPrivates: this.fns.flatMap((e, k) => (e.sp ? [[k, e.sp]] : [])),
      classes: this.fns.flatMap((e, k) => (isConstructor(e) ? [[k, classId(e.f)]] : [])),
      importedClasses: Object.entries(this.refVals ?? {}).flatMap(([i, f]) =>
        typeof f?.prototype === 'object' && f.prototype !== null ? [[Number(i), classId(f)]] : [],
      ),
    }
    return {
      text,
      needsBundle,
      imports: [...this.imports.values()].map(i => ({
        importer: i.importer,
        spec: i.spec,
        imported: i.imported,
        kind: i.kind ?? 'import',
      })),
    }
  }
  // map of the emitted module to the user's original files (lazy: only needed when a worker throws)
  makeMap(text) {
    const module = magicString()
    const MagicString = module.default ?? module
    const { Bundle } = module
    const remapping = remappingModule()
    const b = new Bundle({ separator: '' })
    let pos = 0
    for (const e of this.fns) {
      if (!e.m) continue
      const { script, n, form, start, end } = e.m
      const s0 = form === 'method' ? n.node.start : start
      const ms = new MagicString(script.source, { filename: script.file ?? script.url })
      let last = s0
      const ed = e.edits
        .filter(x => !x.same?.() && x.start >= s0 && x.end <= end)
        .sort((a, c) => a.start - c.start || (a.late ? -1 : 0) - (c.late ? -1 : 0) || a.end - c.end)
      for (const x of ed) {
        if (x.start < last) continue
        const t = x.text()
        if (x.end > x.start) ms.update(x.start, x.end, t || ' ')
        else ms.appendRight(x.start, t)
        last = x.end
      }
      const sn = ms.snip(s0, end),
        body = sn.toString()
      const at = text.indexOf(body, pos)
      if (at < 0) continue
      b.addSource({ content: new MagicString(text.slice(pos, at)) })
      b.addSource({ filename: script.file ?? script.url, content: sn })
      pos = at + body.length
    }
    b.addSource({ content: new MagicString(text.slice(pos)) })
    const map = b.generateMap({ hires: 'boundary', includeContent: false, file: 'f.mjs' })
    const byFile = new Map([...this.scripts].map(s => [s.file ?? s.url, s]))
    const out = remapping(map, (file, ctx) => {
      if (ctx.depth > 1) return null
      const s = [...byFile.values()].find(s => (s.file ?? s.url).endsWith(file.replace(/^(\.\.\/)+/, '')))
      const u = s?.params.sourceMapURL
      if (!u) return null
      const raw = u.startsWith('data:')
        ? Buffer.from(u.slice(u.indexOf(',') + 1), 'base64').toString()
        : fs.existsSync(path.resolve(path.dirname(s.file), u))
          ? fs.readFileSync(path.resolve(path.dirname(s.file), u), 'utf8')
          : null
      if (!raw) return null
      const m = JSON.parse(raw)
      return m
    })
    return out
  }
  heritage(e, f, m, path) {
    const t = m.n.node.superClass
    if (!t) return null
    let root = t
    while (root.type === 'MemberExpression' && !root.computed) root = root.object
    const r = root.type === 'Identifier' ? m.script.an.refs.find(x => x.start === root.start) : null
    if (r && (!r.decl || r.decl.kind === 'import' || viteImport(r.decl) || isRequireInit(r.decl))) return null
    const parent = Object.getPrototypeOf(f)
    const ref = this.enc.encode(parent, [...path, '<extends>'])
    e.parent = () => {
      const nd = this.enc.nodes[ref]
      return nd[0] === 'F' || nd[0] === null
        ? `$f(${nd[1]})`
        : nd[0] === 'R'
          ? `$h.ref(${nd[1]})`
          : `$h.get(${ref})`
    }
    e.edits.push({ start: t.start, end: t.end, text: () => '$p' })
    return t
  }
  classEdits(e) {
    const node = e.m.n.node,
      priv = []
    for (const mem of node.body.body) {
      const isPriv = mem.key?.type === 'PrivateIdentifier'
      // static fields/blocks: replaced by captured values of own properties
      if (mem.type === 'StaticBlock' || (mem.type === 'PropertyDefinition' && mem.static && !isPriv)) {
        e.edits = e.edits.filter(x => !(x.start >= mem.start && x.end <= mem.end))
        e.edits.push({ start: mem.start, end: mem.end, text: () => '' })
      } else if (mem.type === 'PropertyDefinition' && isPriv) {
        priv.push(mem.key.name)
        if (mem.static && mem.value) {
          e.edits = e.edits.filter(x => !(x.start >= mem.value.start && x.end <= mem.value.end))
          e.edits.push({ start: mem.value.start, end: mem.value.end, text: () => 'undefined' })
        }
      }
      if (e.revive && mem.type === 'PropertyDefinition' && !mem.static && mem.value) {
        e.edits.push({ start: mem.value.start, end: mem.value.start, text: () => '$h.rv ? undefined : (' })
        e.edits.push({ start: mem.value.end, end: mem.value.end, late: true, text: () => ')' })
      }
      if (e.revive && mem.type === 'MethodDefinition' && mem.kind === 'constructor')
        e.edits.push({
          start: mem.value.body.start + 1,
          end: mem.value.body.start + 1,
          text: () =>
            node.superClass ? ' if ($h.rv) { super(...arguments); return } ' : ' if ($h.rv) return; ',
        })
    }
    if (priv.length)
      e.edits.push({
        start: node.body.start + 1,
        end: node.body.start + 1,
        text: () =>
          ` static { $h.priv(${e.k}, (o, n, v) => { switch (n) { ${priv.map(n => `case ${JSON.stringify(n)}: o.#${n} = v; break;`).join(' ')} } }) } `,
      })
  }
}
/** The initializer makes something, and does not only name what is there. */
function isMade(init) {
  return init.type !== 'Identifier' && init.type !== 'MemberExpression'
}
/** Constructors of built-in objects whose state only the engine sees. */
const OPAQUE = new Set(
  'AbortController AbortSignal TextEncoder TextDecoder Headers Request Response FormData ReadableStream WritableStream TransformStream MessagePort BroadcastChannel WebSocket Event EventTarget FinalizationRegistry'.split(
    ' ',
  ),
)
function isOpaque(_v, c) {
  if (typeof c !== 'function' || typeof c.name !== 'string') return false
  if (OPAQUE.has(c.name)) return hostIntrinsic(c) !== undefined || isNodeOwn(c)
  return typeof Intl[c.name] === 'function' && Intl[c.name] === c
}
/** The class node around a place that declares a private name. */
function enclosingClass(an, sp) {
  let found
  for (const { node } of an.nodes) {
    if (!isClass(node) || node.start > sp.start || node.end < sp.end) continue
    if (!node.body.body.some(b => b.key?.type === 'PrivateIdentifier' && b.key.name === sp.name)) continue
    if (!found || node.start > found.start) found = node
  }
  return found
}
/** The class of a value's prototype chain (or the value itself) that a class node of a script made. */
function classMadeBy(value, script, classNode) {
  const isIt = c => {
    if (typeof c !== 'function') return false
    const info = inspectFunction(c)
    if (info.scriptId !== script.id) return false
    return locate(c, info).n?.node === classNode
  }
  if (isIt(value)) return value
  for (let p = Object(value); p; p = Object.getPrototypeOf(p)) {
    const c = Object.getOwnPropertyDescriptor(p, 'constructor')?.value
    if (isIt(c)) return c
  }
  return undefined
}
/** const require = createRequire(import.meta.url): the bundle has a `require` of its own. */
function isCreateRequire(d) {
  const callee = d.init?.type === 'CallExpression' ? d.init.callee : undefined
  return callee?.name === 'createRequire' || callee?.property?.name === 'createRequire'
}
const classIds = new WeakMap()
/** The same for a class wherever it is captured: by its name and source. */
function classId(f) {
  let id = classIds.get(f)
  if (id === undefined) {
    id = createHash('sha256')
      .update(`${f.name}\n${Function.prototype.toString.call(f)}`)
      .digest('hex')
      .slice(0, 16)
    classIds.set(f, id)
  }
  return id
}
function isConstructor(e) {
  return e.m !== undefined && (e.m.form === 'class' || e.protoFill !== undefined)
}
function staticRange(node, r) {
  for (const mem of node.body.body) {
    if (mem.type === 'StaticBlock' && r.start >= mem.start && r.end <= mem.end) return true
    if (
      mem.type === 'PropertyDefinition' &&
      mem.static &&
      mem.value &&
      r.start >= mem.value.start &&
      r.end <= mem.value.end
    )
      return true
  }
  return false
}
function isNodeOwn(f) {
  try {
    const i = inspectFunction(f)
    return !!i.native || (!!i.scriptId && getScript(i.scriptId).url.startsWith('node:'))
  } catch {
    return false
  }
}
function literalOfParts(n) {
  // { a, b: c.d, e: 1 } / [a, b]: composition only, no calls
  if (!n) return true
  switch (n.type) {
    case 'Literal':
    case 'Identifier':
      return true
    case 'MemberExpression':
      return !n.computed && literalOfParts(n.object)
    case 'ArrayExpression':
      return n.elements.every(literalOfParts)
    case 'ObjectExpression':
      return n.properties.every(
        p =>
          p.type === 'Property' && !p.computed && !p.method && p.kind === 'init' && literalOfParts(p.value),
      )
    default:
      return false
  }
}
function foreignRoot(v) {
  let f = v
  if (typeof v === 'object' && v !== null) {
    const p = Object.getPrototypeOf(v)
    if (!p || p === Object.prototype || intrinsics().has(p)) return false
    f = p.constructor
  }
  if (typeof f !== 'function' || intrinsics().has(f)) return false
  try {
    const i = inspectFunction(f)
    return !!i.scriptId && getScript(i.scriptId).inNodeModules
  } catch {
    return false
  }
}
const TDZ = Symbol('tdz')
function peek(sc, k) {
  try {
    return sc[k]
  } catch {
    return TDZ
  }
}
const RESERVED = new Set(
  'break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return super switch this throw true try typeof var void while with yield let static implements interface package private protected public await async arguments eval'.split(
    ' ',
  ),
)
const pathDir = f => path.dirname(f)
function isRealGlobal(sc) {
  return sc === globalThis || (Object.hasOwn(sc, 'globalThis') && Object.hasOwn(sc, 'Array'))
}
function fmt(script, node) {
  return placeOf(script, node.start ?? 0)
}
/** 'file:line:column' of an offset, in the user's own source where the script has a source map. */
function placeOf(script, offset) {
  const { line, col } = script.loc(offset)
  const original = originalPlace(script, line, col)
  return original ?? `${script.file ?? script.url}:${line}:${col}`
}
function originalPlace(script, line, col) {
  try {
    const raw = rawSourceMap(script)
    if (!raw) return undefined
    const { TraceMap, originalPositionFor } = traceMapping()
    const found = originalPositionFor(new TraceMap(raw, script.file ?? undefined), { line, column: col - 1 })
    if (found.source === null) return undefined
    const file = found.source.startsWith('file:') ? fileURLToPath(found.source) : found.source
    return `${path.isAbsolute(file) ? file : script.file}:${found.line}:${found.column + 1}`
  } catch {
    return undefined
  }
}
function rawSourceMap(script) {
  const url = script.params.sourceMapURL
  if (!url) return undefined
  if (url.startsWith('data:')) return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64').toString()
  const file = path.resolve(path.dirname(script.file), url)
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined
}
function hasAwait(n) {
  let f = false
  ;(function w(x) {
    if (!x || f || typeof x !== 'object') return
    if (Array.isArray(x)) return x.forEach(w)
    if (x.type === 'AwaitExpression' || x.type === 'YieldExpression') {
      f = true
      return
    }
    if (isFn(x)) return
    for (const k in x) if (k !== 'type') w(x[k])
  })(n)
  return f
}
function freshPerCall(d) {
  return (
    d.kind === 'function' ||
    d.kind === 'class' ||
    (d.init &&
      (isFn(d.init) ||
        isClass(d.init) ||
        d.init.type === 'ObjectExpression' ||
        d.init.type === 'ArrayExpression' ||
        d.init.type === 'NewExpression'))
  )
}
function viteImport(d) {
  const i = d.init
  if (!i || d.kind !== 'const' || i.type !== 'AwaitExpression') return null
  const c = i.argument
  return c.type === 'CallExpression' &&
    c.callee.type === 'Identifier' &&
    /^__(vite_ssr|vi)_import__$/.test(c.callee.name) &&
    c.arguments[0]?.type === 'Literal'
    ? c.arguments[0].value
    : null
}
function viteSpec(id) {
  if (isBuiltin(id)) return id
  if (id.startsWith('/@fs/')) return id.slice(4).replace(/[?].*$/, '')
  const root = globalThis.__vitest_worker__?.config?.root ?? process.cwd()
  if (
    (id.startsWith('/') && !fs.existsSync(id)) ||
    (id.startsWith('/') && fs.existsSync(path.join(root, id)))
  )
    return path.join(root, id).replace(/[?].*$/, '')
  if (id.startsWith('file:')) return fileURLToPath(id)
  return id
}
function resolveSpec(s) {
  return s.startsWith('file:') ? fileURLToPath(s) : s
}
function isRequireInit(d) {
  if (!d.init || !(d.kind === 'const' || d.kind === 'var' || d.kind === 'let') || d.reassigned) return false
  return isReqExpr(d.init)
}
const PURE_ROOT = new Set([
  'Object',
  'Array',
  'Reflect',
  'Symbol',
  'Function',
  'Math',
  'JSON',
  'Number',
  'String',
])
function isPureInit(d) {
  if (d.kind === 'function') return d.node.type === 'FunctionDeclaration' && !!d.node.id
  if (d.reassigned) return false
  if (!d.init || d.destructured) return false
  const i = d.init
  if (i.type === 'ArrowFunctionExpression' || i.type === 'FunctionExpression') return true
  let r = i
  while (r.type === 'MemberExpression' && !r.computed) r = r.object
  if (r !== i && r.type === 'Identifier' && PURE_ROOT.has(r.name)) return true
  // TypeScript helpers: var __x = (this && this.__x) || function ...
  return (
    (i.type === 'LogicalExpression' && i.right.type === 'FunctionExpression' && /^__/.test(d.name)) ||
    isTsHelper(d)
  )
}
function isTsHelper(d) {
  return (
    /^__(importStar|importDefault|createBinding|setModuleDefault|awaiter|generator|rest|spread|spreadArray|assign|decorate|metadata|param|values|read|asyncValues|await|asyncGenerator|classPrivateFieldGet|classPrivateFieldSet|classPrivateFieldIn|extends|makeTemplateObject|exportStar|esDecorate|runInitializers)$/.test(
      d.name,
    ) && !!d.init
  )
}
function isReqExpr(i) {
  if (
    i.type === 'CallExpression' &&
    i.callee.type === 'Identifier' &&
    i.callee.name === 'require' &&
    i.arguments[0]?.type === 'Literal'
  )
    return true
  if (
    i.type === 'CallExpression' &&
    i.callee.type === 'Identifier' &&
    /^(__toESM|__importStar|__importDefault|_interop\w+|_interopRequire\w*)$/.test(i.callee.name)
  )
    return i.arguments[0] && isReqExpr(i.arguments[0])
  if (i.type === 'MemberExpression' && !i.computed) return isReqExpr(i.object)
  if (
    i.type === 'CallExpression' &&
    i.callee.type === 'MemberExpression' &&
    i.callee.object.name === 'tslib_1'
  )
    return i.arguments[0] && isReqExpr(i.arguments[0])
  return false
}
function patternText(s, apply) {
  const id = s.decl.id,
    src = s.script.source
  const edits = []
  ;(function w(p) {
    if (!p) return
    if (p.type === 'Identifier') edits.push({ start: p.start, end: p.end, text: () => s.names.get(p.name) })
    else if (p.type === 'ObjectPattern')
      for (const q of p.properties) {
        if (q.type === 'RestElement') w(q.argument)
        else if (q.shorthand && q.value.type === 'Identifier')
          edits.push({
            start: q.start,
            end: q.end,
            text: () => `${q.value.name}: ${s.names.get(q.value.name)}`,
          })
        else w(q.value)
      }
    else if (p.type === 'ArrayPattern') p.elements.forEach(w)
    else if (p.type === 'AssignmentPattern') w(p.left)
    else if (p.type === 'RestElement') w(p.argument)
  })(id)
  return apply(src, id.start, id.end, edits)
}
function insideOwnClass(an, sp, m) {
  // is the class that declares #name within [m.start,m.end)?
  for (const n of an.nodes)
    if (
      isClass(n.node) &&
      n.node.start >= m.start &&
      n.node.end <= m.end &&
      n.node.start <= sp.start &&
      sp.end <= n.node.end &&
      n.node.body.body.some(b => b.key?.type === 'PrivateIdentifier' && b.key.name === sp.name)
    )
      return true
  return false
}

export function explain(e, rootName, _loc) {
  const p = (e.path ?? [])
    .map((x, i) =>
      typeof x === 'symbol'
        ? `[${String(x)}]`
        : typeof x === 'number'
          ? `[${x}]`
          : /^[<.]/.test(x)
            ? x.startsWith('.')
              ? x
              : ' → ' + x
            : i
              ? '.' + x
              : x,
    )
    .join('')
  return `Cannot send function '${rootName}' to a worker: ${p || rootName} cannot be copied because ${e.message}${e.where ? `.\n  ${e.where}` : ''}`
}
