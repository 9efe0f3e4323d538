import { fileURLToPath } from 'node:url'
import type { ClassTable } from '../codec/class-table.ts'
import type { Graph } from '../codec/graph.ts'
import { explainDepth } from '../codec/graph-encoder.ts'
import { packGraph } from '../codec/graph-pack.ts'
import { SerializationError } from '../errors/index.ts'
import type { EnvironmentMeta } from '../worker/instantiate.ts'
import { bundleModule } from './bundle.ts'
import { contentHash } from './bundle-cache.ts'
import type { CapturedFunction, CaptureOptions, FunctionBundle } from './captured-function.ts'
import { CaptureError, capture, explain } from './capturer/capture.mjs'
import { readMap, StackMap } from './stack-map.ts'

/** What the capturer found out about a function. */
interface RawCapture {
  readonly code: string
  readonly needsBundle: boolean
  readonly graph: Graph
  readonly root: number
  readonly meta: EnvironmentMeta
  /** The functions of this process, by their indexes. */
  readonly fnValues: readonly Function[]
  /** Imported classes and functions, by the index of the known value. */
  readonly refVals: Readonly<Record<number, Function>>
  readonly map: () => object
  readonly scripts: readonly string[]
  readonly recreated: readonly {
    readonly names: readonly string[]
    readonly because: string
    readonly where: string
  }[]
}

/**
 * Captures a function as it is at this moment. Synchronous: nothing that the program does afterwards is seen. Throws
 * SerializationError, with the path of captures, the place in the source and what to do instead.
 */
export function captureFunction(fn: Function, options: CaptureOptions = {}): CapturedFunction {
  const name = fn.name || '(anonymous)'
  const raw = captureRaw(fn, name)
  const env = packGraph(raw.root, raw.graph, raw.meta)
  const { code, needsBundle, scripts } = raw
  const definedIn = scripts[0]?.startsWith('file:') ? fileURLToPath(scripts[0]) : undefined
  const stackMap = new StackMap(raw.map)
  let bundle: Promise<FunctionBundle> | undefined
  let built: FunctionBundle | undefined
  return {
    name,
    isNative: isNative(fn),
    env,
    get envHash() {
      return contentHash(env)
    },
    classes: classTableOf(raw),
    warnings: warningsOf(name, raw.recreated, env.length),
    bundle: () => {
      bundle ??= bundleModule({ code, needsBundle, functionName: name, definedIn }, options).then(
        done => (built = done),
      )
      return bundle
    },
    mapStack: stack => {
      if (built === undefined) return stack
      const { hash, file } = built
      return stackMap.map(stack, hash, () => readMap(file.replace(/\.mjs$/, '.map')))
    },
  }
}

function captureRaw(fn: Function, name: string): RawCapture {
  try {
    return capture(fn, { sourcemap: true }) as RawCapture
  } catch (error) {
    if (!(error instanceof CaptureError)) throw explainDepth(error)
    const { path = [], where } = error as { path?: (string | number | symbol)[]; where?: string }
    throw new SerializationError(explain(error, name), {
      path,
      ...(where === undefined ? {} : { location: where }),
    })
  }
}

/** Bound functions count as what they are bound to: they look native but are not. */
function isNative(fn: Function): boolean {
  return /\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn)) && !fn.name.startsWith('bound ')
}

function classTableOf({ meta, fnValues, refVals }: RawCapture): ClassTable {
  const ids = new Map<object, string>()
  const prototypes = new Map<string, object>()
  const add = (id: string, constructor: Function | undefined) => {
    const prototype = constructor?.prototype as object | undefined
    if (prototype === undefined) return
    ids.set(prototype, id)
    prototypes.set(id, prototype)
  }
  for (const [index, id] of meta.importedClasses) add(id, refVals[index])
  for (const [index, id] of meta.classes) add(id, fnValues[index])
  return { idOf: prototype => ids.get(prototype), prototypeOf: id => prototypes.get(id) }
}

/** Captured values of this size are worth a word: they travel to every worker. */
const LARGE_ENVIRONMENT_BYTES = 8 * 1024 * 1024

function warningsOf(
  name: string,
  recreated: readonly {
    readonly names: readonly string[]
    readonly because: string
    readonly where: string
  }[],
  environmentBytes: number,
): string[] {
  const warnings = recreated.map(
    ({ names, because, where }) =>
      `Function '${name}': ${names.map(one => `'${one}'`).join(', ')} (declared at ${where}) will be recreated on the worker by its own ` +
      `initializer, because ${because}. What the program has changed in it since is not there: its state is lost.`,
  )
  if (environmentBytes > LARGE_ENVIRONMENT_BYTES) {
    warnings.push(
      `Function '${name}' captures ${(environmentBytes / 1e6).toFixed(1)} MB of values, which every worker has to read. ` +
        'Pass what differs from call to call as items, and large data through storage.',
    )
  }
  return warnings
}
