import type { GraphNode } from '../../codec/graph.ts'
import type { BuiltinMember } from './builtin-modules.ts'
import type { EmittedImport, ImportTable } from './import-table.ts'
import { foreignIntrinsicExpression, hostExpression, intrinsicExpression } from './intrinsics.ts'
import type { UndoLog } from './undo-log.ts'

interface KnownExpression {
  /** A global's expression, or what is imported. */
  readonly root: string | EmittedImport
  /** Way from the root to the value. */
  readonly members: readonly string[]
  /** The function or class of this process that the worker's own stands for. */
  readonly fn: Function | undefined
}

/** Values that both sides have: workers get an expression instead of a copy. */
export class KnownValues {
  readonly #expressions: KnownExpression[] = []
  readonly #indexes = new Map<string, number>()
  readonly #imports: ImportTable
  readonly #undo: UndoLog

  constructor(imports: ImportTable, undo: UndoLog) {
    this.#imports = imports
    this.#undo = undo
  }

  /** The node of a value of the language or the host; undefined for all else. */
  intrinsicNode(value: object): GraphNode | undefined {
    const expression = intrinsicExpression(value) ?? (isNative(value) ? ofOtherTables(value) : undefined)
    return expression === undefined ? undefined : this.globalNode(expression)
  }

  globalNode(expression: string): GraphNode {
    let index = this.#indexes.get(expression)
    if (index === undefined) {
      index = this.#add({ root: expression, members: [], fn: undefined })
      this.#indexes.set(expression, index)
      this.#undo.add(() => this.#indexes.delete(expression))
    }
    return ['R', index]
  }

  builtinNode({ module, name, isPrototype }: BuiltinMember): GraphNode {
    const root = this.#imports.add(
      { importer: undefined, specifier: module, imported: name ?? '*' },
      name ?? module.replace(/\W/g, '_'),
    )
    return ['R', this.#add({ root, members: isPrototype ? ['prototype'] : [], fn: undefined })]
  }

  /** The node of a function or class that the worker imports, or of a module's namespace. */
  importNode(root: EmittedImport, members: readonly string[] = [], fn?: Function): GraphNode {
    return ['R', this.#add({ root, members, fn })]
  }

  #add(known: KnownExpression): number {
    this.#undo.add(() => this.#expressions.pop())
    return this.#expressions.push(known) - 1
  }

  /** The expressions, in the order of their indexes. */
  expressions(): string[] {
    return this.#expressions.map(({ root, members }) => {
      const base = typeof root === 'string' ? root : root.localName
      return base + members.map(member => `[${JSON.stringify(member)}]`).join('')
    })
  }

  /** The globals that expressions begin with: names that nothing else may take. */
  globalNames(): string[] {
    return this.#expressions.flatMap(({ root }) =>
      typeof root === 'string' ? (root.match(/[A-Za-z_$][\w$]*/g) ?? []) : [],
    )
  }

  /** Imported functions and classes of this process, by the indexes of their expressions. */
  importedFunctions(): [number, Function][] {
    return this.#expressions.flatMap(({ fn }, index) =>
      fn === undefined ? [] : [[index, fn] as [number, Function]],
    )
  }
}

function isNative(value: object): value is Function {
  return typeof value === 'function' && /\[native code\]\s*\}$/.test(Function.prototype.toString.call(value))
}

function ofOtherTables(fn: Function): string | undefined {
  return hostExpression(fn) ?? foreignIntrinsicExpression(fn)
}
