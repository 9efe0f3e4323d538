import type { AnyNode, Pattern } from 'acorn'
import { NotSupportedError } from '../errors/index.ts'
import { acorn } from '../function/lazy-modules.ts'
import { childrenOf, isFunctionNode } from '../function/source/syntax.ts'
import { isCloudObject } from '../storage/cloud-object.ts'

/** The error of everything that needs a storage where there is none. `what`: who needs it, by name. */
export function storageless(what?: string): NotSupportedError {
  return new NotSupportedError(
    `${what === undefined ? 'There is no storage' : `${what} needs a storage, and there is none`}: the config has \`storage: storageless\`, ` +
      'or names none for its backend. Name a storage in it, for instance `storage: localhost` on this machine, or `storage: aws_s3`.',
    { code: 'LITHOPS_STORAGELESS' },
  )
}

/**
 * Whether the function's own code takes `storage` from its call context, the parameter at `contextAt`. What it hands the
 * context on to is not looked at: that is told when it happens.
 */
export function usesContextStorage(fn: Function, contextAt: number): boolean {
  const text = Function.prototype.toString.call(fn)
  if (!/\bstorage\b/.test(text)) return false
  const node = parseFunction(text)
  const parameter = node?.params[contextAt]
  if (node === undefined || parameter === undefined) return false
  const pattern = parameter.type === 'AssignmentPattern' ? parameter.left : parameter
  if (pattern.type === 'ObjectPattern') return takesStorage(pattern)
  return pattern.type === 'Identifier' && readsStorage(node.body, pattern.name)
}

function parseFunction(text: string) {
  // a method is one only within an object
  for (const source of [`(${text})`, `({${text}})`]) {
    let program: AnyNode
    try {
      program = acorn().parse(source, { ecmaVersion: 'latest', allowAwaitOutsideFunction: true })
    } catch {
      continue
    }
    const found = firstFunction(program)
    if (found !== undefined) return found
  }
  return undefined
}

function firstFunction(node: AnyNode): Extract<AnyNode, { params: Pattern[]; body: unknown }> | undefined {
  if (isFunctionNode(node)) return node
  for (const child of childrenOf(node)) {
    const found = firstFunction(child)
    if (found !== undefined) return found
  }
  return undefined
}

/** `context.storage`, `context?.storage`, `context['storage']`, or `const { storage } = context`. */
function readsStorage(node: AnyNode, context: string): boolean {
  const isContext = (other: AnyNode | null | undefined) =>
    other?.type === 'Identifier' && other.name === context
  if (node.type === 'MemberExpression' && isContext(node.object)) {
    const { property, computed } = node
    if (!computed && property.type === 'Identifier' && property.name === 'storage') return true
    if (computed && property.type === 'Literal' && property.value === 'storage') return true
  }
  if (node.type === 'VariableDeclarator' && isContext(node.init) && takesStorage(node.id)) return true
  for (const child of childrenOf(node)) if (readsStorage(child, context)) return true
  return false
}

function takesStorage(pattern: Pattern): boolean {
  if (pattern.type !== 'ObjectPattern') return false
  return pattern.properties.some(
    property =>
      property.type === 'Property' &&
      !property.computed &&
      property.key.type === 'Identifier' &&
      property.key.name === 'storage',
  )
}

/** The first of the items that is a cloud object, or holds one in itself. */
export function cloudObjectIn(items: Iterable<unknown>): string | undefined {
  for (const item of items) {
    const inside =
      typeof item === 'object' && item !== null && !isCloudObject(item) ? Object.values(item) : [item]
    const found = inside.find(isCloudObject)
    if (found !== undefined) return `${found.storage}://${found.bucket}/${found.key}`
  }
  return undefined
}
