import type { AnyNode, Identifier } from 'acorn'
import { childrenOf, isClassNode, isFunctionNode } from './syntax.ts'

/** Words that sloppy code may use as names. */
const STRICT_WORDS = new Set([
  'let',
  'static',
  'yield',
  'await',
  'implements',
  'interface',
  'package',
  'private',
  'protected',
  'public',
])

/** `callee` and `caller` throw in strict code. */
const CALL_STACK_MEMBERS = new Set(['callee', 'caller'])

/** 010, and '\\101'; '\\0' alone is allowed in strict code. */
const OCTAL_NUMBER = /^0\d/
const OCTAL_ESCAPE = /(^|[^\\])(\\\\)*\\(0\d|[1-9])/

/**
 * Whether sloppy code could mean something else as strict code: it assigns to properties (which may be read-only) or
 * to undeclared names, uses `this` or `arguments`, or what strict code has no syntax for.
 */
export function mayDependOnSloppyMode(node: AnyNode, isUndeclared: (name: Identifier) => boolean): boolean {
  return depends(node, isUndeclared, false)
}

/** `inBlock`: a function declaration in a block is hoisted out of it. */
function depends(node: AnyNode, isUndeclared: (name: Identifier) => boolean, inBlock: boolean): boolean {
  if (isClassNode(node)) return false // always strict
  if (isFunctionNode(node)) {
    if ((inBlock && node.type === 'FunctionDeclaration') || hasRepeatedParameters(node.params)) return true
    const body = node.body.type === 'BlockStatement' ? node.body.body : [node.body]
    return [...node.params, ...body].some(child => depends(child, isUndeclared, false))
  }
  switch (node.type) {
    case 'ThisExpression':
    case 'WithStatement':
      return true
    case 'AssignmentExpression':
      // members may be read-only; patterns are too rare to be looked into
      if (node.left.type !== 'Identifier' || isUndeclared(node.left)) return true
      break
    case 'UpdateExpression':
      if (node.argument.type !== 'Identifier' || isUndeclared(node.argument)) return true
      break
    case 'UnaryExpression':
      if (node.operator === 'delete') return true
      break
    case 'Identifier':
      return node.name === 'arguments' || STRICT_WORDS.has(node.name)
    case 'MemberExpression':
      if (node.property.type === 'Identifier' && CALL_STACK_MEMBERS.has(node.property.name)) return true
      break
    case 'Literal':
      if (typeof node.value === 'number') return OCTAL_NUMBER.test(node.raw ?? '')
      return typeof node.value === 'string' && OCTAL_ESCAPE.test(node.raw ?? '')
  }
  const isBlock = node.type === 'BlockStatement' || node.type === 'IfStatement' || node.type === 'SwitchCase'
  for (const child of childrenOf(node)) if (depends(child, isUndeclared, isBlock)) return true
  return false
}

function hasRepeatedParameters(parameters: readonly AnyNode[]): boolean {
  const names = parameters.flatMap(parameter => (parameter.type === 'Identifier' ? parameter.name : []))
  return new Set(names).size < names.length
}
