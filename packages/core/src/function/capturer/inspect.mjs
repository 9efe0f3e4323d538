// Synchronous V8 inspector access (same-thread session => post() completes before it returns).
import inspector from 'node:inspector'
import vm from 'node:vm'

/** Captures whose handles the inspector may hold at once. */
const HELD_CAPTURES = 128

let S // singleton
export const stats = { posts: 0 }
export function session() {
  if (S) return S
  const s = new inspector.Session()
  s.connect()
  const scripts = new Map()
  const post = (method, params) => {
    let res,
      err,
      done = false
    stats.posts++
    s.post(method, params, (e, r) => {
      err = e
      res = r
      done = true
    })
    if (!done) throw new Error(`inspector: ${method} did not complete synchronously`)
    if (err) throw new Error(`inspector: ${method} failed: ${err.message ?? JSON.stringify(err)}`)
    return res
  }
  // private vm context whose global object is `box`: hands values in and out without touching the user's globals
  const box = { v: undefined, out: undefined }
  let ctxId
  const onCtx = m => {
    if (m.params.context.name === 'lithops-closure') ctxId = m.params.context.id
  }
  s.on('Runtime.executionContextCreated', onCtx)
  post('Runtime.enable')
  vm.createContext(box, { name: 'lithops-closure' })
  post('Runtime.disable')
  s.off('Runtime.executionContextCreated', onCtx)
  if (ctxId === undefined) throw new Error('inspector: no execution context id')
  const onScript = m => {
    scripts.set(m.params.scriptId, m.params)
  }
  s.on('Debugger.scriptParsed', onScript)
  const G = 'lithops'
  const idOf = v => {
    box.v = v
    try {
      return post('Runtime.evaluate', { contextId: ctxId, expression: 'v', objectGroup: G, silent: true })
        .result
    } finally {
      box.v = undefined
    }
  }
  const _STASH = 'function(){ out = this }'
  const stashFn = post('Runtime.evaluate', {
    contextId: ctxId,
    expression: '(function(x){ out = x })',
    objectGroup: 'lithops-keep',
  }).result.objectId
  // real value behind a RemoteObject id
  const deref = objectId => {
    post('Runtime.callFunctionOn', {
      objectId: stashFn,
      functionDeclaration: 'function(x){ this(x) }',
      arguments: [{ objectId }],
      silent: true,
    })
    const v = box.out
    box.out = undefined
    return v
  }
  let dbg = false
  const enable = () => {
    if (!dbg) {
      post('Debugger.enable')
      dbg = true
    }
  }
  const disable = () => {
    if (dbg) {
      post('Debugger.disable')
      dbg = false
    }
  }
  let pending = null
  let held = 0
  // Handles are released in batches: each release is a trip to the inspector, and captures come in loops.
  const release = () => {
    held = 0
    post('Runtime.releaseObjectGroup', { objectGroup: G })
  }
  const idle = () => {
    if (++held >= HELD_CAPTURES) release()
    pending ??= setImmediate(() => {
      pending = null
      release()
      disable()
    })
  }
  S = {
    idle,
    s,
    post,
    box,
    idOf,
    deref,
    scripts,
    enable,
    disable,
    evalCtx: { contextId: ctxId },
    sourceOf(scriptId) {
      enable()
      return post('Debugger.getScriptSource', { scriptId }).scriptSource
    },
    script(scriptId) {
      if (!scripts.has(scriptId)) {
        disable()
        enable()
      }
      return scripts.get(scriptId)
    },
  }
  return S
}

// {scriptId,line,col,scopes:[{type?,object}]} | {bound:{target,thisArg,args}} | {native:true}
/** What was found during the capture that is under way: a function is looked at once. */
const inspected = new Map()
export function forgetInspected() {
  inspected.clear()
}

export function inspectFunction(fn) {
  let found = inspected.get(fn)
  if (found === undefined) {
    found = inspectAnew(fn)
    inspected.set(fn, found)
  }
  return found
}

function inspectAnew(fn) {
  const S = session()
  const ro = S.idOf(fn)
  const { internalProperties = [] } = S.post('Runtime.getProperties', {
    objectId: ro.objectId,
    ownProperties: true,
  })
  const get = n => internalProperties.find(p => p.name === n)?.value
  const tgt = get('[[TargetFunction]]')
  if (tgt) {
    const bt = get('[[BoundThis]]'),
      ba = get('[[BoundArgs]]')
    return {
      bound: { target: S.deref(tgt.objectId), thisArg: val(bt), args: Array.from(S.deref(ba.objectId)) },
    }
  }
  const loc = get('[[FunctionLocation]]')?.value
  const sc = get('[[Scopes]]')
  if (!loc || !sc) return { native: true }
  const arr = S.deref(sc.objectId)
  const scopes = []
  for (let i = 0; i in arr; i++) {
    const o = arr[i].object
    if (o) scopes.push(o)
  }
  return { scriptId: loc.scriptId, line: loc.lineNumber, col: loc.columnNumber, scopes }
  function val(r) {
    return r.objectId
      ? S.deref(r.objectId)
      : r.type === 'undefined'
        ? undefined
        : r.unserializableValue
          ? evalPrim(r)
          : r.value
  }
}
function evalPrim(r) {
  return r.type === 'bigint' ? BigInt(r.unserializableValue.slice(0, -1)) : Number(r.unserializableValue)
}

export function privateFields(obj) {
  const S = session()
  const ro = S.idOf(obj)
  const { privateProperties = [] } = S.post('Runtime.getProperties', {
    objectId: ro.objectId,
    ownProperties: true,
  })
  return privateProperties.map(p => ({
    name: p.name,
    has: !!p.value,
    get value() {
      const r = p.value
      return r.objectId
        ? S.deref(r.objectId)
        : r.type === 'undefined'
          ? undefined
          : r.unserializableValue
            ? evalPrim(r)
            : r.value
    },
    accessor: !!(p.get || p.set),
  }))
}

// Evaluate `expr` in the frame of `fn` paused at its first instruction; its body is never run.
// `nParams` deep proxies are passed so that parameter defaults and destructuring do not run user code.
export function evalAtEntry(fn, expr, nParams) {
  const S = session()
  S.enable()
  const ro = S.idOf(fn)
  let out,
    got = false,
    bp,
    problem
  const onPaused = m => {
    const f = m.params.callFrames[0]
    try {
      const r = S.post('Debugger.evaluateOnCallFrame', {
        callFrameId: f.callFrameId,
        expression: `__lithops_stash__(${expr})`,
        objectGroup: 'lithops',
        silent: true,
      })
      if (r.exceptionDetails) problem = r.exceptionDetails.exception?.description ?? r.exceptionDetails.text
      else got = true
    } catch (e) {
      problem = e.message
    }
    // must come last: unwinds out of fn before its body runs; cancelled by the Runtime.evaluate scope below
    S.s.post('Runtime.terminateExecution', () => {})
  }
  const deep = new Proxy(() => {}, {
    get: (_, k) =>
      k === Symbol.iterator
        ? function* () {
            for (;;) yield deep
          }
        : k === Symbol.toPrimitive
          ? () => 0
          : deep,
    has: () => true,
    ownKeys: () => ['prototype'],
  })
  S.s.on('Debugger.paused', onPaused)
  const realm = realmOf(fn)
  Object.defineProperty(realm, '__lithops_stash__', {
    value: v => {
      out = v
    },
    configurable: true,
  })
  try {
    bp = S.post('Debugger.setBreakpointOnFunctionCall', { objectId: ro.objectId })
    const call = () => fn(...Array(nParams).fill(deep))
    S.box.v = call
    S.s.post(
      'Runtime.evaluate',
      { expression: 'v(); 0', objectGroup: 'lithops', silent: true, ...S.evalCtx },
      () => {},
    )
  } finally {
    S.box.v = undefined
    delete realm.__lithops_stash__
    S.s.off('Debugger.paused', onPaused)
    if (bp) S.post('Debugger.removeBreakpoint', { breakpointId: bp.breakpointId })
  }
  if (!got) throw new Error('could not stop at function entry' + (problem ? ': ' + problem : ''))
  return out
}

function realmOf(fn) {
  let p = fn,
    q
  while ((q = Object.getPrototypeOf(p))) p = q
  try {
    return p.constructor.constructor('return globalThis')()
  } catch {
    return globalThis
  }
}

export function weakEntries(w) {
  const S = session(),
    ro = S.idOf(w)
  const { internalProperties = [] } = S.post('Runtime.getProperties', {
    objectId: ro.objectId,
    ownProperties: true,
  })
  const e = internalProperties.find(p => p.name === '[[Entries]]')?.value
  if (!e) return []
  const a = S.deref(e.objectId),
    out = []
  for (let i = 0; i in a; i++) out.push('key' in a[i] ? [a[i].key, a[i].value] : [a[i].value, true])
  return out
}
