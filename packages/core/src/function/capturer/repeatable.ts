import { isBuiltin } from 'node:module'
import { types } from 'node:util'
import type { AnyNode, Expression } from 'acorn'
import { locate } from '../source/locate.ts'
import { referenceAt } from '../source/references.ts'
import { importOfVite, isRequired, withoutName } from '../source/runner-idioms.ts'
import type { Declaration } from '../source/scope.ts'
import type { Script } from '../source/script.ts'
import { someEvaluated } from '../source/syntax.ts'
import { intrinsicExpression } from './intrinsics.ts'

/** Whether a declaration could be evaluated again at all: its value is always that of its initializer. */
export function canEvaluateAgain({ init, node, isReassigned }: Declaration): boolean {
  const isWaiting = (part: AnyNode) => part.type === 'AwaitExpression' || part.type === 'YieldExpression'
  return (
    init !== undefined &&
    !isReassigned &&
    node.type === 'VariableDeclarator' &&
    !someEvaluated(init, isWaiting)
  )
}

/** The initializer makes something, and does not only name what is there. */
export function makesSomething({ init }: Declaration): boolean {
  return init?.type !== 'Identifier' && init?.type !== 'MemberExpression'
}

/** What an initializer may call: what packages export; imports and globals; or functions of the same file as well. */
type Makers = 'packages' | 'imports' | 'functions'

/**
 * Whether an initializer can be expected to give the same again: what it calls is imported, global, or itself such a
 * declaration.
 */
export function isRepeatable(declaration: Declaration, script: Script, makers: Makers): boolean {
  if (!canEvaluateAgain(declaration)) return false
  const init = declaration.init as Expression
  if (makers !== 'packages' && (init.type === 'ObjectExpression' || init.type === 'ArrayExpression'))
    return isComposition(init, script, declaration)
  return isRepeatableCall(init, declaration, script, makers)
}

function isRepeatableCall(
  node: Expression,
  declaration: Declaration,
  script: Script,
  makers: Makers,
): boolean {
  const root = calledRoot(node)
  if (root.type !== 'Identifier') return false
  const reference = referenceAt(script.analysis, root.start)
  if (reference === undefined) return false
  const origin = reference.declaration
  if (origin === undefined) return makers !== 'packages'
  if (origin === declaration) return false
  if (isRequired(origin)) return true
  const source = origin.kind === 'import' ? origin.source : importOfVite(origin)
  if (source !== undefined) return makers !== 'packages' || isOfPackage(source)
  if (makers === 'functions' && isFunction(origin)) return true
  return isRepeatable(origin, script, makers)
}

function isFunction({ kind, init, isReassigned }: Declaration): boolean {
  if (isReassigned) return false
  return (
    kind === 'function' || init?.type === 'ArrowFunctionExpression' || init?.type === 'FunctionExpression'
  )
}

/** `a` of `new a.B(…).c()`. */
function calledRoot(node: Expression): AnyNode {
  let root: AnyNode = node
  for (;;) {
    if (root.type === 'NewExpression' || root.type === 'CallExpression') root = root.callee
    else if (root.type === 'MemberExpression') root = root.object
    else return root
  }
}

/** A specifier that names a package of npm, or a file of one. */
function isOfPackage(specifier: string): boolean {
  return specifier.includes('node_modules') || (!/^([./]|file:)/.test(specifier) && !isBuiltin(specifier))
}

/** `{ a, b: c.d, e: 1 }` or `[a, new b.C()]`: puts together what is there, and what imports and globals make. */
function isComposition(part: AnyNode | null, script: Script, declaration: Declaration): boolean {
  const node = part && withoutName(part)
  const isPart = (one: AnyNode | null) => isComposition(one, script, declaration)
  switch (node?.type) {
    case undefined:
    case 'Literal':
    case 'Identifier':
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
      return true
    case 'MemberExpression':
      return !node.computed && isPart(node.object)
    case 'TemplateLiteral':
      return node.expressions.every(isPart)
    case 'UnaryExpression':
      return node.operator !== 'delete' && isPart(node.argument)
    case 'SpreadElement':
      return isPart(node.argument)
    case 'NewExpression':
    case 'CallExpression':
      return isRepeatableCall(node, declaration, script, 'imports')
    case 'ArrayExpression':
      return node.elements.every(isPart)
    case 'ObjectExpression':
      return node.properties.every(property =>
        property.type === 'SpreadElement'
          ? isPart(property)
          : !property.computed && property.kind === 'init' && isPart(property.value),
      )
    default:
      return false
  }
}

/** An initializer that gives the same wherever it is evaluated: it calls nothing. */
export function callsNothing({ init }: Declaration): boolean {
  const isCall = (node: AnyNode) =>
    (node.type === 'CallExpression' && withoutName(node) === node) ||
    node.type === 'NewExpression' ||
    node.type === 'TaggedTemplateExpression'
  return init !== undefined && !someEvaluated(init, isCall)
}

/** A function of a package, or an object whose class is one. */
export function isMadeByPackage(value: unknown): boolean {
  let maker = value
  if (types.isProxy(value)) return false // a look at it would run its traps
  if (typeof value === 'object' && value !== null) {
    const prototype = Object.getPrototypeOf(value) as object | null
    if (prototype === null || intrinsicExpression(prototype) !== undefined) return false
    maker = prototype.constructor
  }
  if (typeof maker !== 'function' || intrinsicExpression(maker) !== undefined) return false
  return locate(maker)?.script.isInNodeModules ?? false
}
