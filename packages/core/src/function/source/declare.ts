import type { AnyNode, Expression, Pattern, VariableDeclaration } from 'acorn'
import { withoutName } from './runner-idioms.ts'
import type { NewDeclaration, Scope } from './scope.ts'
import { boundNames, isClassNode, isFunctionNode } from './syntax.ts'

/** How an anonymous default export is called among the declarations. */
export const ANONYMOUS_DEFAULT = '*default*'

/** Declares all names of a pattern. */
export function declarePattern(pattern: Pattern | null, scope: Scope, declaration: NewDeclaration): void {
  for (const { name, isDestructured } of boundNames(pattern)) {
    scope.declare(name, { ...declaration, isDestructured })
  }
}

/** Declares the variables of a declaration, `var` where it is hoisted to. */
export function declareVariables(node: VariableDeclaration, scope: Scope): void {
  const target = node.kind === 'var' ? scope.hoistingScope : scope
  for (const declarator of node.declarations) {
    declarePattern(declarator.id, target, {
      kind: node.kind,
      node: declarator,
      init: declarator.init ? (withoutName(declarator.init) as Expression) : undefined,
    })
  }
}

/**
 * Declares what a list of statements declares, before its statements are looked at: names may be used above their
 * declarations. `exports` gets local names with the names they are exported under.
 */
export function declareStatements(
  body: readonly AnyNode[],
  scope: Scope,
  exports: Map<string, string>,
): void {
  for (const statement of body) {
    const exported =
      statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration'
        ? statement
        : undefined
    const declaration = (exported?.declaration ?? statement) as AnyNode
    if (declaration.type === 'VariableDeclaration') {
      declareVariables(declaration, scope)
      if (exported !== undefined) {
        for (const { id } of declaration.declarations)
          for (const { name } of boundNames(id)) exports.set(name, name)
      }
    } else if (declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration') {
      const name = declaration.id?.name ?? ANONYMOUS_DEFAULT
      scope.declare(name, {
        kind: declaration.type === 'FunctionDeclaration' ? 'function' : 'class',
        node: declaration,
      })
      if (exported !== undefined) {
        exports.set(name, exported.type === 'ExportDefaultDeclaration' ? 'default' : name)
      }
    }
    hoistVariables(declaration, scope)
  }
}

/** Declares the `var`s of nested statements. */
function hoistVariables(node: AnyNode | null | undefined, scope: Scope): void {
  if (node === null || node === undefined || isFunctionNode(node) || isClassNode(node)) return
  const hoist = (...nodes: readonly (AnyNode | null | undefined)[]) => {
    for (const one of nodes) hoistVariables(one, scope)
  }
  switch (node.type) {
    case 'VariableDeclaration':
      if (node.kind === 'var') declareVariables(node, scope)
      return
    case 'BlockStatement':
      return hoist(...node.body)
    case 'IfStatement':
      return hoist(node.consequent, node.alternate)
    case 'ForStatement':
      return hoist(node.init, node.body)
    case 'ForInStatement':
    case 'ForOfStatement':
      return hoist(node.left, node.body)
    case 'WhileStatement':
    case 'DoWhileStatement':
    case 'LabeledStatement':
    case 'WithStatement':
      return hoist(node.body)
    case 'TryStatement':
      return hoist(node.block, node.handler?.body, node.finalizer)
    case 'SwitchStatement':
      return hoist(...node.cases.flatMap(({ consequent }) => consequent))
  }
}
