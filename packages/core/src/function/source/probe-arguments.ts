import type { AnyNode, AssignmentProperty, Pattern } from 'acorn'
import { isFunctionNode, someEvaluated } from './syntax.ts'

/** How a function is called for a look at what is there where it begins (inspector/entry-probe.ts). */
export interface ProbeCall {
  /** Arguments for which no default is evaluated; patterns get plain objects and arrays. */
  readonly args: readonly unknown[]
  /** The parameters have code of their own, at which V8 may put the breakpoint for the call, evaluated or not. */
  readonly hasCode: boolean
  /** A key in a pattern that would change something on the way to the function's body. */
  readonly effect: AnyNode | undefined
}

/** An argument that is not undefined, so that the parameter's default is not evaluated. */
const GIVEN = 0

/** The call for a function or class node. */
export function probeCall(node: AnyNode): ProbeCall {
  const parameters = isFunctionNode(node) ? node.params : []
  const args = parameters.flatMap(parameter => {
    if (parameter.type !== 'RestElement') return [argumentFor(parameter)]
    const rest = argumentFor(parameter.argument)
    return Array.isArray(rest) ? rest : []
  })
  return {
    args,
    hasCode: parameters.some(({ type }) => type !== 'Identifier'),
    effect: firstEffect(parameters),
  }
}

function argumentFor(pattern: Pattern | null): unknown {
  switch (pattern?.type) {
    case 'AssignmentPattern':
      return argumentFor(pattern.left)
    case 'ObjectPattern':
      return objectFor(pattern.properties.filter(property => property.type === 'Property'))
    case 'ArrayPattern':
      return pattern.elements.flatMap(element =>
        element?.type === 'RestElement' ? [] : [argumentFor(element)],
      )
    default:
      return GIVEN
  }
}

function objectFor(properties: readonly AssignmentProperty[]): object {
  // what a computed key comes to is not known: every key is there
  if (properties.some(({ computed }) => computed)) return new Proxy({}, { get: () => GIVEN })
  return Object.fromEntries(
    properties.map(({ key, value }) => [
      key.type === 'Identifier' ? key.name : key.type === 'Literal' ? String(key.value) : '',
      argumentFor(value),
    ]),
  )
}

/** Computed keys are the one part of parameters that is evaluated for any argument. */
function firstEffect(patterns: readonly (Pattern | null)[]): AnyNode | undefined {
  for (const pattern of patterns) {
    const found = effectOf(pattern)
    if (found !== undefined) return found
  }
  return undefined
}

function effectOf(pattern: Pattern | null): AnyNode | undefined {
  switch (pattern?.type) {
    case 'AssignmentPattern':
      return effectOf(pattern.left)
    case 'RestElement':
      return effectOf(pattern.argument)
    case 'ArrayPattern':
      return firstEffect(pattern.elements)
    case 'ObjectPattern':
      for (const property of pattern.properties) {
        if (property.type === 'Property' && property.computed && someEvaluated(property.key, isEffect))
          return property.key
        const found = effectOf(property.type === 'Property' ? property.value : property)
        if (found !== undefined) return found
      }
  }
  return undefined
}

/** Changes something without a call, at which V8 would stop. */
function isEffect(node: AnyNode): boolean {
  return (
    node.type === 'AssignmentExpression' ||
    node.type === 'UpdateExpression' ||
    (node.type === 'UnaryExpression' && node.operator === 'delete')
  )
}
