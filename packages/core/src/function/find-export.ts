import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { SerializationError } from '../errors/index.ts'
import { importEsbuild, importMetaResolve, importUrl } from '../lazy-imports.ts'
import { commonJsExportOf, type ModuleExport, nameOfExport } from './exported.ts'

/** Frames of the program that are looked at for the file which starts the job. */
const MOST_FRAMES = 30

/**
 * Finds the module that exports a function where functions cannot be looked into: among the loaded CommonJS modules, and
 * among what the files that start the job import, which is loaded for that reason. Throws SerializationError.
 */
export async function findExport(
  fn: Function,
  callers: readonly string[],
  reason: string,
): Promise<ModuleExport> {
  const required = commonJsExportOf(fn)
  if (required !== undefined) return required
  for (const caller of callers) {
    for (const url of await importsOf(caller)) {
      const namespace: unknown = await importUrl(url).catch(() => undefined)
      const name = nameOfExport(namespace, fn)
      if (name !== undefined) return { file: fileURLToPath(url.replace(/[?#].*$/, '')), url, name }
    }
  }
  const [caller] = callers
  throw new SerializationError(
    `Cannot send function '${fn.name || '(anonymous)'}' to a worker: ${reason}, so that a function can be sent only as what a module exports, ` +
      `and no module that ${caller ?? 'the program'} imports exports it. Export it from a module of its own and import that, or name the ` +
      "module: exported(fn, import.meta.resolve('./module.js')).",
    caller === undefined ? {} : { location: caller },
  )
}

/** The files of the program that are on the stack, without ours and those of packages, the innermost first. */
export function callerFiles(): string[] {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = MOST_FRAMES
  const stack = String(new Error('where').stack)
  Error.stackTraceLimit = stackTraceLimit
  const found = new Set<string>()
  for (const line of stack.split('\n')) {
    const [, place] =
      /(?:^|[\s(])((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()]*?):\d+(?::\d+)?\)?$/.exec(line) ?? []
    const file = place?.startsWith('file:') ? fileURLToPath(place.replace(/[?#].*$/, '')) : place
    if (file !== undefined && !isOfPackage(file)) found.add(file)
  }
  return [...found]
}

/** Folder of the package's files, which are bundled side by side. */
const own = path.dirname(fileURLToPath(import.meta.url))

function isOfPackage(file: string): boolean {
  return /[\\/]node_modules[\\/]/.test(file) || path.dirname(file) === own
}

/** URLs of what a file imports by literal names. */
async function importsOf(file: string): Promise<string[]> {
  const { build } = await importEsbuild()
  const specifiers: string[] = []
  await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    platform: 'node',
    logLevel: 'silent',
    plugins: [
      {
        name: 'lithops-imports',
        setup(builder) {
          builder.onResolve({ filter: /.*/ }, ({ path: specifier, kind }) => {
            if (kind === 'entry-point') return undefined
            if (kind === 'import-statement') specifiers.push(specifier)
            return { path: specifier, external: true }
          })
        },
      },
    ],
  }).catch(() => {}) // a file that cannot be read has no imports
  const { resolve } = await importMetaResolve()
  return specifiers.flatMap(specifier => {
    try {
      const url = resolve(specifier, pathToFileURL(file).href)
      return url.startsWith('file:') ? url : []
    } catch {
      return /^\.{0,2}\//.test(specifier) ? new URL(specifier, pathToFileURL(file)).href : []
    }
  })
}
