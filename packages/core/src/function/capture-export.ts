import path from 'node:path'
import { packGraph } from '../codec/graph-pack.ts'
import { ImportedClasses } from '../codec/imported-classes.ts'
import { SerializationError } from '../errors/index.ts'
import { importUrl } from '../lazy-imports.ts'
import type { EnvironmentMeta } from '../worker/instantiate.ts'
import { bundleModule } from './bundle.ts'
import { contentHash } from './bundle-cache.ts'
import type { CapturedFunction, CaptureOptions, FunctionBundle } from './captured-function.ts'
import { emittedSpecifier } from './capturer/import-table.ts'
import { type ModuleExport, markOf } from './exported.ts'
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
  return captureModule(
    { name: fn.name || '(anonymous)', find: () => checkedExport(fn, find), emit: moduleOf },
    options,
  )
}

/**
 * What a module exports, by its file and name alone: for runtimes that have it before its jobs come. The same content of the
 * same files is the same bundle, whatever the working directory, and the place of the files, of the program.
 *
 * @param fn the function as the program has it, which must be that export; undefined where it has none: then nothing of the
 *   module is loaded here
 */
export function captureNamedExport(
  found: ModuleExport,
  fn: Function | undefined,
  options: CaptureOptions,
): CapturedFunction {
  const find = async () => {
    if (fn === undefined) return { found, namespace: undefined }
    const namespace = await namespaceOf(found)
    refuseOtherName(fn, found, namespace)
    return { found, namespace }
  }
  return captureModule(
    { name: found.name, find, emit: moduleByName, namedFrom: path.dirname(found.file) },
    options,
  )
}

interface CheckedExport {
  readonly found: ModuleExport
  /** The module as this process has loaded it; undefined where it has not. */
  readonly namespace: unknown
}

async function checkedExport(fn: Function, find: () => Promise<ModuleExport>): Promise<CheckedExport> {
  const found = await find()
  const namespace = await namespaceOf(found)
  refuseOther(fn, found, namespace)
  return { found, namespace }
}

function captureModule(
  {
    name,
    find,
    emit,
    namedFrom,
  }: {
    readonly name: string
    readonly find: () => Promise<CheckedExport>
    /** The text of the module that workers import. */
    readonly emit: (found: ModuleExport) => string
    readonly namedFrom?: string
  },
  options: CaptureOptions,
): CapturedFunction {
  const env = packGraph(0, { nodes: [['R', 0]], buffers: [] }, NO_VALUES)
  const stackMap = new StackMap(() => undefined, namedFrom)
  let namespace: unknown
  let bundle: Promise<FunctionBundle> | undefined
  let built: FunctionBundle | undefined
  const build = async () => {
    const checked = await find()
    namespace = checked.namespace
    built = await bundleModule(
      {
        code: emit(checked.found),
        needsBundle: true,
        computedImports: [],
        revivedImports: [],
        functionName: name,
        definedIn: undefined,
        ...(namedFrom === undefined ? {} : { namedFrom }),
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

/**
 * The same, with the export looked for when the module is there: what has no such name may have it as a property of its default
 * export, as CommonJS modules do, or be a default export of that name.
 */
function moduleByName({ file, name }: ModuleExport): string {
  const wanted = JSON.stringify(name)
  return `import * as module from ${JSON.stringify(emittedSpecifier(file, file))}
const find = () => {
const whole = module.default;
if (${wanted} in module && typeof module[${wanted}] === 'function') return module[${wanted}];
return whole?.[${wanted}] ?? (whole?.name === ${wanted} ? whole : module[${wanted}]);
};
export default $h => {
$h.refs([find]);
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
function refuseOther(fn: Function, found: ModuleExport, namespace: unknown): void {
  if (namespace === undefined) return
  const value = exportIn(namespace, found.name)
  if (!isSame(value, fn)) throw otherFunction(fn, found, value)
}

/**
 * The same for a function that is known to be of that file: a test runner, or Node beside one, may load a second copy of it whose
 * text is another, or none at all.
 */
function refuseOtherName(fn: Function, found: ModuleExport, namespace: unknown): void {
  const { name } = found
  if (namespace === undefined) {
    if (name !== 'default' && fn.name !== name && markOf(fn) === undefined)
      throw otherFunction(fn, found, null)
    return
  }
  const value = exportIn(namespace, name)
  if (!isSame(value, fn) && (typeof value !== 'function' || value.name !== fn.name))
    throw otherFunction(fn, found, value)
}

function exportIn(namespace: unknown, name: string): unknown {
  const { default: whole, ...named } = namespace as { default?: unknown }
  return name === 'default'
    ? whole
    : ((named as Record<string, unknown>)[name] ?? memberOf(whole, name) ?? ownNamed(whole, name))
}

/** A test runner may load modules of its own beside those of Node. */
function isSame(value: unknown, fn: Function): boolean {
  return value === fn || (typeof value === 'function' && String(value) === String(fn))
}

function otherFunction(fn: Function, { file, name }: ModuleExport, value: unknown): SerializationError {
  return new SerializationError(
    `Cannot send function '${fn.name || '(anonymous)'}' to a worker: ${file} ${value === undefined ? `exports nothing called '${name}'` : `exports something else as '${name}'`}. ` +
      'Give exported() the module and the name of the function itself.',
    { location: file },
  )
}

function ownNamed(whole: unknown, name: string): unknown {
  return typeof whole === 'function' && whole.name === name ? whole : undefined
}

function memberOf(whole: unknown, name: string): unknown {
  return whole !== null && typeof whole === 'object' ? (whole as Record<string, unknown>)[name] : undefined
}
