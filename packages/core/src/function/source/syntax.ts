import type {
  AnonymousClassDeclaration,
  AnonymousFunctionDeclaration,
  AnyNode,
  ArrowFunctionExpression,
  ClassDeclaration,
  ClassExpression,
  FunctionDeclaration,
  FunctionExpression,
  Pattern,
  Property,
} from 'acorn'

export type FunctionNode =
  | FunctionDeclaration
  | AnonymousFunctionDeclaration
  | FunctionExpression
  | ArrowFunctionExpression
export type ClassNode = ClassDeclaration | AnonymousClassDeclaration | ClassExpression

/** Half-open range of characters of a source text. */
export interface SourceRange {
  readonly start: number
  readonly end: number
}

export function isFunctionNode(node: AnyNode): node is FunctionNode {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  )
}

export function isClassNode(node: AnyNode): node is ClassNode {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression'
}

export function contains(outer: SourceRange, inner: SourceRange): boolean {
  return inner.start >= outer.start && inner.end <= outer.end
}

/** The nodes right below a node. */
export function* childrenOf(node: AnyNode): Generator<AnyNode> {
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) yield item
    } else if (isNode(value)) yield value
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** Whether an expression, or any part of it that is evaluated with it, satisfies the test; functions run later. */
export function someEvaluated(node: AnyNode, test: (node: AnyNode) => boolean): boolean {
  if (isFunctionNode(node)) return false
  if (test(node)) return true
  for (const child of childrenOf(node)) if (someEvaluated(child, test)) return true
  return false
}

/** The names that a pattern binds, each with the node to replace when it gets another name. */
export function* boundNames(
  pattern: Pattern | null | undefined,
): Generator<{ name: string; node: Pattern | Property; isShorthand: boolean; isDestructured: boolean }> {
  if (pattern === null || pattern === undefined) return
  switch (pattern.type) {
    case 'Identifier':
      yield { name: pattern.name, node: pattern, isShorthand: false, isDestructured: false }
      return
    case 'ObjectPattern':
      for (const property of pattern.properties) {
        if (property.type === 'RestElement') yield* destructured(property.argument)
        else if (property.shorthand && property.value.type === 'Identifier') {
          const { name } = property.value
          yield { name, node: property as unknown as Property, isShorthand: true, isDestructured: true }
        } else yield* destructured(property.value)
      }
      return
    case 'ArrayPattern':
      for (const element of pattern.elements) yield* destructured(element)
      return
    case 'AssignmentPattern':
      yield* boundNames(pattern.left)
      return
    case 'RestElement':
      yield* boundNames(pattern.argument)
  }
}

function* destructured(pattern: Pattern | null) {
  for (const bound of boundNames(pattern)) yield { ...bound, isDestructured: true }
}

/** Whether the class's body declares this private name (without '#'). */
export function declaresPrivate(node: ClassNode, name: string): boolean {
  return node.body.body.some(
    member =>
      (member.type === 'PropertyDefinition' || member.type === 'MethodDefinition') &&
      member.key.type === 'PrivateIdentifier' &&
      member.key.name === name,
  )
}

/** The names of the private fields that a class declares, those of instances or its static ones, without '#'. */
export function privateFieldNames(node: ClassNode, { isStatic }: { readonly isStatic: boolean }): string[] {
  return node.body.body.flatMap(member =>
    member.type === 'PropertyDefinition' &&
    member.static === isStatic &&
    member.key.type === 'PrivateIdentifier'
      ? member.key.name
      : [],
  )
}
