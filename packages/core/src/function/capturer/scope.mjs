// Whole-file scope analysis over an acorn AST. One pass to declare, one to resolve.
import { acorn } from '../lazy-modules.ts'

const parse = (...a) => acorn().parse(...a)

const FN = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
export const isFn = n => FN.has(n.type)
export const isClass = n => n.type === 'ClassDeclaration' || n.type === 'ClassExpression'

class Scope {
  constructor(node, kind, parent) {
    this.node = node
    this.kind = kind
    this.parent = parent
    this.start = node.start
    this.end = node.end
    this.decls = new Map()
  }
  declare(name, info) {
    const prev = this.decls.get(name)
    if (prev) {
      prev.dup = true
      if (info.init && !prev.init) prev.init = info.init
      if (info.kind === 'function') Object.assign(prev, info)
      return prev
    }
    this.decls.set(name, { name, reassigned: false, scope: this, ...info })
    return this.decls.get(name)
  }
  lookup(name) {
    for (let s = this; s; s = s.parent) {
      const d = s.decls.get(name)
      if (d) return d
    }
    return null
  }
}

export function analyze(source, { isModule }) {
  const opts = {
    ecmaVersion: 'latest',
    allowReturnOutsideFunction: true,
    allowAwaitOutsideFunction: true,
    allowHashBang: true,
    allowSuperOutsideMethod: true,
    allowImportExportEverywhere: false,
    checkPrivateFields: false,
  }
  let ast
  try {
    ast = parse(source, { ...opts, sourceType: isModule ? 'module' : 'script' })
  } catch (_e) {
    ast = parse(source, { ...opts, sourceType: isModule ? 'script' : 'module' })
  }
  const root = new Scope(ast, 'module', null)
  const refs = [] // {name,start,end,write,shorthand,typeofOnly,scope}
  const specials = [] // {type:'this'|'super'|'new.target'|'arguments'|'eval'|'import.meta'|'import()'|'private', start,end, owner}
  const nodes = [] // function & class nodes, with context
  const exportsOf = new Map() // localName -> exported name
  const _reexports = []
  ast._refs = refs

  const hoist = s => {
    while (s.kind !== 'function' && s.kind !== 'module' && s.kind !== 'static') s = s.parent
    return s
  }
  function declPattern(p, scope, info) {
    if (!p) return
    switch (p.type) {
      case 'Identifier':
        scope.declare(p.name, { ...info, id: p })
        break
      case 'ObjectPattern':
        for (const q of p.properties)
          declPattern(q.type === 'RestElement' ? q.argument : q.value, scope, { ...info, destructured: true })
        break
      case 'ArrayPattern':
        for (const q of p.elements)
          declPattern(q && q.type === 'RestElement' ? q.argument : q, scope, { ...info, destructured: true })
        break
      case 'AssignmentPattern':
        declPattern(p.left, scope, info)
        break
      case 'RestElement':
        declPattern(p.argument, scope, info)
        break
    }
  }
  // owner: node that provides `this` (non-arrow function, class field/static block, program)
  function visit(n, scope, owner, parent, ctx) {
    if (!n) return
    switch (n.type) {
      case 'Program': {
        predeclare(n.body, scope)
        for (const c of n.body) visit(c, scope, n, n)
        return
      }
      case 'ImportDeclaration':
        for (const sp of n.specifiers) {
          const imported =
            sp.type === 'ImportDefaultSpecifier'
              ? 'default'
              : sp.type === 'ImportNamespaceSpecifier'
                ? '*'
                : (sp.imported.name ?? sp.imported.value)
          scope.declare(sp.local.name, {
            kind: 'import',
            source: n.source.value,
            imported,
            node: sp,
            attributes: n.attributes,
          })
        }
        return
      case 'ExportNamedDeclaration':
        if (n.declaration) {
          visit(n.declaration, scope, owner, n)
          return
        }
        if (!n.source)
          for (const sp of n.specifiers) {
            exportsOf.set(sp.local.name, sp.exported.name ?? sp.exported.value)
            refs.push({
              name: sp.local.name,
              start: sp.local.start,
              end: sp.local.end,
              scope,
              exportRef: true,
            })
          }
        return
      case 'ExportAllDeclaration':
        return
      case 'ExportDefaultDeclaration':
        visit(n.declaration, scope, owner, n)
        return
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression': {
        let outer = scope
        if (n.type === 'FunctionExpression' && n.id) {
          outer = new Scope(n, 'fnname', scope)
          outer.declare(n.id.name, { kind: 'fnname', node: n })
        }
        const fs = new Scope(n, 'function', outer)
        const arrow = n.type === 'ArrowFunctionExpression'
        nodes.push({ node: n, parent, scope: outer, bodyScope: fs, owner })
        const own = arrow ? owner : n
        if (!arrow) fs.declare('arguments', { kind: 'arguments' })
        for (const p of n.params) declPattern(p, fs, { kind: 'param', node: n })
        for (const p of n.params) visitPattern(p, fs, own)
        if (n.body.type === 'BlockStatement') {
          predeclare(n.body.body, fs, true)
          for (const c of n.body.body) visit(c, fs, own, n.body)
        } else visit(n.body, fs, own, n)
        return
      }
      case 'ClassDeclaration':
      case 'ClassExpression': {
        const cs = new Scope(n, 'class', scope)
        if (n.id) cs.declare(n.id.name, { kind: 'classname', node: n })
        nodes.push({ node: n, parent, scope, bodyScope: cs, owner })
        if (n.superClass) visit(n.superClass, cs, owner, n)
        for (const m of n.body.body) {
          if (m.type === 'StaticBlock') {
            const bs = new Scope(m, 'static', cs)
            predeclare(m.body, bs, true)
            for (const c of m.body) visit(c, bs, m, m)
            continue
          }
          if (m.computed) visit(m.key, cs, owner, m)
          if (m.value) visit(m.value, cs, m.type === 'PropertyDefinition' ? m : owner, m)
        }
        return
      }
      case 'BlockStatement': {
        const bs = new Scope(n, 'block', scope)
        predeclare(n.body, bs)
        for (const c of n.body) visit(c, bs, owner, n)
        return
      }
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement': {
        const bs = new Scope(n, 'block', scope)
        const d = n.init ?? n.left
        if (d && d.type === 'VariableDeclaration') {
          declareVar(d, bs)
          visit(d, bs, owner, n)
        } else if (d) {
          if (n.left) visitTarget(d, bs, owner)
          else visit(d, bs, owner, n)
        }
        if (n.type !== 'ForStatement' && d?.type === 'VariableDeclaration')
          for (const dd of d.declarations) markLoop(dd.id, bs)
        visit(n.test, bs, owner, n)
        visit(n.update, bs, owner, n)
        visit(n.right, bs, owner, n)
        visit(n.body, bs, owner, n)
        return
      }
      case 'SwitchStatement': {
        visit(n.discriminant, scope, owner, n)
        const bs = new Scope(n, 'block', scope)
        predeclare(
          n.cases.flatMap(c => c.consequent),
          bs,
        )
        for (const c of n.cases) {
          visit(c.test, bs, owner, c)
          for (const s of c.consequent) visit(s, bs, owner, c)
        }
        return
      }
      case 'CatchClause': {
        const cs = new Scope(n, 'block', scope)
        declPattern(n.param, cs, { kind: 'catch', node: n })
        if (n.param) visitPattern(n.param, cs, owner)
        predeclare(n.body.body, cs)
        for (const c of n.body.body) visit(c, cs, owner, n.body)
        return
      }
      case 'VariableDeclaration':
        for (const d of n.declarations) {
          visitPattern(d.id, scope, owner)
          visit(d.init, scope, owner, d)
        }
        return
      case 'Identifier':
        ref(n, scope, owner, parent, ctx)
        return
      case 'MemberExpression':
        visit(n.object, scope, owner, n)
        if (n.computed) visit(n.property, scope, owner, n)
        else if (n.property.type === 'PrivateIdentifier')
          specials.push({
            type: 'private',
            name: n.property.name,
            start: n.property.start,
            end: n.property.end,
          })
        return
      case 'Property':
        if (n.computed) visit(n.key, scope, owner, n)
        visit(n.value, scope, owner, n, n.shorthand ? 'shorthand' : undefined)
        return
      case 'AssignmentExpression':
        visitTarget(n.left, scope, owner)
        visit(n.right, scope, owner, n)
        return
      case 'UpdateExpression':
        visitTarget(n.argument, scope, owner)
        return
      case 'UnaryExpression':
        visit(n.argument, scope, owner, n, n.operator === 'typeof' ? 'typeof' : undefined)
        return
      case 'LabeledStatement':
        visit(n.body, scope, owner, n)
        return
      case 'BreakStatement':
      case 'ContinueStatement':
        return
      case 'ThisExpression':
        specials.push({ type: 'this', start: n.start, end: n.end, owner })
        return
      case 'Super':
        specials.push({ type: 'super', start: n.start, end: n.end, owner })
        return
      case 'MetaProperty':
        specials.push({
          type: n.meta.name + '.' + n.property.name,
          start: n.start,
          end: n.end,
          owner,
          parent,
        })
        return
      case 'ImportExpression':
        specials.push({ type: 'import()', start: n.start, end: n.end, node: n })
        visit(n.source, scope, owner, n)
        return
      case 'CallExpression':
        if (n.callee.type === 'Identifier' && n.callee.name === 'eval')
          specials.push({ type: 'eval', start: n.start, end: n.end })
        if (
          n.callee.type === 'Identifier' &&
          /^__vi(te_ssr)?_dynamic_import__$|^__vi_dynamic_import__$/.test(n.callee.name)
        ) {
          specials.push({ type: 'vite-import()', start: n.start, end: n.end, node: n })
          for (const a of n.arguments) visit(a, scope, owner, n)
          return
        }
        if (
          n.callee.type === 'Identifier' &&
          /^__vi(te_ssr)?_exportName__$/.test(n.callee.name) &&
          n.arguments[0]?.type === 'Literal'
        ) {
          let id = null
          ;(function w(x) {
            if (!x || id) return
            if (x.type === 'ReturnStatement') {
              if (x.argument?.type === 'Identifier') id = x.argument.name
              return
            }
            if (Array.isArray(x)) return x.forEach(w)
            if (typeof x === 'object') for (const k in x) if (k !== 'type') w(x[k])
          })(n.arguments[1])
          if (id) exportsOf.set(id, n.arguments[0].value)
        }
        if (
          n.callee.type === 'Identifier' &&
          n.callee.name === 'require' &&
          n.arguments.length === 1 &&
          n.arguments[0].type === 'Literal'
        )
          specials.push({ type: 'require()', start: n.start, end: n.end, node: n, scope })
        break
      case 'WithStatement':
        specials.push({ type: 'with', start: n.start, end: n.end })
        break
    }
    for (const k in n) {
      if (k === 'type' || k === 'start' || k === 'end') continue
      const v = n[k]
      if (Array.isArray(v)) {
        for (const c of v) if (c && typeof c.type === 'string') visit(c, scope, owner, n)
      } else if (v && typeof v.type === 'string') visit(v, scope, owner, n)
    }
  }
  function markLoop() {}
  function ref(n, scope, owner, _parent, ctx) {
    refs.push({
      name: n.name,
      start: n.start,
      end: n.end,
      scope,
      owner,
      shorthand: ctx === 'shorthand',
      typeofOnly: ctx === 'typeof',
    })
  }
  function visitPattern(p, scope, owner) {
    // binding pattern: only defaults & computed keys are references
    if (!p) return
    switch (p.type) {
      case 'Identifier':
        return
      case 'ObjectPattern':
        for (const q of p.properties) {
          if (q.type === 'RestElement') visitPattern(q.argument, scope, owner)
          else {
            if (q.computed) visit(q.key, scope, owner, q)
            visitPattern(q.value, scope, owner)
          }
        }
        return
      case 'ArrayPattern':
        for (const q of p.elements) visitPattern(q, scope, owner)
        return
      case 'AssignmentPattern':
        visitPattern(p.left, scope, owner)
        visit(p.right, scope, owner, p)
        return
      case 'RestElement':
        visitPattern(p.argument, scope, owner)
        return
    }
  }
  function visitTarget(p, scope, owner, shorthand) {
    // assignment target
    if (!p) return
    switch (p.type) {
      case 'Identifier':
        refs.push({ name: p.name, start: p.start, end: p.end, scope, owner, write: true, shorthand })
        return
      case 'ObjectPattern':
        for (const q of p.properties) {
          if (q.type === 'RestElement') visitTarget(q.argument, scope, owner)
          else {
            if (q.computed) visit(q.key, scope, owner, q)
            visitTarget(q.value, scope, owner, q.shorthand)
          }
        }
        return
      case 'ArrayPattern':
        for (const q of p.elements) visitTarget(q, scope, owner)
        return
      case 'AssignmentPattern':
        visitTarget(p.left, scope, owner, shorthand)
        visit(p.right, scope, owner, p)
        return
      case 'RestElement':
        visitTarget(p.argument, scope, owner)
        return
      case 'VariableDeclaration':
        visit(p, scope, owner)
        return
      default:
        visit(p, scope, owner)
    }
  }
  function declareVar(d, scope) {
    const target = d.kind === 'var' ? hoist(scope) : scope
    for (const dd of d.declarations)
      declPattern(dd.id, target, { kind: d.kind, node: dd, declaration: d, init: dd.init })
  }
  // hoisted declarations of a statement list; `var` inside nested blocks is found recursively
  function predeclare(body, scope) {
    for (const st0 of body) {
      let st = st0,
        exp = null
      if (
        (st.type === 'ExportNamedDeclaration' || st.type === 'ExportDefaultDeclaration') &&
        st.declaration
      ) {
        exp = st
        st = st.declaration
      }
      if (st.type === 'VariableDeclaration') {
        declareVar(st, scope)
        if (exp) for (const dd of st.declarations) collectNames(dd.id).forEach(x => exportsOf.set(x, x))
      } else if (st.type === 'FunctionDeclaration' || st.type === 'ClassDeclaration') {
        const nm = st.id?.name ?? '*default*'
        scope.declare(nm, { kind: st.type === 'FunctionDeclaration' ? 'function' : 'class', node: st })
        if (exp) exportsOf.set(nm, exp.type === 'ExportDefaultDeclaration' ? 'default' : nm)
      }
      hoistVars(st, scope)
    }
  }
  function hoistVars(n, scope) {
    if (!n || isFn(n) || isClass(n)) return
    if (n.type === 'VariableDeclaration') {
      if (n.kind === 'var') declareVar(n, scope)
      return
    }
    switch (n.type) {
      case 'BlockStatement':
        n.body.forEach(c => hoistVars(c, scope))
        break
      case 'IfStatement':
        hoistVars(n.consequent, scope)
        hoistVars(n.alternate, scope)
        break
      case 'ForStatement':
        hoistVars(n.init, scope)
        hoistVars(n.body, scope)
        break
      case 'ForInStatement':
      case 'ForOfStatement':
        hoistVars(n.left, scope)
        hoistVars(n.body, scope)
        break
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'LabeledStatement':
      case 'WithStatement':
        hoistVars(n.body, scope)
        break
      case 'TryStatement':
        hoistVars(n.block, scope)
        if (n.handler) hoistVars(n.handler.body, scope)
        hoistVars(n.finalizer, scope)
        break
      case 'SwitchStatement':
        n.cases.forEach(c => c.consequent.forEach(s => hoistVars(s, scope)))
        break
    }
  }
  visit(ast, root, ast, null)
  for (const r of refs) {
    const d = r.scope.lookup(r.name)
    r.decl = d
    if (d && r.write) d.reassigned = true
  }
  refs.sort((a, b) => a.start - b.start)
  specials.sort((a, b) => a.start - b.start)
  return { ast, root, refs, specials, nodes, exportsOf, source }
}
export function collectNames(p, out = []) {
  if (!p) return out
  switch (p.type) {
    case 'Identifier':
      out.push(p.name)
      break
    case 'ObjectPattern':
      for (const q of p.properties) collectNames(q.type === 'RestElement' ? q.argument : q.value, out)
      break
    case 'ArrayPattern':
      for (const q of p.elements) collectNames(q, out)
      break
    case 'AssignmentPattern':
      collectNames(p.left, out)
      break
    case 'RestElement':
      collectNames(p.argument, out)
      break
  }
  return out
}
const lower = (arr, x) => {
  let lo = 0,
    hi = arr.length
  while (lo < hi) {
    const m = (lo + hi) >> 1
    if (arr[m].start < x) lo = m + 1
    else hi = m
  }
  return lo
}
// free references / specials inside [start,end)
export function freeRefs(an, start, end) {
  const out = []
  for (let i = lower(an.refs, start); i < an.refs.length && an.refs[i].start < end; i++) {
    const r = an.refs[i]
    if (r.exportRef) continue
    if (r.decl && r.decl.scope.start >= start && r.decl.scope.end <= end) continue // declared inside
    out.push(r)
  }
  return out
}
export function freeSpecials(an, start, end) {
  const out = []
  for (let i = lower(an.specials, start); i < an.specials.length && an.specials[i].start < end; i++)
    out.push(an.specials[i])
  return out
}
