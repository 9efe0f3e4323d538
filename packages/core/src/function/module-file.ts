import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { ConfigError } from '../errors/index.ts'

const ENDINGS = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx']

/**
 * The file of a module that is named with or without its ending, as an absolute path or from one of these folders, the first
 * of which that has it counts. Throws ConfigError that says where it was looked for; `what` is who names it.
 */
export function findModuleFile(name: string, folders: readonly string[], what: string): string {
  const places = [...new Set(folders.map(folder => path.resolve(folder, name)))]
  for (const place of places) {
    const found = [place, ...ENDINGS.map(ending => place + ending)].find(isFile)
    if (found !== undefined) return found
  }
  const isFolder = places.find(existsSync)
  throw new ConfigError(
    isFolder === undefined
      ? `${what}: there is no file ${places.join(', nor ')}${path.extname(name) === '' ? `, with or without an ending such as ${ENDINGS[0]}` : ''}.`
      : `${what}: ${isFolder} is no file. Name the module's file.`,
  )
}

function isFile(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isFile() === true
}
