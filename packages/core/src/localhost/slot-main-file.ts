import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LithopsError } from '../errors/index.ts'

const BUILT = join('dist', 'localhost', 'slot-main.cjs')

let found: string | undefined

/** Path of the built worker of the localhost backend. */
export function slotMainFile(): string {
  found ??= beside(fileURLToPath(import.meta.url)) ?? inProject()
  if (found === undefined) {
    throw new LithopsError(
      `The file of the localhost worker (@lithops/core/${BUILT}) was not found. If your program is bundled, keep ` +
        '@lithops/core out of the bundle (external) and install it beside the bundle.',
      { code: 'LITHOPS_WORKER_FILE_NOT_FOUND' },
    )
  }
  return found
}

/** From the folder of this file upwards: dist/ of the package, or its src/ when run from source. */
function beside(file: string): string | undefined {
  for (let directory = dirname(file), i = 0; i < 4; directory = dirname(directory), i++) {
    const candidate = join(directory, BUILT)
    if (existsSync(candidate)) return candidate
  }
  return undefined
}

/** For programs that have core in a bundle of their own: the installed package. */
function inProject(): string | undefined {
  try {
    const require = createRequire(join(process.cwd(), 'package.json'))
    return beside(require.resolve('@lithops/core/package.json'))
  } catch {
    return undefined
  }
}
