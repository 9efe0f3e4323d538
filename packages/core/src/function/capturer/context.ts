import type { GraphEncoder } from '../../codec/graph-encoder.ts'
import type { Script } from '../source/script.ts'
import type { FunctionTable } from './function-table.ts'
import type { ImportTable } from './import-table.ts'
import type { KnownValues } from './known-values.ts'
import type { RecreationTable } from './recreations.ts'
import type { UndoLog } from './undo-log.ts'
import type { VariableTable } from './variables.ts'

/** What the parts of one capture share. */
export interface CaptureContext {
  readonly encoder: GraphEncoder
  readonly undo: UndoLog
  readonly imports: ImportTable
  readonly known: KnownValues
  readonly functions: FunctionTable
  readonly variables: VariableTable
  readonly recreations: RecreationTable
  /** Names of globals that the emitted code uses, which no variable of it may take. */
  readonly globals: Set<string>
  /** Specifiers of `import()` and `require()` in the code of functions. */
  readonly dynamicSpecifiers: Set<string>
  /** Text that V8 was made to parse for questions about variables. */
  readonly asked: { characters: number }
  /** Scripts whose functions travel by value, the root function's first. */
  readonly scripts: Set<Script>
}
