import type { ClassTable } from '../codec/class-table.ts'
import type { NativePackage } from '../driver/compute-backend.ts'

/** A function's code, ready for workers: one ES module that needs nothing of the user's files. */
export interface FunctionBundle {
  /** Content hash of the module (hex, 32 characters). The same content always has the same hash. */
  readonly hash: string
  /**
   * Where the module lies in the disk cache of this machine; a worker that shares the disk imports it from here. Undefined
   * when the disk does not take it, because it is full for instance.
   */
  readonly file: string | undefined
  /** Size of the module in bytes. */
  readonly sizeBytes: number
  /** Packages with native addons that were left out and must exist on the worker. */
  readonly externalPackages: readonly NativePackage[]
  /** Reads the module's text. */
  read(): Promise<Uint8Array>
}

/** What `captureFunction` returns: the function as it was at that moment, independent of what the program does next. */
export interface CapturedFunction {
  /** The function's own name, or '(anonymous)'. */
  readonly name: string
  /** True for native functions such as Math.max: they get the item alone, never the call context. */
  readonly isNative: boolean
  /** Captured values, encoded (codec/graph.ts). Code and values are hashed apart: fresh values reuse the bundle. */
  readonly env: Uint8Array
  /** Content hash of `env` (hex, 32 characters). Computed when first read. */
  readonly envHash: string
  /** The classes that travelled, with the prototypes of this process. */
  readonly classes: ClassTable
  /** What the user should know: an object that is made anew on the worker, state that is lost, a large environment. */
  readonly warnings: readonly string[]
  /** Builds the bundle, or finds it in the memory or disk cache. Several calls share one build. */
  bundle(): Promise<FunctionBundle>
  /** Replaces worker positions in a remote stack by positions in the user's source. */
  mapStack(stack: string): string
}

export interface CaptureOptions {
  /** Modules to keep out of the bundle: the worker has them. */
  readonly excludeModules?: readonly string[]
  /** Modules to bundle even if nothing imports them literally, e.g. those of a computed `import()`. */
  readonly includeModules?: readonly string[]
}
