import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LithopsError } from './errors/index.ts'

const found = new Map<string, string>()

/** Path of a file below dist/ of this package that is run or bundled elsewhere. `name` has slashes. */
export function builtFile(name: string): string {
  let file = found.get(name)
  if (file === undefined) {
    const built = join('dist', ...name.split('/'))
    file = beside(built, fileURLToPath(import.meta.url)) ?? inProject(built)
    if (file === undefined) {
      throw new LithopsError(
        `The file @lithops/core/dist/${name}, which is needed at run time, was not found. If your program is bundled, keep ` +
          '@lithops/core out of the bundle (external) and install it beside the bundle.',
        { code: 'LITHOPS_WORKER_FILE_NOT_FOUND' },
      )
    }
    found.set(name, file)
  }
  return file
}

/** From the folder of this file upwards: dist/ of the package, or its src/ when run from source. */
function beside(built: string, file: string): string | undefined {
  for (let directory = dirname(file), i = 0; i < 4; directory = dirname(directory), i++) {
    const candidate = join(directory, built)
    if (existsSync(candidate)) return candidate
  }
  return undefined
}

/** For programs that have core in a bundle of their own: the installed package. */
function inProject(built: string): string | undefined {
  try {
    const require = createRequire(join(process.cwd(), 'package.json'))
    return beside(built, require.resolve('@lithops/core/package.json'))
  } catch {
    return undefined
  }
}
