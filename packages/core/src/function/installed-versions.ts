import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { InstalledVersions } from '../driver/compute-backend.ts'

interface Manifest {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * What a package needs at run time, by the exact versions that are installed here, all the way down. What is not
 * installed, a part for another platform for instance, is not in it; neither is what would lead round in a circle.
 */
export function installedVersions(folder: string, above: readonly string[] = []): InstalledVersions {
  const { dependencies = {}, optionalDependencies = {} } = readManifest(folder)
  const versions: Record<string, InstalledVersions[string]> = {}
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies }).sort()) {
    const found = findPackage(name, folder)
    if (found === undefined || above.includes(found)) continue
    const { version } = readManifest(found)
    if (version === undefined) continue
    const below = installedVersions(found, [...above, folder])
    versions[name] = { version, ...(Object.keys(below).length === 0 ? {} : { dependencies: below }) }
  }
  return versions
}

/** As Node looks for it: in the folders `node_modules` from there upwards. */
function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (basename(folder) !== 'node_modules') {
      const found = join(folder, 'node_modules', name)
      if (existsSync(join(found, 'package.json'))) return realpathSync(found)
    }
    if (folder === dirname(folder)) return undefined
  }
}

function readManifest(folder: string): Manifest {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  } catch {
    return {}
  }
}
