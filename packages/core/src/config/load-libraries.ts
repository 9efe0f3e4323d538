import { createRequire } from 'node:module'
import { builtFile } from '../built-file.ts'

export type ConfigLibraries = typeof import('./libraries.ts')

let loaded: ConfigLibraries | undefined

/** Loaded when there is a config: a program without one does not pay for it. */
export function configLibraries(): ConfigLibraries {
  loaded ??= createRequire(import.meta.url)(builtFile('config/libraries.cjs')) as ConfigLibraries
  return loaded
}
