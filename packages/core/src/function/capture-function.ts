import type { ClassTable } from '../codec/class-table.ts'
import { explainDepth } from '../codec/graph-encoder.ts'
import { packGraph } from '../codec/graph-pack.ts'
import { ImportedClasses } from '../codec/imported-classes.ts'
import { SerializationError } from '../errors/index.ts'
import { bundleModule } from './bundle.ts'
import { contentHash } from './bundle-cache.ts'
import { captureExport } from './capture-export.ts'
import type { CapturedFunction, CaptureOptions, FunctionBundle } from './captured-function.ts'
import { captureGraph, type RawCapture, type RecreatedDeclaration } from './capturer/capture.ts'
import { CaptureError } from './capturer/capture-error.ts'
import { markOf } from './exported.ts'
import { callerFiles, findExport } from './find-export.ts'
import { InspectorSession } from './inspector/inspector-session.ts'
import { readMap, StackMap } from './stack-map.ts'

/**
 * Captures a function as it is at this moment. Synchronous: nothing that the program does afterwards is seen. Throws
 * SerializationError, with the path of captures, the place in the source and what to do instead. A function that
 * `exported` was told of, and every function where there is no inspector, is sent as what its module exports; then what
 * cannot be sent is an error of its bundle.
 */
export function captureFunction(fn: Function, options: CaptureOptions = {}): CapturedFunction {
  const mark = markOf(fn)
  if (mark !== undefined) return captureExport(fn, async () => mark, options)
  const missing = InspectorSession.whyMissing()
  if (missing !== undefined) {
    const callers = callerFiles()
    return captureExport(fn, () => findExport(fn, callers, missing), options)
  }
  const name = fn.name || '(anonymous)'
  const raw = captureRaw(fn, name)
  const env = packGraph(raw.root, raw.graph, raw.meta)
  const { code, needsBundle, revivedImports, computedImports } = raw
  const definedIn = raw.scripts[0]?.file
  const stackMap = new StackMap(raw.sourceMap)
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
      bundle ??= bundleModule(
        { code, needsBundle, revivedImports, computedImports, functionName: name, definedIn },
        options,
      ).then(done => (built = done))
      return bundle
    },
    mapStack: stack => {
      if (built === undefined) return stack
      const { hash, file } = built
      return stackMap.map(stack, hash, () => file && readMap(file.replace(/\.mjs$/, '.map')))
    },
  }
}

function captureRaw(fn: Function, name: string): RawCapture {
  try {
    return captureGraph(fn)
  } catch (error) {
    if (!(error instanceof CaptureError)) throw explainDepth(error)
    throw new SerializationError(error.explain(name), {
      path: error.path,
      ...(error.where === undefined ? {} : { location: error.where }),
    })
  }
}

/** Bound functions count as what they are bound to: they look native but are not. */
function isNative(fn: Function): boolean {
  return /\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn)) && !fn.name.startsWith('bound ')
}

function classTableOf({ classes, imported }: RawCapture): ClassTable {
  const ids = new Map<object, string>()
  const prototypes = new Map<string, object>()
  for (const [id, { prototype }] of classes) {
    if (prototype === undefined || prototype === null) continue
    ids.set(prototype, id)
    prototypes.set(id, prototype)
  }
  const ofImports = new ImportedClasses(imported.map(value => () => value))
  return {
    idOf: prototype => ids.get(prototype) ?? ofImports.idOf(prototype),
    prototypeOf: id => prototypes.get(id) ?? ofImports.prototypeOf(id),
  }
}

/** Captured values of this size are worth a word: they travel to every worker. */
const LARGE_ENVIRONMENT_BYTES = 8 * 1024 * 1024

function warningsOf(
  name: string,
  recreated: readonly RecreatedDeclaration[],
  environmentBytes: number,
): string[] {
  const warnings = recreated.map(
    ({ names, reason, place }) =>
      `Function '${name}': ${names.map(one => `'${one}'`).join(', ')} (declared at ${place}) will be recreated on the worker by its own ` +
      `initializer, because ${reason}. What the program has changed in it since is not there: its state is lost.`,
  )
  if (environmentBytes > LARGE_ENVIRONMENT_BYTES) {
    warnings.push(
      `Function '${name}' captures ${(environmentBytes / 1e6).toFixed(1)} MB of values, which every worker has to read. ` +
        'Pass what differs from call to call as items, and large data through storage.',
    )
  }
  return warnings
}
