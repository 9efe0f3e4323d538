import type { Path } from '../../codec/refusal.ts'
import { readVariable, type ScopeObject } from '../inspector/inspect-function.ts'
import type { LocatedCode } from '../source/locate.ts'
import type { Declaration, Scope } from '../source/scope.ts'
import type { Script } from '../source/script.ts'
import { isClassNode, isFunctionNode } from '../source/syntax.ts'
import type { CaptureContext } from './context.ts'

/** A variable of the emitted module that holds a captured value. */
export interface CapturedVariable {
  /** What the user calls it. */
  readonly wantedName: string
  /** What the emitted module calls it. */
  localName: string
  /** Reference of the value in the graph. */
  ref: number
}

/** One run of a scope's code: what its variables were, and which function literals were seen to come from it. */
interface ScopeInstance {
  readonly id: number
  readonly values: ReadonlyMap<string, unknown>
  readonly functions: Map<unknown, Function>
}

/** The captured variables. Functions that share a variable share it on the worker as well. */
export class VariableTable {
  readonly #variables = new Map<string, CapturedVariable>()
  readonly #instances = new Map<Scope, ScopeInstance[]>()
  readonly #thisIds = new Map<unknown, number>()
  readonly #context: CaptureContext

  constructor(context: CaptureContext) {
    this.#context = context
  }

  get(key: string): CapturedVariable | undefined {
    return this.#variables.get(key)
  }

  all(): CapturedVariable[] {
    return [...this.#variables.values()]
  }

  /** The variable with this key; a new one gets its value encoded. */
  add(key: string, wantedName: string, read: () => unknown, path: Path): CapturedVariable {
    const known = this.#variables.get(key)
    if (known !== undefined) return known
    const variable: CapturedVariable = { wantedName, localName: wantedName, ref: -1 }
    this.#variables.set(key, variable)
    this.#context.undo.add(() => this.#variables.delete(key))
    variable.ref = this.#context.encoder.encode(read(), path)
    return variable
  }

  /** The variable that stands for `this` in arrows: one for each `this` and each function that gave it. */
  addThis(script: Script, ownerStart: number, value: unknown, path: Path): CapturedVariable {
    let id = this.#thisIds.get(value)
    if (id === undefined) {
      id = this.#thisIds.size
      this.#thisIds.set(value, id)
    }
    return this.add(`this@${script.id}:${ownerStart}:${id}`, '$this', () => value, [...path, 'this'])
  }

  /**
   * What tells variables apart: at module level their name, below it also the run of the function that made them. V8
   * does not say whether two functions share a scope, so runs are told apart by the values of all variables.
   */
  keyOf(
    declaration: Declaration,
    values: ScopeObject,
    script: Script,
    fn: Function,
    code: LocatedCode | undefined,
  ): string {
    const { scope, name } = declaration
    if (scope.kind === 'module') return `${script.id}:${name}`
    const instance = this.#instanceOf(scope, values, fn, code?.node)
    return `${script.id}:${scope.start}#${instance.id}:${name}`
  }

  #instanceOf(scope: Scope, object: ScopeObject, fn: Function, literal: unknown): ScopeInstance {
    let instances = this.#instances.get(scope)
    if (instances === undefined) {
      instances = []
      this.#instances.set(scope, instances)
    }
    const values = new Map(Object.keys(object).map(name => [name, readVariable(object, name)]))
    const isMutable = [...scope.declarations.values()].some(
      ({ name, isReassigned }) => isReassigned && values.has(name),
    )
    for (const instance of instances) {
      const likeness = compare(instance.values, values, scope)
      if (likeness === 'different') continue
      // Equal primitives prove nothing: two functions of one literal may have counters of their own at the same count.
      const other = instance.functions.get(literal)
      if (likeness === 'alike' && isMutable && other !== undefined && other !== fn) continue
      instance.functions.set(literal, fn)
      return instance
    }
    const instance = { id: instances.length, values, functions: new Map([[literal, fn]]) }
    instances.push(instance)
    return instance
  }
}

/** 'same' when a variable holds something that each run makes anew. */
function compare(
  known: ReadonlyMap<string, unknown>,
  values: ReadonlyMap<string, unknown>,
  scope: Scope,
): 'same' | 'alike' | 'different' {
  let likeness: 'same' | 'alike' = 'alike'
  for (const [name, value] of values) {
    if (!known.has(name)) continue
    if (!Object.is(known.get(name), value)) return 'different'
    const isReference = typeof value === 'function' || (typeof value === 'object' && value !== null)
    const declaration = scope.declarations.get(name)
    if (isReference && declaration !== undefined && isMadeByEachRun(declaration)) likeness = 'same'
  }
  return likeness
}

function isMadeByEachRun({ kind, init }: Declaration): boolean {
  if (kind === 'function' || kind === 'class') return true
  if (init === undefined) return false
  return (
    isFunctionNode(init) ||
    isClassNode(init) ||
    init.type === 'ObjectExpression' ||
    init.type === 'ArrayExpression' ||
    init.type === 'NewExpression'
  )
}
