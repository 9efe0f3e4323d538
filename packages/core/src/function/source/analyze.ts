import type {
  AnyNode,
  AssignmentProperty,
  CallExpression,
  Identifier,
  ImportExpression,
  Literal,
  Pattern,
  Program,
  Property,
} from 'acorn'
import { acorn } from '../lazy-modules.ts'
import { declarePattern, declareStatements, declareVariables } from './declare.ts'
import { dynamicImportOfVite, exportOfVite, isCreatedRequire } from './runner-idioms.ts'
import { type Declaration, Scope } from './scope.ts'
import {
  type ClassNode,
  childrenOf,
  type FunctionNode,
  isClassNode,
  isFunctionNode,
  type SourceRange,
} from './syntax.ts'

/** A place where a name is used. */
export interface Reference extends SourceRange {
  readonly name: string
  readonly scope: Scope
  declaration: Declaration | undefined
  readonly isWrite: boolean
  /** `{ name }`, where the name is a key as well. */
  readonly isShorthand: boolean
  /** `typeof name`, which does not fail for a name that does not exist. */
  readonly isTypeofOperand: boolean
  /** `name()` or a template's tag: the callee gets no `this`. */
  readonly isCallee: boolean
}

/** A place whose meaning depends on where it stands. */
export type SpecialPlace = SourceRange &
  (
    | { readonly kind: 'this' | 'super' | 'new.target' | 'import.meta'; readonly owner: AnyNode }
    | { readonly kind: 'import()'; readonly node: ImportExpression }
    | { readonly kind: 'vite-import()'; readonly node: CallExpression }
    | {
        readonly kind: 'require()'
        readonly node: CallExpression & { arguments: [Literal] }
        readonly scope: Scope
      }
    | { readonly kind: 'private'; readonly name: string }
    | { readonly kind: 'eval' | 'with' }
  )

/** A function or class of a script, with what surrounds it. */
export interface CodeNode extends SourceRange {
  readonly node: FunctionNode | ClassNode
  /** The function or class right around it. */
  readonly outer: CodeNode | undefined
  readonly parent: AnyNode | undefined
  /** What gives the code around it its `this`. */
  readonly owner: AnyNode
  /** Strict code, by a directive, a class or the script being a module. */
  readonly isStrict: boolean
}

/** The static facts of one script. */
export interface ScriptAnalysis {
  readonly root: Scope
  /** Ordered by place, like `specials` and `codeNodes`. */
  readonly references: readonly Reference[]
  readonly specials: readonly SpecialPlace[]
  readonly codeNodes: readonly CodeNode[]
  /** Local name to exported name, of ES modules. */
  readonly exports: ReadonlyMap<string, string>
}

/** Where a visited node stands. */
interface Surroundings {
  readonly scope: Scope
  /** What gives `this`: a function that is no arrow, a class field, a static block, or the program. */
  readonly owner: AnyNode
  readonly parent?: AnyNode
  readonly outer?: CodeNode
  readonly isStrict: boolean
  readonly isCallee?: boolean
  readonly isShorthand?: boolean
  readonly isTypeofOperand?: boolean
}

const PARSE_OPTIONS = {
  ecmaVersion: 'latest',
  allowReturnOutsideFunction: true,
  allowAwaitOutsideFunction: true,
  allowHashBang: true,
  allowSuperOutsideMethod: true,
  checkPrivateFields: false,
} as const

/** Finds scopes, references and special places of a script. Throws SyntaxError. */
export function analyzeScript(source: string, { isModule }: { readonly isModule: boolean }): ScriptAnalysis {
  return new Analyzer(parseEitherWay(source, isModule), isModule).result()
}

/** What runners hand to V8 as a script may read as a module, and the other way round. */
function parseEitherWay(source: string, isModule: boolean): Program {
  const parse = (sourceType: 'module' | 'script') => acorn().parse(source, { ...PARSE_OPTIONS, sourceType })
  try {
    return parse(isModule ? 'module' : 'script')
  } catch {
    return parse(isModule ? 'script' : 'module')
  }
}

class Analyzer {
  readonly #root: Scope
  readonly #references: Reference[] = []
  readonly #specials: SpecialPlace[] = []
  readonly #codeNodes: CodeNode[] = []
  readonly #exports = new Map<string, string>()

  constructor(program: Program, isModule: boolean) {
    this.#root = new Scope(program, 'module', undefined)
    const isStrict = isModule || hasUseStrict(program.body)
    declareStatements(program.body, this.#root, this.#exports)
    this.#visitAll(program.body, { scope: this.#root, owner: program, parent: program, isStrict })
  }

  result(): ScriptAnalysis {
    for (const reference of this.#references) {
      reference.declaration = reference.scope.lookup(reference.name)
      if (reference.declaration !== undefined && reference.isWrite) reference.declaration.isReassigned = true
    }
    return {
      root: this.#root,
      references: this.#references.sort(byStart),
      specials: this.#specials.sort(byStart),
      codeNodes: this.#codeNodes.sort(byStart),
      exports: this.#exports,
    }
  }

  #visitAll(nodes: readonly (AnyNode | null)[], at: Surroundings): void {
    for (const node of nodes) this.#visit(node, at)
  }

  #visitChildren(node: AnyNode, at: Surroundings): void {
    for (const child of childrenOf(node)) this.#visit(child, { ...plain(at), parent: node })
  }

  #visit(node: AnyNode | null | undefined, at: Surroundings): void {
    if (node === null || node === undefined) return
    if (isFunctionNode(node)) return this.#function(node, at)
    if (isClassNode(node)) return this.#class(node, at)
    const below = { ...plain(at), parent: node }
    switch (node.type) {
      case 'ImportDeclaration':
        for (const specifier of node.specifiers) {
          at.scope.declare(specifier.local.name, {
            kind: 'import',
            node: specifier,
            source: String(node.source.value),
            imported: importedName(specifier),
          })
        }
        return
      case 'ExportNamedDeclaration':
        if (node.declaration) return this.#visit(node.declaration, below)
        if (node.source) return
        for (const { local, exported } of node.specifiers) {
          this.#exports.set(nameOf(local), nameOf(exported))
        }
        return
      case 'ExportAllDeclaration':
      case 'BreakStatement':
      case 'ContinueStatement':
        return
      case 'BlockStatement': {
        const scope = new Scope(node, 'block', at.scope)
        declareStatements(node.body, scope, this.#exports)
        return this.#visitAll(node.body, { ...below, scope })
      }
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement': {
        const scope = new Scope(node, 'block', at.scope)
        const head = node.type === 'ForStatement' ? node.init : node.left
        if (head?.type === 'VariableDeclaration') declareVariables(head, scope)
        if (node.type === 'ForStatement' || head?.type === 'VariableDeclaration')
          this.#visit(head, { ...below, scope })
        else this.#target(head as Pattern, { ...below, scope })
        const rest = node.type === 'ForStatement' ? [node.test, node.update] : [node.right]
        return this.#visitAll([...rest, node.body] as AnyNode[], { ...below, scope })
      }
      case 'SwitchStatement': {
        this.#visit(node.discriminant, below)
        const scope = new Scope(node, 'block', at.scope)
        declareStatements(
          node.cases.flatMap(({ consequent }) => consequent),
          scope,
          this.#exports,
        )
        return this.#visitAll(node.cases, { ...below, scope })
      }
      case 'CatchClause': {
        const scope = new Scope(node, 'block', at.scope)
        declarePattern(node.param ?? null, scope, { kind: 'catch', node })
        this.#pattern(node.param, { ...below, scope })
        declareStatements(node.body.body, scope, this.#exports)
        return this.#visitAll(node.body.body, { ...below, scope, parent: node.body })
      }
      case 'VariableDeclarator':
        this.#pattern(node.id, below)
        return this.#visit(node.init, below)
      case 'Identifier':
        return this.#reference(node, at)
      case 'PrivateIdentifier':
        this.#specials.push({ kind: 'private', name: node.name, start: node.start, end: node.end })
        return
      case 'MemberExpression':
        this.#visit(node.object, below)
        if (node.computed || node.property.type === 'PrivateIdentifier') this.#visit(node.property, below)
        return
      case 'Property':
        return this.#property(node, below)
      case 'AssignmentExpression':
        this.#target(node.left, below)
        return this.#visit(node.right, below)
      case 'UpdateExpression':
        return this.#target(node.argument as Pattern, below)
      case 'UnaryExpression':
        return this.#visit(node.argument, { ...below, isTypeofOperand: node.operator === 'typeof' })
      case 'LabeledStatement':
        return this.#visit(node.body, below)
      case 'ThisExpression':
      case 'Super':
        this.#specials.push({
          kind: node.type === 'Super' ? 'super' : 'this',
          start: node.start,
          end: node.end,
          owner: at.owner,
        })
        return
      case 'MetaProperty': {
        const kind = node.meta.name === 'import' ? 'import.meta' : 'new.target'
        this.#specials.push({ kind, start: node.start, end: node.end, owner: at.owner })
        return
      }
      case 'ImportExpression':
        this.#specials.push({ kind: 'import()', start: node.start, end: node.end, node })
        return this.#visit(node.source, below)
      case 'TaggedTemplateExpression':
        this.#visit(node.tag, { ...below, isCallee: true })
        return this.#visit(node.quasi, below)
      case 'CallExpression':
        return this.#call(node, below)
      case 'WithStatement':
        this.#specials.push({ kind: 'with', start: node.start, end: node.end })
        return this.#visitChildren(node, at)
      default:
        return this.#visitChildren(node, at)
    }
  }

  #function(node: FunctionNode, at: Surroundings): void {
    let { scope } = at
    if (node.type === 'FunctionExpression' && node.id) {
      scope = new Scope(node, 'functionName', scope)
      scope.declare(node.id.name, { kind: 'functionName', node })
    }
    const isArrow = node.type === 'ArrowFunctionExpression'
    const isStrict = at.isStrict || (node.body.type === 'BlockStatement' && hasUseStrict(node.body.body))
    const code = this.#addCode(node, at, isStrict)
    const inside: Surroundings = {
      scope: new Scope(node, 'function', scope),
      owner: isArrow ? at.owner : node,
      parent: node,
      outer: code,
      isStrict,
    }
    if (!isArrow) inside.scope.declare('arguments', { kind: 'arguments', node })
    for (const parameter of node.params) declarePattern(parameter, inside.scope, { kind: 'parameter', node })
    for (const parameter of node.params) this.#pattern(parameter, inside)
    if (node.body.type !== 'BlockStatement') return this.#visit(node.body, inside)
    declareStatements(node.body.body, inside.scope, this.#exports)
    this.#visitAll(node.body.body, { ...inside, parent: node.body })
  }

  #class(node: ClassNode, at: Surroundings): void {
    const scope = new Scope(node, 'class', at.scope)
    if (node.id) scope.declare(node.id.name, { kind: 'className', node })
    const outer = this.#addCode(node, at, true)
    const inside: Surroundings = { scope, owner: at.owner, parent: node, outer, isStrict: true }
    this.#visit(node.superClass, inside)
    for (const member of node.body.body) {
      const below = { ...inside, parent: member }
      if (member.type === 'StaticBlock') {
        const block = new Scope(member, 'static', scope)
        declareStatements(member.body, block, this.#exports)
        this.#visitAll(member.body, { ...below, scope: block, owner: member })
        continue
      }
      if (member.computed) this.#visit(member.key, below)
      this.#visit(member.value, member.type === 'PropertyDefinition' ? { ...below, owner: member } : below)
    }
  }

  #addCode(
    node: FunctionNode | ClassNode,
    { parent, owner, outer }: Surroundings,
    isStrict: boolean,
  ): CodeNode {
    const code = { node, start: node.start, end: node.end, parent, owner, outer, isStrict }
    this.#codeNodes.push(code)
    return code
  }

  #property(node: Property | AssignmentProperty, at: Surroundings): void {
    if (node.computed) this.#visit(node.key, at)
    this.#visit(node.value, { ...at, isShorthand: node.shorthand })
  }

  #call(node: CallExpression, at: Surroundings): void {
    const { start, end } = node
    const exported = exportOfVite(node)
    if (exported !== undefined) this.#exports.set(exported.local, exported.name)
    if (dynamicImportOfVite(node)) {
      this.#specials.push({ kind: 'vite-import()', start, end, node })
      return this.#visitAll(node.arguments, at)
    }
    const callee = node.callee.type === 'Identifier' ? node.callee.name : undefined
    if (callee === 'eval') this.#specials.push({ kind: 'eval', start, end })
    if (
      isRequireName(callee, at.scope) &&
      node.arguments.length === 1 &&
      node.arguments[0]?.type === 'Literal'
    ) {
      const literal = node as CallExpression & { arguments: [Literal] }
      this.#specials.push({ kind: 'require()', start, end, node: literal, scope: at.scope })
    }
    this.#visit(node.callee, { ...at, isCallee: true })
    this.#visitAll(node.arguments, at)
  }

  #reference(node: Identifier, at: Surroundings, isWrite = false): void {
    this.#references.push({
      name: node.name,
      start: node.start,
      end: node.end,
      scope: at.scope,
      declaration: undefined,
      isWrite,
      isShorthand: at.isShorthand === true,
      isTypeofOperand: at.isTypeofOperand === true,
      isCallee: at.isCallee === true,
    })
  }

  /** In a pattern that binds names, only defaults and computed keys are uses of names. */
  #pattern(pattern: Pattern | null | undefined, at: Surroundings): void {
    switch (pattern?.type) {
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          if (property.type === 'RestElement') this.#pattern(property.argument, at)
          else {
            if (property.computed) this.#visit(property.key, at)
            this.#pattern(property.value, at)
          }
        }
        return
      case 'ArrayPattern':
        for (const element of pattern.elements) this.#pattern(element, at)
        return
      case 'AssignmentPattern':
        this.#pattern(pattern.left, at)
        return this.#visit(pattern.right, at)
      case 'RestElement':
        return this.#pattern(pattern.argument, at)
    }
  }

  /** What is assigned to. */
  #target(pattern: Pattern | null | undefined, at: Surroundings, isShorthand = false): void {
    switch (pattern?.type) {
      case undefined:
        return
      case 'Identifier':
        return this.#reference(pattern, { ...plain(at), isShorthand }, true)
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          if (property.type === 'RestElement') this.#target(property.argument, at)
          else {
            if (property.computed) this.#visit(property.key, at)
            this.#target(property.value, at, property.shorthand)
          }
        }
        return
      case 'ArrayPattern':
        for (const element of pattern.elements) this.#target(element, at)
        return
      case 'AssignmentPattern':
        this.#target(pattern.left, at, isShorthand)
        return this.#visit(pattern.right, at)
      case 'RestElement':
        return this.#target(pattern.argument, at)
      default:
        return this.#visit(pattern, at)
    }
  }
}

/** `require`, or a variable that `createRequire` filled. */
function isRequireName(name: string | undefined, scope: Scope): boolean {
  if (name === undefined) return false
  if (name === 'require') return true
  const declaration = scope.lookup(name)
  return declaration !== undefined && isCreatedRequire(declaration)
}

/** The surroundings without what holds for one node alone. */
function plain({ scope, owner, parent, outer, isStrict }: Surroundings): Surroundings {
  return { scope, owner, parent, outer, isStrict }
}

function hasUseStrict(body: readonly AnyNode[]): boolean {
  for (const statement of body) {
    if (statement.type !== 'ExpressionStatement' || statement.directive === undefined) return false
    if (statement.directive === 'use strict') return true
  }
  return false
}

function nameOf(node: Identifier | Literal): string {
  return node.type === 'Identifier' ? node.name : String(node.value)
}

function importedName(specifier: AnyNode): string {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  return specifier.type === 'ImportSpecifier' ? nameOf(specifier.imported) : '*'
}

function byStart(a: SourceRange, b: SourceRange): number {
  return a.start - b.start
}
