import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve as resolvePath } from 'node:path'
import { pathToFileURL } from 'node:url'
import { KNOWN_SECTIONS as PYTHON_SECTIONS } from '../config/lithops-section.ts'
import { DriverContractError, DriverNotFoundError } from '../errors/index.ts'
import { nearest } from '../errors/nearest.ts'
import type { ComputeDriver, MonitorDriver, StorageDriver } from './driver.ts'
import { checkDriverShape } from './driver-shape.ts'
import { type DriverKind, KNOWN_DRIVERS, NOT_YET } from './known-drivers.ts'
import { nativeImport } from './native-import.ts'

export interface DriverOf {
  readonly backend: ComputeDriver
  readonly storage: StorageDriver
  readonly monitor: MonitorDriver
}

/** A driver and the file it was found in. */
export interface LoadedDriver<D> {
  readonly driver: D
  readonly file: string
}

/**
 * Finds the package behind a config name and returns its driver. `foo_bar` is looked for as @lithops/backend-foo-bar,
 * lithops-backend-foo-bar and @anyone/lithops-backend-foo-bar (among the dependencies of the project); a path, a file:
 * URL or a package's own name is taken as it is. Resolved from `projectDirectory`.
 */
export async function loadDriver<K extends DriverKind>(
  kind: K,
  name: string,
  projectDirectory: string,
): Promise<LoadedDriver<DriverOf[K]>> {
  const candidates = candidatesFor(kind, name, projectDirectory)
  const { resolve } = await import('import-meta-resolve')
  const parent = pathToFileURL(join(projectDirectory, 'package.json')).href
  for (const candidate of candidates) {
    let url: string
    try {
      url = resolve(candidate, parent)
      if (!existsSync(new URL(url))) continue
    } catch (error) {
      if (isNotFound(error, candidate)) continue
      throw new DriverContractError(
        `${candidate} cannot be resolved from ${projectDirectory}: ${(error as Error).message}`,
        { cause: error },
      )
    }
    const module = await importDriver(candidate, url)
    return { driver: checkDriver(kind, candidate, module), file: url }
  }
  throw notFound(kind, name, candidates, projectDirectory)
}

function candidatesFor(kind: DriverKind, name: string, projectDirectory: string): string[] {
  if (name.startsWith('file:')) return [name]
  if (name.startsWith('.') || isAbsolute(name))
    return [pathToFileURL(resolvePath(projectDirectory, name)).href]
  if (name.includes('/') || name.startsWith(`lithops-${kind}-`)) return [name]
  const kebab = name.replaceAll('_', '-')
  const known = KNOWN_DRIVERS[kind][name]
  const scoped = dependenciesOf(projectDirectory).filter(dependency =>
    dependency.endsWith(`/lithops-${kind}-${kebab}`),
  )
  return [...new Set([known ?? `@lithops/${kind}-${kebab}`, `lithops-${kind}-${kebab}`, ...scoped])]
}

/** Names of the packages that the nearest package.json depends on. */
function dependenciesOf(directory: string): string[] {
  const file = nearestManifest(directory)
  if (file === undefined) return []
  try {
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<
      string,
      Record<string, string> | undefined
    >
    return ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'].flatMap(key =>
      Object.keys(manifest[key] ?? {}),
    )
  } catch {
    return []
  }
}

function nearestManifest(directory: string): string | undefined {
  for (let folder = directory; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file)) return file
    if (folder === dirname(folder)) return undefined
  }
}

function isNotFound(error: unknown, candidate: string): boolean {
  const { code, message = '' } = error as { code?: string; message?: string }
  return (
    code === 'ERR_MODULE_NOT_FOUND' ||
    code === 'MODULE_NOT_FOUND' ||
    (code === 'ENOENT' && message.includes(candidate))
  )
}

async function importDriver(candidate: string, url: string): Promise<Record<string, unknown>> {
  try {
    return (await nativeImport(url)) as Record<string, unknown>
  } catch (cause) {
    throw new DriverContractError(
      `${candidate} was found but could not be loaded: ${(cause as Error).message}`,
      { cause },
    )
  }
}

function checkDriver<K extends DriverKind>(
  kind: K,
  candidate: string,
  module: Record<string, unknown>,
): DriverOf[K] {
  const inDefault = (module.default ?? {}) as Record<string, unknown>
  const driver = (module[kind] ?? inDefault[kind]) as Record<string, unknown> | undefined
  if (typeof driver !== 'object' || driver === null) {
    const exports = Object.keys(module).filter(name => name !== 'default')
    throw new DriverContractError(
      `${candidate} has no export '${kind}'; it exports ${exports.length === 0 ? 'nothing by name' : exports.join(', ')}. ` +
        `A ${kind} package exports its driver under that name.`,
    )
  }
  checkDriverShape(kind, candidate, driver)
  return driver as unknown as DriverOf[K]
}

function notFound(
  kind: DriverKind,
  name: string,
  candidates: readonly string[],
  directory: string,
): DriverNotFoundError {
  const isFile = isAbsolute(name) || name.startsWith('.') || name.startsWith('file:')
  const advice = isFile ? '' : ` ${adviceFor(kind, name, candidates, directory)}`
  return new DriverNotFoundError(
    `There is no ${kind} '${name}': ${candidates.join(', ')} ${candidates.length === 1 ? 'was' : 'were'} looked for from ${directory}.${advice}`,
    { details: { kind, name, candidates } },
  )
}

function adviceFor(kind: DriverKind, name: string, candidates: readonly string[], directory: string): string {
  const known = KNOWN_DRIVERS[kind]
  const names = ['localhost', ...Object.keys(known).filter(one => !Object.hasOwn(NOT_YET, one))]
  if (Object.hasOwn(NOT_YET, name))
    return `It is not made yet for TypeScript. ${NOT_YET[name]} There are: ${names.join(', ')}.`
  if (known[name] !== undefined) return `Install it with: ${installCommand(directory)} ${known[name]}`
  const meant = nearest(name, names)
  if (meant !== undefined) return `Did you mean '${meant}'?`
  const here = `Lithops for TypeScript has: ${names.join(', ')}.`
  if (PYTHON_SECTIONS.includes(name))
    return `Lithops (Python) has it, and nobody has made it for TypeScript. ${here}`
  return `${here} If it is a package of somebody else's, install that: ${installCommand(directory)} ${candidates.at(-1)}`
}

/** By the lockfile of the project. */
function installCommand(directory: string): string {
  const manifest = nearestManifest(directory)
  const folder = manifest === undefined ? directory : dirname(manifest)
  if (existsSync(join(folder, 'pnpm-lock.yaml'))) return 'pnpm add'
  if (existsSync(join(folder, 'yarn.lock'))) return 'yarn add'
  if (existsSync(join(folder, 'bun.lock'))) return 'bun add'
  return 'npm i'
}
