import { types } from 'node:util'
import type { Graph, GraphNode } from '../../codec/graph.ts'
import { GraphEncoder } from '../../codec/graph-encoder.ts'
import type { EnvironmentMeta } from '../../worker/instantiate.ts'
import { type ComputedImport, computedImportOf, isComputed } from '../computed-imports.ts'
import { forgetInspected, weakEntriesOf } from '../inspector/inspect-function.ts'
import { InspectorSession } from '../inspector/inspector-session.ts'
import type { Script } from '../source/script.ts'
import { nodeOfNamespace } from './by-reference.ts'
import { CaptureError } from './capture-error.ts'
import { classIdOf } from './class-ids.ts'
import type { CaptureContext } from './context.ts'
import { classSourcesOf, emitModule } from './emit.ts'
import { mapEmittedModule } from './emitted-map.ts'
import { FunctionTable } from './function-table.ts'
import { ImportTable } from './import-table.ts'
import { KnownValues } from './known-values.ts'
import { PrivateState, type RevivedImport } from './private-state.ts'
import { encodePrototype, refuseHandles } from './prototypes.ts'
import { RecreationTable } from './recreations.ts'
import { UndoLog } from './undo-log.ts'
import { VariableTable } from './variables.ts'

/** What was found out about a function: a module that makes it, and the values that it captured. */
export interface RawCapture {
  readonly code: string
  /** The code imports something other than built-in modules of Node. */
  readonly needsBundle: boolean
  /** Imports of names that are computed when the function runs. */
  readonly computedImports: readonly ComputedImport[]
  /** Imported classes whose instances, private fields included, are among the values. */
  readonly revivedImports: readonly RevivedImport[]
  readonly graph: Graph
  /** Reference of the function. */
  readonly root: number
  readonly meta: EnvironmentMeta
  /** The classes that travelled by value, and those that the worker imports, by their ids. */
  readonly classes: readonly (readonly [string, Function])[]
  /** What the worker imports as well, in the order of `$h.imports`: its classes keep their identity. */
  readonly imported: readonly unknown[]
  /** Scripts whose functions travelled by value, the function's own first. */
  readonly scripts: readonly Script[]
  readonly recreated: readonly RecreatedDeclaration[]
  /** Source map of `code`. */
  sourceMap(): object
}

/** A declaration that the worker evaluates again. */
export interface RecreatedDeclaration {
  readonly names: readonly string[]
  readonly reason: string
  /** 'file:line:column'. */
  readonly place: string
}

/**
 * Captures a function as it is now, without an await in between. Throws CaptureError for what cannot travel.
 *
 * The function and what it reaches become a graph of values (codec/graph.ts), in which functions are indexes of the
 * emitted module's functions. Free names become variables of that module, its imports, or declarations that it
 * evaluates again.
 */
export function captureGraph(fn: Function): RawCapture {
  try {
    return new Capture().run(fn)
  } finally {
    forgetInspected()
    InspectorSession.get().rest()
  }
}

/** A WeakMap or WeakSet: its entries are captured when something else captures their keys. */
interface WeakCollection {
  readonly node: GraphNode
  readonly entries: readonly (readonly [object, unknown])[]
  readonly done: Set<object>
}

class Capture {
  readonly #undo = new UndoLog()
  readonly #weakCollections: WeakCollection[] = []
  readonly #context: CaptureContext
  readonly #privates: PrivateState

  constructor() {
    const undo = this.#undo
    const imports = new ImportTable(undo)
    const context = {
      undo,
      imports,
      known: new KnownValues(imports, undo),
      encoder: this.#newEncoder(),
      globals: new Set<string>(),
      dynamicSpecifiers: new Set<string>(),
      asked: { characters: 0 },
      scripts: new Set<Script>(),
    } as { -readonly [K in keyof CaptureContext]: CaptureContext[K] }
    context.functions = new FunctionTable(context)
    context.variables = new VariableTable(context)
    context.recreations = new RecreationTable(context)
    this.#context = context
    this.#privates = new PrivateState(context)
  }

  #newEncoder(): GraphEncoder {
    return new GraphEncoder({
      refuse: (why, path) => new CaptureError(why, path),
      known: value => this.#knownNode(value),
      check: refuseHandles,
      encodeFunction: (fn, path, _ref, owner) => this.#context.functions.encode(fn, path, owner),
      encodePrototype: (prototype, path) => encodePrototype(this.#context, prototype, path),
      afterObject: (value, node, path) => this.#privates.capture(value, node, path),
      weakCollection: (value, node) => this.#addWeakCollection(value, node),
    })
  }

  #knownNode(value: object): GraphNode | undefined {
    const node = this.#context.known.intrinsicNode(value)
    if (node !== undefined || !types.isModuleNamespaceObject(value)) return node
    return nodeOfNamespace(this.#context, value, this.#context.functions.factsByScript)
  }

  #addWeakCollection(value: object, node: GraphNode): void {
    this.#weakCollections.push({ node, entries: weakEntriesOf(value), done: new Set() })
    this.#undo.add(() => this.#weakCollections.pop())
  }

  run(fn: Function): RawCapture {
    if (/^class\b/.test(Function.prototype.toString.call(fn))) {
      throw new CaptureError(
        `it is a class; pass a function that calls it, e.g. x => new ${fn.name || 'C'}(x)`,
        [],
      )
    }
    const { encoder, functions, scripts, recreations } = this.#context
    const root = encoder.encode(fn, [])
    this.#fillWeakCollections()
    const revivedImports = this.#privates.revivedImports()
    const { text, needsBundle } = emitModule(this.#context, revivedImports)
    return {
      code: text,
      needsBundle,
      computedImports: this.#context.imports
        .all()
        .flatMap(({ specifier, importer }) =>
          isComputed(specifier) ? computedImportOf(specifier, importer) : [],
        ),
      revivedImports,
      graph: encoder,
      root,
      meta: this.#meta(),
      classes: this.#classes(),
      imported: classSourcesOf(this.#context).map(({ value }) => value),
      scripts: [...scripts],
      recreated: recreations.all().flatMap(({ names, reason, script, node }) => {
        return reason === undefined
          ? []
          : { names: [...names.keys()], reason, place: script.placeOf(node.start) }
      }),
      sourceMap: () => mapEmittedModule(text, functions.entries),
    }
  }

  /** An entry may hold the key of another one, so this goes on until nothing new is found. */
  #fillWeakCollections(): void {
    const { encoder } = this.#context
    for (let isFound = true; isFound; ) {
      isFound = false
      for (const { node, entries, done } of this.#weakCollections) {
        for (const [key, value] of entries) {
          const ref = encoder.memo.get(key)
          if (ref === undefined || done.has(key)) continue
          done.add(key)
          isFound = true
          ;(node[1] as number[]).push(ref, encoder.encode(value, ['<weak>']))
        }
      }
    }
  }

  #meta(): EnvironmentMeta {
    const { functions, variables, known } = this.#context
    const sources = functions.entries.flatMap(({ index, source }) =>
      source === undefined ? [] : { index, source },
    )
    return {
      variables: variables.all().map(({ ref }) => ref),
      prototypes: sources.flatMap(({ index, source: { prototypeExtra } }) =>
        prototypeExtra === undefined ? [] : [[index, prototypeExtra] as const],
      ),
      staticPrivates: sources.flatMap(({ index, source: { staticPrivates } }) =>
        staticPrivates === undefined ? [] : [[index, staticPrivates] as const],
      ),
      classes: this.#ownClasses().map(([index, fn]) => [index, classIdOf(fn)] as const),
      importedClasses: known
        .importedFunctions()
        .filter(([, fn]) => hasPrototype(fn))
        .map(([index, fn]) => [index, classIdOf(fn)] as const),
    }
  }

  /** Classes, and functions that are used as such. */
  #ownClasses(): [number, Function][] {
    return this.#context.functions.entries.flatMap(({ index, fn, source }) => {
      const isClass = source?.code.form === 'class' || source?.prototypeExtra !== undefined
      return isClass ? [[index, fn] as [number, Function]] : []
    })
  }

  #classes(): [string, Function][] {
    const imported = this.#context.known.importedFunctions().filter(([, fn]) => hasPrototype(fn))
    return [...imported, ...this.#ownClasses()].map(([, fn]) => [classIdOf(fn), fn])
  }
}

function hasPrototype(fn: Function): boolean {
  return typeof fn.prototype === 'object' && fn.prototype !== null
}
