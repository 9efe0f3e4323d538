import { readFileSync } from 'node:fs'
import path from 'node:path'
import { EMITTED_NAME } from './bundle.ts'
import { remapping, traceMapping } from './lazy-modules.ts'

type RawMap = object | string

/** Positions of a worker's module in the user's source. Everything is loaded and built at the first error. */
export class StackMap {
  readonly #emittedMap: () => RawMap | undefined
  readonly #directory: string
  #trace: import('@jridgewell/trace-mapping').TraceMap | undefined

  /** `emittedMap`: from the emitted module to the user's files. `namedFrom`: see `EmittedModule`. */
  constructor(emittedMap: () => RawMap | undefined, namedFrom = process.cwd()) {
    this.#emittedMap = emittedMap
    this.#directory = namedFrom
  }

  /**
   * Replaces positions in the module `<hash>.mjs` by those of the user's source. `bundleMap` is esbuild's map, if the
   * module was bundled.
   */
  map(stack: string, hash: string, bundleMap: () => string | undefined): string {
    if (!stack.includes(`${hash}.mjs`)) return stack
    const { originalPositionFor } = traceMapping()
    const frame = new RegExp(`(?:file://)?[^\\s()]*${hash}\\.mjs:(\\d+):(\\d+)`, 'g')
    return stack.replace(frame, (place, line: string, column: string) => {
      this.#trace ??= this.#load(bundleMap())
      const original = originalPositionFor(this.#trace, { line: Number(line), column: Number(column) - 1 })
      if (original.source === null) return place
      return `${this.#fileOf(original.source)}:${original.line}:${original.column + 1}`
    })
  }

  /** esbuild names sources relative to its working directory. */
  #fileOf(source: string): string {
    return /^\w[\w+.-]+:/.test(source) ? source : path.resolve(this.#directory, source)
  }

  #load(bundleMap: string | undefined): import('@jridgewell/trace-mapping').TraceMap {
    const { TraceMap } = traceMapping()
    try {
      const emitted = this.#emittedMap()
      const map = bundleMap === undefined ? emitted : compose(bundleMap, emitted)
      return new TraceMap((map ?? EMPTY_MAP) as never)
    } catch {
      // A damaged map, on disk or in a file of the user: an error must not become an error about its stack.
      return new TraceMap(EMPTY_MAP as never)
    }
  }
}

/** From the bundle through the emitted module to the user's files. */
function compose(bundleMap: string, emitted: RawMap | undefined): RawMap {
  return remapping()(bundleMap, (file, context) =>
    context.depth === 1 && file.endsWith(EMITTED_NAME) ? ((emitted ?? null) as never) : null,
  )
}

const EMPTY_MAP = { version: 3, sources: [], names: [], mappings: '' }

/** Reads a source map beside a bundle. */
export function readMap(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
