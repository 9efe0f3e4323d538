import { existsSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AnyNode, CallExpression, Expression } from 'acorn'
import type { Declaration } from './scope.ts'
import { childrenOf } from './syntax.ts'

// How compilers, bundlers and test runners write what the user wrote as an import, an export or a helper.

const VITE_IMPORT = /^__(vite_ssr|vi)_import__$/
const VITE_DYNAMIC_IMPORT = /^__(vite_ssr|vi)_dynamic_import__$/
const VITE_EXPORT = /^__(vite_ssr|vi)_export(Name)?__$/
/** Beginning of a script that vite wrote as a module. */
export const VITE_EXPORTS = /__vi(te_ssr)?_export/

/** Helpers around `require` that TypeScript, esbuild and swc emit. Minified ones are known by what they look at. */
const INTEROP_HELPER = /^(__toESM|__importStar|__importDefault|_interop\w+)$/

const TYPESCRIPT_HELPER =
  /^__(importStar|importDefault|createBinding|setModuleDefault|awaiter|generator|rest|spread|spreadArray|assign|decorate|metadata|param|values|read|asyncValues|await|asyncGenerator|classPrivateFieldGet|classPrivateFieldSet|classPrivateFieldIn|extends|makeTemplateObject|exportStar|esDecorate|runInitializers)$/

/** Globals whose members compilers keep in variables, e.g. `var __defProp = Object.defineProperty`. */
const PURE_GLOBALS = new Set([
  'Object',
  'Array',
  'Reflect',
  'Symbol',
  'Function',
  'Math',
  'JSON',
  'Number',
  'String',
])

/** esbuild, and tsx with it, keeps names as `__name(() => …, "name")`: the expression without that. */
export function withoutName<Node extends AnyNode>(node: Node): AnyNode | Node {
  if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier') return node
  const [expression, name] = node.arguments
  const isNaming = /^__name\d*$/.test(node.callee.name) && literalOf(name) !== undefined
  return isNaming && expression !== undefined ? expression : node
}

/** `const __vite_ssr_import_0__ = await __vite_ssr_import__("/util.ts")`: the module's id in vite. */
export function importOfVite({ kind, init }: Declaration): string | undefined {
  if (kind !== 'const' || init?.type !== 'AwaitExpression' || init.argument.type !== 'CallExpression')
    return undefined
  return isCallOf(init.argument, VITE_IMPORT) ? literalOf(init.argument.arguments[0]) : undefined
}

export function dynamicImportOfVite(node: CallExpression): boolean {
  return isCallOf(node, VITE_DYNAMIC_IMPORT)
}

/** `__vite_ssr_exportName__("name", () => { try { return local } … })`. */
export function exportOfVite(
  node: CallExpression,
): { readonly name: string; readonly local: string } | undefined {
  if (!isCallOf(node, VITE_EXPORT)) return undefined
  const name = literalOf(node.arguments[0])
  const getter = node.arguments[1]
  if (name === undefined || getter === undefined) return undefined
  const local = returnedName(getter)
  return local === undefined ? undefined : { name, local }
}

function returnedName(node: AnyNode): string | undefined {
  if (node.type === 'ReturnStatement') {
    return node.argument?.type === 'Identifier' ? node.argument.name : undefined
  }
  if (node.type === 'ArrowFunctionExpression' && node.body.type === 'Identifier') return node.body.name
  for (const child of childrenOf(node)) {
    const name = returnedName(child)
    if (name !== undefined) return name
  }
  return undefined
}

/** The specifier or file behind an id of vite's: ids are relative to its root, or begin with '/@fs/'. */
export function specifierOfVite(id: string): string {
  const withoutQuery = (file: string) => file.replace(/[?].*$/, '')
  if (isBuiltin(id)) return id
  if (id.startsWith('/@fs/')) return withoutQuery(id.slice('/@fs'.length))
  if (id.startsWith('file:')) return fileURLToPath(id)
  if (!id.startsWith('/')) return id
  const { __vitest_worker__: worker } = globalThis as { __vitest_worker__?: { config?: { root?: string } } }
  const inRoot = path.join(worker?.config?.root ?? process.cwd(), id)
  return existsSync(inRoot) || !existsSync(id) ? withoutQuery(inRoot) : id
}

/** A variable that `require` fills, directly or through a compiler's helper. */
export function isRequired(declaration: Declaration): boolean {
  const { kind, init, isReassigned } = declaration
  const isVariable = kind === 'const' || kind === 'var' || kind === 'let'
  return isVariable && init !== undefined && !isReassigned && isRequireExpression(init, declaration)
}

function isRequireExpression(node: Expression | undefined, declaration: Declaration): boolean {
  if (node?.type === 'MemberExpression' && !node.computed) {
    return node.object.type !== 'Super' && isRequireExpression(node.object, declaration)
  }
  if (node?.type !== 'CallExpression') return false
  const { callee } = node
  const argument = node.arguments[0]
  if (argument === undefined || argument.type === 'SpreadElement') return false
  if (callee.type === 'Identifier') {
    if (callee.name === 'require') return argument.type === 'Literal'
    const isHelper =
      INTEROP_HELPER.test(callee.name) || looksAtEsModule(declaration.scope.lookup(callee.name))
    return isHelper && isRequireExpression(argument, declaration)
  }
  const isTslib =
    callee.type === 'MemberExpression' &&
    callee.object.type === 'Identifier' &&
    callee.object.name === 'tslib_1'
  return isTslib && isRequireExpression(argument, declaration)
}

/** A function that asks for `__esModule`: an interop helper, whatever a minifier named it. */
function looksAtEsModule(declaration: Declaration | undefined): boolean {
  const node = declaration?.kind === 'function' ? declaration.node : declaration?.init
  return node !== undefined && mentions(node, '__esModule')
}

function mentions(node: AnyNode, name: string): boolean {
  if (node.type === 'Identifier' && node.name === name) return true
  if (node.type === 'Literal' && node.value === name) return true
  for (const child of childrenOf(node)) if (mentions(child, name)) return true
  return false
}

/** `const require = createRequire(import.meta.url)`: the emitted module has a `require` of its own. */
export function isCreatedRequire({ init }: Declaration): boolean {
  if (init?.type !== 'CallExpression') return false
  const { callee } = init
  if (callee.type === 'Identifier') return callee.name === 'createRequire'
  return (
    callee.type === 'MemberExpression' &&
    callee.property.type === 'Identifier' &&
    callee.property.name === 'createRequire'
  )
}

/** `var __awaiter = (this && this.__awaiter) || function …`. */
export function isTypeScriptHelper({ name, init }: Declaration): boolean {
  return TYPESCRIPT_HELPER.test(name) && init !== undefined
}

/**
 * A declaration that makes the same value wherever it is evaluated, as far as its own text goes: a function, a member
 * of a global, a compiler's helper. V8 may keep no variable for it that could be looked at.
 */
export function isPure(declaration: Declaration): boolean {
  const { kind, node, init, name, isReassigned, isDestructured } = declaration
  if (kind === 'function') return node.type === 'FunctionDeclaration' && !!node.id
  if (isReassigned || isDestructured || init === undefined) return false
  if (init.type === 'ArrowFunctionExpression' || init.type === 'FunctionExpression') return true
  if (init.type === 'MemberExpression') {
    const root = rootOf(init)
    return root?.type === 'Identifier' && PURE_GLOBALS.has(root.name)
  }
  const isGuardedHelper = init.type === 'LogicalExpression' && init.right.type === 'FunctionExpression'
  return (isGuardedHelper && name.startsWith('__')) || isTypeScriptHelper(declaration)
}

/** `a` of `a.b.c`; undefined when a member is computed. */
export function rootOf(node: Expression): AnyNode | undefined {
  let root: AnyNode = node
  while (root.type === 'MemberExpression') {
    if (root.computed) return undefined
    root = root.object
  }
  return root
}

function isCallOf(node: CallExpression, name: RegExp): boolean {
  return node.callee.type === 'Identifier' && name.test(node.callee.name)
}

function literalOf(node: AnyNode | undefined): string | undefined {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}
