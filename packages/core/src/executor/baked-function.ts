import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError } from '../errors/index.ts'
import { captureNamedExport } from '../function/capture-export.ts'
import type { CapturedFunction, CaptureOptions } from '../function/captured-function.ts'
import { definitionFilesOf } from '../function/definition-file.ts'
import { type ModuleExport, markOf } from '../function/exported.ts'
import { findModuleFile } from '../function/module-file.ts'

/** The function that a config says its runtime has: `map_func_mod` and `map_func` of the section `serverless`. */
export interface BakedFunction {
  readonly module: string
  readonly name: string
  /** Where else than in the working directory the module is looked for. */
  readonly folders: readonly string[]
}

/**
 * A map's function as the export that the runtime has. What its runtime has must be the same by its content; here it is seen
 * that the function is that export at all.
 *
 * @throws ConfigError where there is no such module, or the function is another one
 */
export function captureBaked(fn: Function, baked: BakedFunction, options: CaptureOptions): CapturedFunction {
  const file = findModuleFile(baked.module, foldersOf(baked), 'serverless.map_func_mod')
  const found = { file, url: pathToFileURL(file).href, name: baked.name }
  refuseFunctionOfOtherFile(fn, found)
  return captureNamedExport(found, fn, options)
}

function foldersOf({ folders }: BakedFunction): string[] {
  const [, main] = process.argv
  return [process.cwd(), ...folders, ...(main === undefined ? [] : [path.dirname(path.resolve(main))])]
}

function refuseFunctionOfOtherFile(fn: Function, { file, name }: ModuleExport): void {
  const mark = markOf(fn)
  const files = mark === undefined ? definitionFilesOf(fn) : [mark.file]
  const isThere = files.length === 0 || files.some(one => real(one) === real(file))
  if (isThere && (mark === undefined || mark.name === name)) return
  const called = fn.name === '' ? 'The function given to map' : `The function '${fn.name}' given to map`
  const where =
    mark === undefined ? `is defined in ${files.at(-1)}` : `is what ${mark.file} exports as '${mark.name}'`
  throw new ConfigError(
    `${called} ${where}, and the runtime has '${name}' of ${file}, by serverless.map_func_mod and map_func. ` +
      'Give map that function, or leave the two keys out of the config to send this one.',
  )
}

function real(file: string): string {
  return existsSync(file) ? realpathSync(file) : file
}
