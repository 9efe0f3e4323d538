import { pathToFileURL } from 'node:url'
import type {
  ComputeBackend,
  ExtendedRuntime,
  NativePackage,
  RuntimeFunction,
} from '../driver/compute-backend.ts'
import { ConfigError, NotSupportedError } from '../errors/index.ts'
import { captureNamedExport } from '../function/capture-export.ts'
import type { CaptureOptions } from '../function/captured-function.ts'
import { checkExport } from '../function/check-export.ts'
import { findModuleFile } from '../function/module-file.ts'

/** A function that is to be put into a runtime. */
export interface FunctionChoice {
  /** Path of the file that exports it: TypeScript or JavaScript, an ES module or CommonJS. */
  readonly filepath: string
  /** Name of the export; 'default' for the default one. */
  readonly function: string
}

/** That function, as it is put there. */
export interface NamedFunction {
  readonly file: string
  readonly code: RuntimeFunction
  /** Packages with native addons that it imports. */
  readonly packages: readonly NativePackage[]
}

/** Bundles the function. Whether the file exports it is seen when its code is read. */
export async function bundleFunction(
  { filepath, function: name }: FunctionChoice,
  options: CaptureOptions,
): Promise<NamedFunction> {
  if (typeof filepath !== 'string' || filepath === '')
    throw new ConfigError('filepath must be the path of the file that exports the function.')
  if (typeof name !== 'string' || name === '')
    throw new ConfigError("function must be the name of an export, or 'default'.")
  const file = findModuleFile(filepath, [process.cwd()], 'filepath')
  const found = { file, url: pathToFileURL(file).href, name }
  const { hash, externalPackages, read } = await captureNamedExport(found, undefined, options).bundle()
  return {
    file,
    packages: externalPackages,
    code: {
      name,
      hash,
      read: async () => {
        const code = await read()
        await checkExport(found, code)
        return code
      },
    },
  }
}

/** Puts a function into a runtime of a backend. Throws NotSupportedError where the backend has no such thing. */
export function extendOn(
  backend: ComputeBackend,
  base: string,
  { code }: NamedFunction,
  signal: AbortSignal | undefined,
): Promise<ExtendedRuntime> {
  if (backend.extendRuntime === undefined)
    throw new NotSupportedError(
      `${backend.name} has no runtimes that functions are put into: it sends them with each job.`,
    )
  return backend.extendRuntime({ base, functions: [code] }, signal === undefined ? {} : { signal })
}
