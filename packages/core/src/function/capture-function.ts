import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { ByteWriter } from '../codec/byte-writer.ts'
import type { ClassTable } from '../codec/class-table.ts'
import { writeSections } from '../codec/sections.ts'
import { SerializationError } from '../errors/index.ts'
import { bundleModule } from './bundle.ts'
import type { CapturedFunction, CaptureOptions, FunctionBundle } from './captured-function.ts'
import { CaptureError, capture, explain } from './interim/capture.mjs'
import { readMap, StackMap } from './stack-map.ts'

export function captureFunction(fn: Function, options: CaptureOptions = {}): CapturedFunction {
  let raw: Record<string, never>
  try {
    raw = capture(fn, { sourcemap: true })
  } catch (error) {
    if (error instanceof CaptureError) {
      const e = error as Error & { path?: (string | number | symbol)[]; where?: string }
      throw new SerializationError(explain(e, fn.name || '(anonymous)'), {
        path: e.path ?? [],
        location: e.where,
      })
    }
    throw error
  }
  const { env, root, code, needsBundle, fnValues, refVals, map, scripts } = raw as unknown as {
    env: { n: unknown[] & { meta: unknown }; b: Uint8Array[] }
    root: number
    code: string
    needsBundle: boolean
    fnValues: Function[]
    refVals: Record<number, Function>
    map: () => object
    scripts: string[]
  }
  const writer = new ByteWriter()
  writeSections(writer, JSON.stringify([root, env.n, env.n.meta]), env.b)
  const envBytes = writer.take()
  let bundle: Promise<FunctionBundle> | undefined
  let built: FunctionBundle | undefined
  const stackMap = new StackMap(map)
  const definedIn = scripts[0]?.startsWith('file:') ? fileURLToPath(scripts[0]) : undefined
  const ids = new Map<object, string>()
  const prototypes = new Map<string, object>()
  const note = (id: string, f: Function) => {
    if (typeof f?.prototype !== 'object' || f.prototype === null) return
    if (!ids.has(f.prototype)) ids.set(f.prototype, id)
    prototypes.set(id, f.prototype)
  }
  fnValues.forEach((f, k) => {
    note(`C${k}`, f)
  })
  for (const [i, f] of Object.entries(refVals)) note(`K${i}`, f)
  const classes: ClassTable = { idOf: p => ids.get(p), prototypeOf: id => prototypes.get(id) }
  return {
    name: fn.name || '(anonymous)',
    isNative:
      /\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn)) && !fn.name.startsWith('bound '),
    env: envBytes,
    get envHash() {
      return createHash('sha256').update(envBytes).digest('hex').slice(0, 32)
    },
    classes,
    warnings: [],
    bundle: () =>
      (bundle ??= bundleModule(
        { code, needsBundle, functionName: fn.name || '(anonymous)', definedIn },
        options,
      ).then(done => (built = done))),
    mapStack: stack => {
      if (built === undefined) return stack
      const { hash, file } = built
      return stackMap.map(stack, hash, () =>
        needsBundle ? readMap(file.replace(/\.mjs$/, '.map')) : undefined,
      )
    },
  }
}
