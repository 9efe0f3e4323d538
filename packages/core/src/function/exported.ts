import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Where a function is exported. */
export interface ModuleExport {
  /** Path of the module's file. */
  readonly file: string
  /** The file as a URL, as the program imports it. */
  readonly url: string
  /** 'default', or the name. */
  readonly name: string
}

const marks = new WeakMap<Function, ModuleExport>()

/**
 * Says that a function is to be sent as an export of a module: the module is bundled, and workers call that export. The
 * function is not looked into, so this works where it cannot be: without V8's inspector, for functions that a capture
 * refuses, and for modules whose top level should run on the worker. What the program has changed in the module since it
 * was loaded is not there.
 *
 * `module` is the URL or absolute path of the module's file, for example `import.meta.resolve('./resize.js')`, or
 * `import.meta.url` in the module itself; `name` what the module calls the function, by default its own name. Returns the
 * function. Throws TypeError for arguments that cannot be right; a module without that export is a SerializationError of
 * the job.
 */
export function exported<Fn extends (...args: never[]) => unknown>(
  fn: Fn,
  module: string | URL,
  name: string = fn?.name,
): Fn {
  if (typeof fn !== 'function') throw new TypeError('exported() takes the function that the module exports.')
  if (name === '') {
    throw new TypeError(
      "exported() takes the name of the export as its third argument for a function without a name, e.g. 'default'.",
    )
  }
  marks.set(fn, { ...locationOf(module), name })
  return fn
}

function locationOf(module: string | URL): { file: string; url: string } {
  const text = String(module)
  if (text.startsWith('file:')) return { file: fileURLToPath(text.replace(/[?#].*$/, '')), url: text }
  if (path.isAbsolute(text)) return { file: text, url: pathToFileURL(text).href }
  throw new TypeError(
    `exported() takes the URL or the absolute path of the module's file, such as import.meta.resolve('./module.js'), and not '${text}'.`,
  )
}

/** What `exported` said of the function, or undefined. */
export function markOf(fn: Function): ModuleExport | undefined {
  return marks.get(fn)
}

/** The name under which a loaded CommonJS module exports the function, with its file. */
export function commonJsExportOf(fn: Function): ModuleExport | undefined {
  for (const [file, module] of Object.entries(createRequire(import.meta.url).cache)) {
    const name = nameOfExport(module?.exports, fn)
    if (name !== undefined) return { file, url: pathToFileURL(file).href, name }
  }
  return undefined
}

/** The name of a property that holds the function; accessors are not asked. */
export function nameOfExport(exports: unknown, fn: Function): string | undefined {
  if (exports === fn) return 'default'
  if (exports === null || (typeof exports !== 'object' && typeof exports !== 'function')) return undefined
  return Object.keys(exports).find(key => Object.getOwnPropertyDescriptor(exports, key)?.value === fn)
}
