import { decode } from './interim-codec.mjs'

const named = (f, name) => {
  try {
    Object.defineProperty(f, 'name', { value: name, configurable: true })
  } catch {}
  return f
}
// factory: default export of the shipped module; env: {n,b,meta}; root: ref
export function instantiate(factory, env, root) {
  let thunks,
    made,
    refThunks = [],
    varSet = [],
    dec
  const $f = k => {
    if (made[k] === undefined) {
      made[k] = thunks[k]()
    }
    return made[k]
  }
  const setters = []
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
  const hooks = {
    construct(C) {
      h.rv = true
      try {
        const o = Reflect.construct(C, Array(16).fill(deep))
        for (const k of Reflect.ownKeys(o)) delete o[k]
        return o
      } finally {
        h.rv = false
      }
    },
    setPrivate(k, o, n, v) {
      setters[k](o, n, v)
    },
  }
  const h = {
    rv: false,
    priv(k, set) {
      setters[k] = set
    },
    get: i => dec.get(i),
    name: named,
    fns(t) {
      thunks = t
      made = new Array(t.length)
      return $f
    },
    refs(t) {
      refThunks = t
    },
    ref: i => refThunks[i](),
    vars(s) {
      varSet = s
      dec = decode(env, -1, $f, i => refThunks[i](), hooks)
      // functions first need no variables, so plain order works; cycles resolved by memo
      for (let i = 0; i < s.length; i++) s[i](dec.get(env.meta.vars[i]))
      for (const [k, x] of env.meta.pf) {
        const P = $f(k).prototype
        if (x.q !== undefined) Object.setPrototypeOf(P, dec.get(x.q))
        const at = new Map((x.t ?? []).map(t => [t[0], t]))
        for (let j = 0; x.p && j < x.p.length; j += 2) {
          const t = at.get(j),
            key = dec.get(x.p[j])
          Object.defineProperty(
            P,
            key,
            t
              ? t[4]
                ? {
                    value: dec.get(x.p[j + 1]),
                    writable: !!(t[1] & 1),
                    enumerable: !!(t[1] & 2),
                    configurable: !!(t[1] & 4),
                  }
                : {
                    get: dec.get(t[2]),
                    set: dec.get(t[3]),
                    enumerable: !!(t[1] & 2),
                    configurable: !!(t[1] & 4),
                  }
              : { value: dec.get(x.p[j + 1]), writable: true, enumerable: true, configurable: true },
          )
        }
      }
    },
    done() {
      for (const [k, sp] of env.meta.sp ?? []) {
        const C = $f(k)
        for (let j = 0; j < sp.length; j += 2) setters[k](C, sp[j], dec.get(sp[j + 1]))
      }
      const r = dec.get(root)
      dec.finish()
      return r
    },
  }
  const fn = factory(h)
  // prototype -> node, so that results and errors keep the caller's own classes
  const types = new Map()
  for (let k = 0; k < made.length; k++)
    if (typeof made[k] === 'function' && made[k].prototype) types.set(made[k].prototype, ['C', k])
  refThunks.forEach((t, i) => {
    try {
      const v = t()
      if (typeof v === 'function' && v.prototype && !types.has(v.prototype)) types.set(v.prototype, ['K', i])
    } catch {}
  })
  if (typeof fn === 'function') instantiate.types.set(fn, types)
  return fn
}

instantiate.types = new WeakMap()
