import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RuntimeBuildError } from '@lithops/core/driver'

/** A file of the worker, as the build has made it: beside this code, or beside its source. */
export function workerFile(name: 'entry.cjs' | 'start.cjs'): string {
  const here = dirname(fileURLToPath(import.meta.url))
  const places = [join(here, 'worker', name), join(here, '..', 'dist', 'worker', name)]
  const found = places.find(existsSync)
  if (found !== undefined) return found
  throw new RuntimeBuildError(
    `The worker of @lithops/container-runtime is not at ${places[0]}: keep the package out of the program's bundle, and install it.`,
  )
}
