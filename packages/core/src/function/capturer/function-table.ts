import { types } from 'node:util'
import type { GraphNode } from '../../codec/graph.ts'
import type { Path } from '../../codec/refusal.ts'
import { inspectFunction, type SourceFacts } from '../inspector/inspect-function.ts'
import { locateFunction } from '../source/locate.ts'
import type { Script } from '../source/script.ts'
import { builtinMemberOf } from './builtin-modules.ts'
import { nodeOfExport } from './by-reference.ts'
import { CaptureError } from './capture-error.ts'
import type { CaptureContext } from './context.ts'
import type { FunctionEntry } from './function-entry.ts'
import { membersOf } from './function-members.ts'
import { captureSource } from './function-source.ts'
import { hostExpression } from './intrinsics.ts'

/** More functions of packages than this are a sign that a package's inside is being copied. */
const MAX_PACKAGE_FUNCTIONS = 30

/** The functions of the captured graph. */
export class FunctionTable {
  readonly entries: FunctionEntry[] = []
  /** A function of each script, for what is looked up at the level of its module. */
  readonly factsByScript = new Map<Script, SourceFacts>()
  readonly #byFunction = new Map<Function, FunctionEntry>()
  readonly #context: CaptureContext
  #rootScript: Script | undefined
  #packageFunctions = 0

  constructor(context: CaptureContext) {
    this.#context = context
  }

  get(fn: unknown): FunctionEntry | undefined {
    return this.#byFunction.get(fn as Function)
  }

  /** The node of a function; `owner` is the object that holds it, where it was come by that way. */
  encode(fn: Function, path: Path, owner: object | undefined): GraphNode {
    const entry = this.#byFunction.get(fn) ?? this.#add(fn, path, owner)
    if (entry.node !== undefined) return entry.node(path)
    const extra = membersOf(this.#context, entry, path)
    return extra === undefined ? ['F', entry.index] : ['F', entry.index, extra]
  }

  #add(fn: Function, path: Path, owner: object | undefined): FunctionEntry {
    const entry: FunctionEntry = { index: this.entries.length, fn }
    this.entries.push(entry)
    this.#byFunction.set(fn, entry)
    this.#context.undo.add(() => {
      this.entries.pop()
      this.#byFunction.delete(fn)
    })
    if (types.isProxy(fn)) throw new CaptureError('it is a Proxy (pass the function behind it)', path)
    const facts = inspectFunction(fn)
    if (facts.kind === 'source') this.#addOfSource(entry, facts, path, owner)
    else if (facts.kind === 'native') entry.node = constant(this.#nodeOfNode(fn, 'native code', path))
    else {
      const { encoder } = this.#context
      entry.node = way => [
        'B',
        encoder.encode(facts.target, [...way, '<bound target>']),
        encoder.encode(facts.thisValue, [...way, '<bound this>']),
        facts.args.map((argument, i) => encoder.encode(argument, [...way, `<bound arg ${i}>`])),
      ]
    }
    return entry
  }

  #addOfSource(entry: FunctionEntry, facts: SourceFacts, path: Path, owner: object | undefined): void {
    const { fn } = entry
    const { script, code } = locateFunction(fn, facts)
    if (script.isInternal) {
      entry.node = constant(this.#nodeOfNode(fn, 'internal to Node.js', path))
      return
    }
    // like cloudpickle: what is exported elsewhere is imported, what belongs to the job's own module is copied
    if (this.#rootScript !== undefined && script !== this.#rootScript) {
      const node = nodeOfExport(this.#context, fn, script, facts)
      if (node !== undefined) {
        entry.node = constant(node)
        return
      }
    }
    this.#countPackageFunction(script, path)
    if (code === undefined) {
      throw new CaptureError(`its source could not be located (${script.url || 'no file'})`, path)
    }
    this.#rootScript ??= script
    this.#context.scripts.add(script)
    if (!this.factsByScript.has(script)) this.factsByScript.set(script, facts)
    captureSource(this.#context, entry, { fn, script, facts, code, path }, owner)
  }

  #countPackageFunction(script: Script, path: Path): void {
    if (!script.isInNodeModules) return
    this.#packageFunctions++
    this.#context.undo.add(() => {
      this.#packageFunctions--
    })
    if (this.#packageFunctions > MAX_PACKAGE_FUNCTIONS) {
      throw new CaptureError(
        `it pulls in more than ${MAX_PACKAGE_FUNCTIONS} functions of a package, ${script.file} (make it in the function, or in a const initializer that calls the package)`,
        path,
      )
    }
  }

  /** The node of a function that Node or V8 brings. */
  #nodeOfNode(fn: Function, kind: string, path: Path): GraphNode {
    const { known } = this.#context
    const expression = hostExpression(fn)
    if (expression !== undefined) return known.globalNode(expression)
    const member = builtinMemberOf(fn)
    if (member !== undefined) return known.builtinNode(member)
    throw new CaptureError(
      `it is ${kind} (${fn.name || 'anonymous'}); make what it belongs to in the function`,
      path,
    )
  }
}

function constant(node: GraphNode): () => GraphNode {
  return () => node
}
