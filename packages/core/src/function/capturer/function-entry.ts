import type { GraphNode, NodeExtra } from '../../codec/graph.ts'
import type { Path } from '../../codec/refusal.ts'
import type { LocatedCode } from '../source/locate.ts'
import type { Script } from '../source/script.ts'
import type { Edit } from './edits.ts'

/** A function of the captured graph. Its index names it in the emitted module. */
export interface FunctionEntry {
  readonly index: number
  readonly fn: Function
  /** Its node when it does not travel by value: bound, native, or imported by the worker. */
  node?: (path: Path) => GraphNode
  /** Its code when it travels by value. */
  source?: FunctionSource
}

/** A function that travels by value. */
export interface FunctionSource {
  readonly script: Script
  readonly code: LocatedCode
  /** What changes in its text, e.g. names of captured variables. */
  readonly edits: Edit[]
  /** Must run as sloppy code, which the emitted module is not. */
  readonly isSloppy: boolean
  /** Names of the emitted module that sloppy code uses, filled when it is written. */
  readonly scopedNames: Set<string>
  /** Thunks for `require('…')` and `import('…')` of sloppy code, by their names. */
  readonly scopedThunks: Map<string, string>
  /** Of a class: expression for the parent when it is a captured value. */
  parent?: string
  /** Of a class: instances with private fields are among the captured values. */
  isRevived: boolean
  /** Of a class: functions that must be made inside it, for the sake of its private names. */
  readonly guests: FunctionEntry[]
  /** The class inside which this function is made. */
  host?: FunctionEntry
  /** Of a method that uses `super`: reference of the prototype of the object that it was written in. */
  homePrototype?: number
  /** Members that were added to the prototype object. */
  prototypeExtra?: NodeExtra
  /** Of a class: name and reference of each static private field. */
  staticPrivates?: (string | number)[]
}

/** An entry that travels by value and has this form. */
export function sourceOfForm(
  entry: FunctionEntry | undefined,
  form: LocatedCode['form'],
): FunctionSource | undefined {
  return entry?.source?.code.form === form ? entry.source : undefined
}
