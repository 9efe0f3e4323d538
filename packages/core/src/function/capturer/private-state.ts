import { types } from 'node:util'
import type { GraphNode } from '../../codec/graph.ts'
import type { Path } from '../../codec/refusal.ts'
import { type PrivateField, privateFieldsOf } from '../inspector/inspect-function.ts'
import { locate } from '../source/locate.ts'
import { type ClassNode, declaresPrivate, isClassNode, privateFieldNames } from '../source/syntax.ts'
import { CaptureError } from './capture-error.ts'
import type { CaptureContext } from './context.ts'
import type { FunctionEntry } from './function-entry.ts'
import { intrinsicExpression } from './intrinsics.ts'

/** A class of a user's module that the worker imports, whose instances are made with their private fields. */
export interface RevivedImport {
  readonly index: number
  readonly file: string
  readonly className: string
  /** Names of its private fields, without '#'. */
  readonly privateNames: readonly string[]
}

/** A class on the way from an instance to Object, with its code. */
interface ChainClass {
  readonly entry: FunctionEntry
  readonly node: ClassNode
  readonly file: string | undefined
  readonly isInPackage: boolean
}

/** Captures `#private` state of instances. */
export class PrivateState {
  readonly #context: CaptureContext
  readonly #imports = new Map<FunctionEntry, RevivedImport>()

  constructor(context: CaptureContext) {
    this.#context = context
  }

  /** Classes that the bundler has to open for revival. */
  revivedImports(): RevivedImport[] {
    return [...this.#imports.values()]
  }

  /** Turns the node of an instance with private fields into one that makes it with them. */
  capture(value: object, node: GraphNode, path: Path): void {
    const prototype = Object.getPrototypeOf(value) as object | null
    if (prototype === null || prototype === Object.prototype || types.isProxy(value) || node[0] === 'a')
      return
    const constructor: unknown = prototype.constructor
    if (typeof constructor !== 'function' || intrinsicExpression(constructor) !== undefined) return
    if (!makesPrivateMembers(constructor)) return
    const chain = this.#chainOf(constructor, path)
    const fields = fieldsOf(value, chain)
    const className = constructor.name
    if (node[0] !== 'o') {
      throw new CaptureError(
        `it is a ${className} instance with private members and a built-in base class`,
        path,
      )
    }
    const state = fields.flatMap(({ field, owner }) => {
      if (owner === undefined) {
        throw new CaptureError(
          `private field ${field.name} is declared by none of the classes that were captured`,
          path,
        )
      }
      const ref = this.#context.encoder.encode(field.value, [...path, field.name], value)
      return [owner.entry.index, field.name.slice(1), ref]
    })
    for (const part of chain) this.#revive(part, path)
    const extra = node[1] as { q?: number } | undefined
    node.length = 0
    node.push('V', this.#context.encoder.encode(constructor, path), state)
    if (extra === undefined) return
    delete extra.q // the class gives the prototype
    node.push(extra)
  }

  /** The classes that make an instance, from its own up, as far as they are not built in. */
  #chainOf(constructor: Function, path: Path): ChainClass[] {
    const chain: ChainClass[] = []
    for (let one: unknown = constructor; typeof one === 'function'; one = Object.getPrototypeOf(one)) {
      if (intrinsicExpression(one) !== undefined) break
      const place = locate(one)
      const node = place?.code?.node
      if (place === undefined || node === undefined || !isClassNode(node)) continue
      // a parent that is imported need not have been met as a value
      this.#context.encoder.encode(one, [...path, `<class ${one.name}>`])
      const entry = this.#context.functions.get(one)
      if (entry === undefined) continue
      chain.push({ entry, node, file: place.script.file, isInPackage: place.script.isInNodeModules })
    }
    return chain
  }

  /** Lets a class make instances without running what the user wrote for new ones. */
  #revive({ entry, node, file, isInPackage }: ChainClass, path: Path): void {
    if (entry.source !== undefined) {
      entry.source.isRevived = true
      return
    }
    if (this.#imports.has(entry)) return
    const { name } = entry.fn
    if (file === undefined || isInPackage) {
      throw new CaptureError(`it has private fields and is a ${name}, a class of a package`, path)
    }
    const privateNames = privateFieldNames(node, { isStatic: false })
    this.#imports.set(entry, { index: entry.index, file, className: name, privateNames })
    this.#context.undo.add(() => this.#imports.delete(entry))
  }
}

/** By class: whether it or a class that it extends declares private members. */
const privateMakers = new WeakMap<Function, boolean>()

function makesPrivateMembers(constructor: Function): boolean {
  let makes = privateMakers.get(constructor)
  if (makes === undefined) {
    const isClass = /^class\b/.test(Function.prototype.toString.call(constructor))
    const node = isClass ? locate(constructor)?.code?.node : undefined
    const parent: unknown = Object.getPrototypeOf(constructor)
    const isDeclaring = node !== undefined && isClassNode(node) && hasPrivateMembers(node)
    makes =
      isDeclaring ||
      (typeof parent === 'function' && parent !== Function.prototype && makesPrivateMembers(parent))
    privateMakers.set(constructor, makes)
  }
  return makes
}

function hasPrivateMembers(node: ClassNode): boolean {
  return node.body.body.some(
    member => member.type !== 'StaticBlock' && !member.static && member.key.type === 'PrivateIdentifier',
  )
}

/** The private fields of an instance, each with the class that declares it. */
function fieldsOf(
  value: object,
  chain: readonly ChainClass[],
): { readonly field: PrivateField; readonly owner: ChainClass | undefined }[] {
  const seen = new Map<string, number>()
  return privateFieldsOf(value).flatMap(field => {
    const bare = field.name.slice(1)
    const owners = chain.filter(({ node }) => privateFieldNames(node, { isStatic: false }).includes(bare))
    const isMethod =
      typeof field.value === 'function' &&
      owners.length === 0 &&
      chain.some(({ node }) => declaresPrivate(node, bare))
    if (isMethod) return []
    // fields of the same name come in the order of their making: those of the base class first
    const nth = seen.get(bare) ?? 0
    seen.set(bare, nth + 1)
    return { field, owner: owners[owners.length - 1 - nth] }
  })
}
