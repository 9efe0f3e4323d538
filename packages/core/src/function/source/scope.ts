import type { AnyNode, Expression } from 'acorn'

export type ScopeKind = 'module' | 'function' | 'functionName' | 'class' | 'static' | 'block'

export type DeclarationKind =
  | 'import'
  | 'var'
  | 'let'
  | 'const'
  | 'using'
  | 'await using'
  | 'function'
  | 'class'
  | 'parameter'
  | 'catch'
  | 'arguments'
  | 'functionName'
  | 'className'

export interface Declaration {
  readonly name: string
  readonly scope: Scope
  kind: DeclarationKind
  /** The declarator, function, class, import specifier or catch clause. */
  node: AnyNode
  init: Expression | undefined
  readonly isDestructured: boolean
  isReassigned: boolean
  /** Of an import: the module, and the name there, '*' for all of it. */
  readonly source?: string
  readonly imported?: string
}

export type NewDeclaration = Pick<Declaration, 'kind' | 'node'> &
  Partial<Pick<Declaration, 'init' | 'isDestructured' | 'source' | 'imported'>>

/** A stretch of source in which names are declared. */
export class Scope {
  readonly kind: ScopeKind
  readonly parent: Scope | undefined
  readonly start: number
  readonly end: number
  readonly declarations = new Map<string, Declaration>()

  constructor(node: AnyNode, kind: ScopeKind, parent: Scope | undefined) {
    this.kind = kind
    this.parent = parent
    this.start = node.start
    this.end = node.end
  }

  /** Names may be declared again: `var` by `var`, a parameter or `var` by a function. */
  declare(name: string, declaration: NewDeclaration): void {
    const known = this.declarations.get(name)
    if (known === undefined) {
      this.declarations.set(name, {
        init: undefined,
        isDestructured: false,
        ...declaration,
        name,
        scope: this,
        isReassigned: false,
      })
      return
    }
    known.init ??= declaration.init
    if (declaration.kind === 'function') {
      known.kind = 'function'
      known.node = declaration.node
    }
  }

  lookup(name: string): Declaration | undefined {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const found = scope.declarations.get(name)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** The scope that takes `var` declarations made here. */
  get hoistingScope(): Scope {
    let scope: Scope = this
    while (scope.kind !== 'function' && scope.kind !== 'module' && scope.kind !== 'static') {
      scope = scope.parent as Scope
    }
    return scope
  }
}
