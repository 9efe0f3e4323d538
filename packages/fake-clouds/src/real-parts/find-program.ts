import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

/** Where scripts/install-real-parts.mjs puts what no package manager puts on the PATH. */
export const PARTS_FOLDER =
  process.env.LITHOPS_REAL_PARTS ??
  path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'lithops-real-parts')

/** Full path of a program from the PATH, or of one that was installed for tests; undefined when there is none. */
export function findProgram(name: string): string | undefined {
  const folders = [
    path.join(PARTS_FOLDER, 'bin'),
    path.join(PARTS_FOLDER, 'python', 'bin'),
    ...(process.env.PATH ?? '').split(path.delimiter),
  ]
  return folders.map(folder => path.join(folder, name)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
