import { isBuiltin } from 'node:module'
import type { AnyNode, Expression } from 'acorn'
import { locate } from '../source/locate.ts'
import { referenceAt } from '../source/references.ts'
import { importOfVite, isRequired } from '../source/runner-idioms.ts'
import type { Declaration } from '../source/scope.ts'
import type { Script } from '../source/script.ts'
import { someEvaluated } from '../source/syntax.ts'
import { intrinsicExpression } from './intrinsics.ts'

/** Whether a declaration could be evaluated again at all: its value is always that of its initializer. */
function canEvaluateAgain({ init, node, isReassigned }: Declaration): boolean {
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

/**
 * Whether an initializer can be expected to give the same again: what it calls is imported, global, or itself such a
 * declaration. `onlyPackages`: what it calls comes from a package.
 */
export function isRepeatable(
  declaration: Declaration,
  script: Script,
  { onlyPackages }: { readonly onlyPackages: boolean },
): boolean {
  if (!canEvaluateAgain(declaration)) return false
  const init = declaration.init as Expression
  if (!onlyPackages && (init.type === 'ObjectExpression' || init.type === 'ArrayExpression'))
    return isComposition(init)
  const root = calledRoot(init)
  if (root.type !== 'Identifier') return false
  const reference = referenceAt(script.analysis, root.start)
  if (reference === undefined) return false
  const origin = reference.declaration
  if (origin === undefined) return !onlyPackages
  if (origin === declaration) return false
  if (isRequired(origin)) return true
  const source = origin.kind === 'import' ? origin.source : importOfVite(origin)
  if (source !== undefined) return !onlyPackages || isOfPackage(source)
  return isRepeatable(origin, script, { onlyPackages })
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

/** `{ a, b: c.d, e: 1 }` or `[a, b]`: puts together what is there, and calls nothing. */
function isComposition(node: AnyNode | null): boolean {
  switch (node?.type) {
    case undefined:
    case 'Literal':
    case 'Identifier':
      return true
    case 'MemberExpression':
      return !node.computed && isComposition(node.object)
    case 'ArrayExpression':
      return node.elements.every(isComposition)
    case 'ObjectExpression':
      return node.properties.every(
        property =>
          property.type === 'Property' &&
          !property.computed &&
          !property.method &&
          property.kind === 'init' &&
          isComposition(property.value),
      )
    default:
      return false
  }
}

/** A function of a package, or an object whose class is one. */
export function isMadeByPackage(value: unknown): boolean {
  let maker = value
  if (typeof value === 'object' && value !== null) {
    const prototype = Object.getPrototypeOf(value) as object | null
    if (prototype === null || intrinsicExpression(prototype) !== undefined) return false
    maker = prototype.constructor
  }
  if (typeof maker !== 'function' || intrinsicExpression(maker) !== undefined) return false
  return locate(maker)?.script.isInNodeModules ?? false
}
