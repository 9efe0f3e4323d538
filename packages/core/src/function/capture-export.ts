import { packGraph } from '../codec/graph-pack.ts'
import { ImportedClasses } from '../codec/imported-classes.ts'
import { SerializationError } from '../errors/index.ts'
import { importUrl } from '../lazy-imports.ts'
import type { EnvironmentMeta } from '../worker/instantiate.ts'
import { bundleModule } from './bundle.ts'
import { contentHash } from './bundle-cache.ts'
import type { CapturedFunction, CaptureOptions, FunctionBundle } from './captured-function.ts'
import { emittedSpecifier } from './capturer/import-table.ts'
import type { ModuleExport } from './exported.ts'
import { readMap, StackMap } from './stack-map.ts'

/** A module of this process that takes longer to be there waits for the very job, and is taken as it is. */
const NAMESPACE_WAIT_MS = 2000

const NO_VALUES: EnvironmentMeta = {
  variables: [],
  prototypes: [],
  staticPrivates: [],
  classes: [],
  importedClasses: [],
}

/** The function as an export of a module that the worker imports. `find` is asked at once, for the first bundle. */
export function captureExport(
  fn: Function,
  find: () => Promise<ModuleExport>,
  options: CaptureOptions,
): CapturedFunction {
  const name = fn.name || '(anonymous)'
  const env = packGraph(0, { nodes: [['R', 0]], buffers: [] }, NO_VALUES)
  const stackMap = new StackMap(() => undefined)
  let namespace: unknown
  let bundle: Promise<FunctionBundle> | undefined
  let built: FunctionBundle | undefined
  const build = async () => {
    const found = await find()
    namespace = await namespaceOf(found)
    refuseOther(fn, found, namespace)
    built = await bundleModule(
      {
        code: moduleOf(found),
        needsBundle: true,
        computedImports: [],
        revivedImports: [],
        functionName: name,
        definedIn: undefined,
      },
      options,
    )
    return built
  }
  return {
    name,
    isNative: false,
    env,
    envHash: contentHash(env),
    classes: new ImportedClasses([() => namespace]),
    warnings: [],
    bundle: () => {
      bundle ??= build()
      return bundle
    },
    mapStack: stack => {
      if (built === undefined) return stack
      const { hash, file } = built
      return stackMap.map(stack, hash, () => file && readMap(file.replace(/\.mjs$/, '.map')))
    },
  }
}

/** Like what capture emits, with nothing captured. */
function moduleOf({ file, name }: ModuleExport): string {
  const from = JSON.stringify(emittedSpecifier(file, file))
  return `import * as module from ${from}
import { ${JSON.stringify(name)} as fn } from ${from}
export default $h => {
$h.refs([() => fn]);
$h.imports([() => module]);
return $h.done();
}
`
}

/** The module as this process has loaded it; undefined while it is still being evaluated. */
async function namespaceOf({ url }: ModuleExport): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const waiting = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, NAMESPACE_WAIT_MS, undefined)
  })
  try {
    return await Promise.race([importUrl(url).catch(() => undefined), waiting])
  } finally {
    clearTimeout(timer)
  }
}

/** Refuses an export that is another function: the worker would call that one. */
function refuseOther(fn: Function, { file, name }: ModuleExport, namespace: unknown): void {
  if (namespace === undefined) return
  const { default: whole, ...named } = namespace as { default?: unknown }
  const value =
    name === 'default' ? whole : ((named as Record<string, unknown>)[name] ?? memberOf(whole, name))
  // a test runner may load modules of its own beside those of Node
  if (value === fn || (typeof value === 'function' && String(value) === String(fn))) return
  throw new SerializationError(
    `Cannot send function '${fn.name || '(anonymous)'}' to a worker: ${file} ${value === undefined ? `exports nothing called '${name}'` : `exports something else as '${name}'`}. ` +
      'Give exported() the module and the name of the function itself.',
    { location: file },
  )
}

function memberOf(whole: unknown, name: string): unknown {
  return whole !== null && typeof whole === 'object' ? (whole as Record<string, unknown>)[name] : undefined
}
