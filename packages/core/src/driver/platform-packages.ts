import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { nodeCrypto } from '../builtins.ts'
import { RuntimeBuildError } from '../errors/index.ts'
import { misfitOf, type PlatformTarget } from './binary-file.ts'
import type { InstalledVersions, NativePackage } from './compute-backend.ts'
import type { DriverLog } from './driver.ts'
import { runNpm } from './run-npm.ts'

export type { PlatformTarget } from './binary-file.ts'

/** Part of the identity of a set: raise it when the way of installing changes. */
const SET_VERSION = 1
const HASH_CHARACTERS = 32

/** A file of installed packages. */
export interface PackageFile {
  /** Below `node_modules`, with '/'. */
  readonly path: string
  readonly file: string
  readonly sizeBytes: number
  /** Of a program; false for what is only read. */
  readonly isExecutable: boolean
  /** The package that it belongs to. */
  readonly packageName: string
}

/** Packages for a platform, on this machine's disk. */
export interface InstalledPackages {
  /** The folder `node_modules`. Others may be reading it: nothing in it may be changed. */
  readonly folder: string
  /** All that workers need of it, in the order of the paths; addons for other platforms are left out. */
  readonly files: readonly PackageFile[]
}

export interface InstallOptions {
  readonly signal?: AbortSignal | undefined
  readonly log?: DriverLog
}

/**
 * Tells sets of packages apart, by the exact versions of all that they need and by the platform: hex, 32 characters. The
 * content follows from it, as a registry never changes a version. Does no I/O.
 */
export function packageSetId(packages: readonly NativePackage[], target: PlatformTarget): string {
  const text = JSON.stringify([SET_VERSION, manifestOf(packages), target])
  return nodeCrypto().createHash('sha256').update(text).digest('hex').slice(0, HASH_CHARACTERS)
}

/**
 * Fetches packages with their dependencies for another platform, with npm: in exactly the versions that are installed
 * here. Each set is fetched once and kept below LITHOPS_CACHE_DIR, else in a folder of this user below the temporary one;
 * several programs may do so at once. Install scripts run only for packages whose registry content has no binary for the
 * target, with the target in npm's own variables.
 *
 * @throws RuntimeBuildError where npm fails, or a package has no binary for the target
 */
export async function installPackages(
  packages: readonly NativePackage[],
  target: PlatformTarget,
  options: InstallOptions = {},
): Promise<InstalledPackages> {
  const home = join(cacheFolder(), 'packages')
  const kept = join(home, packageSetId(packages, target))
  if (!existsSync(kept)) await makeSet(packages, target, { ...options, home, kept })
  const folder = join(kept, 'node_modules')
  return { folder, files: await filesFor(folder, target) }
}

async function makeSet(
  packages: readonly NativePackage[],
  target: PlatformTarget,
  { home, kept, signal, log }: InstallOptions & { readonly home: string; readonly kept: string },
): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 })
  const folder = join(home, `.${nodeCrypto().randomBytes(6).toString('hex')}`)
  await mkdir(folder)
  try {
    log?.info(`fetching ${packages.map(nameOf).join(', ')} for ${describe(target)}`)
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifestOf(packages), null, 2))
    const config = await npmConfigOfProject()
    // a registry of the project's own is one that its packages came from
    if (config !== undefined) await symlink(config, join(folder, '.npmrc'))
    const { platform, arch, libc } = target
    const platformArgs = ['--os', platform, '--cpu', arch, '--libc', libc]
    await runNpm(['install', '--ignore-scripts', ...platformArgs], { folder, signal })
    for (const one of packages) await ensureBinary(one, target, { folder, signal, platformArgs })
    await rm(join(folder, '.npmrc'), { force: true })
    await rename(folder, kept).catch(error => {
      if (!existsSync(kept)) throw error // another program was faster
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The package, or one that it depends on, has an addon that the target can load; where not, one is made or taken. */
async function ensureBinary(
  one: NativePackage,
  target: PlatformTarget,
  { folder, signal, platformArgs }: InstallTask,
): Promise<void> {
  const modules = join(folder, 'node_modules')
  let misfits = await misfitsOf(one.name, modules, target)
  if (misfits === undefined) return
  // what was built on this machine fits a platform that is the same
  const built = await addonsIn(one.folder)
  for (const file of built) {
    if ((await misfitOf(file, target)) !== undefined) continue
    const place = join(modules, one.name, relative(one.folder, file))
    await mkdir(dirname(place), { recursive: true })
    await cp(file, place)
  }
  misfits = await misfitsOf(one.name, modules, target)
  if (misfits === undefined) return
  const failure = await runNpm(['rebuild', one.name, ...platformArgs], {
    folder,
    signal,
    env: {
      // for prebuild-install and node-gyp, which fetch or build what fits these
      npm_config_platform: target.platform,
      npm_config_arch: target.arch,
      npm_config_libc: target.libc,
      npm_config_target: `${target.nodeMajor}.0.0`,
      npm_config_runtime: 'node',
    },
  }).then(
    () => undefined,
    (error: Error) => error,
  )
  signal?.throwIfAborted()
  misfits = await misfitsOf(one.name, modules, target)
  if (misfits === undefined) return
  throw new RuntimeBuildError(
    `There is no binary of ${nameOf(one)} for ${describe(target)}: the registry's package has ` +
      `${misfits.length === 0 ? 'none' : `only others (${misfits.join('; ')})`}, and its install script made none. Use a version that ` +
      'has one, another architecture or Node line, or a container image that has the package.',
    { details: { package: one.name, version: one.version, target }, cause: failure },
  )
}

interface InstallTask {
  readonly folder: string
  readonly signal: AbortSignal | undefined
  readonly platformArgs: readonly string[]
}

/** Undefined when there is one that fits. */
async function misfitsOf(
  name: string,
  modules: string,
  target: PlatformTarget,
): Promise<readonly string[] | undefined> {
  const misfits: string[] = []
  for (const part of await partsOf(name, modules)) {
    for (const file of await addonsIn(join(modules, part))) {
      const misfit = await misfitOf(file, target)
      if (misfit === undefined) return undefined
      misfits.push(`${relative(modules, file)} ${misfit}`)
    }
  }
  return misfits
}

/** The package and all that it depends on, as far as it is installed. */
async function partsOf(name: string, modules: string): Promise<Set<string>> {
  const parts = new Set<string>()
  const queue = [name]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (parts.has(next)) continue
    const text = await readFile(join(modules, next, 'package.json'), 'utf8').catch(() => undefined)
    if (text === undefined) continue
    parts.add(next)
    const { dependencies, optionalDependencies } = JSON.parse(text) as Record<string, object | undefined>
    queue.push(...Object.keys({ ...dependencies, ...optionalDependencies }))
  }
  return parts
}

async function addonsIn(folder: string): Promise<string[]> {
  const files: string[] = []
  for (const name of await readdir(folder, { recursive: true }).catch(() => []))
    if (name.endsWith('.node')) files.push(join(folder, name))
  return files
}

async function filesFor(folder: string, target: PlatformTarget): Promise<PackageFile[]> {
  const files: PackageFile[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    const path = relative(folder, file).split(sep).join('/')
    const isOfNpm = /(^|\/)\.(bin|package-lock\.json)(\/|$)/.test(path)
    if (!entry.isFile() || isOfNpm) continue
    if (entry.name.endsWith('.node') && (await misfitOf(file, target)) !== undefined) continue
    const { size: sizeBytes, mode } = await stat(file)
    const packageName = /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path
    files.push({ path, file, sizeBytes, isExecutable: (mode & 0o111) !== 0, packageName })
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** What npm is asked for: the packages, and for all below them the versions that are installed here. */
function manifestOf(packages: readonly NativePackage[]) {
  const sorted = [...packages].sort((a, b) => (a.name < b.name ? -1 : 1))
  const overrides = sorted.flatMap(({ name, dependencies }) => {
    const below = overridesOf(dependencies)
    return below === undefined ? [] : [[name, below] as const]
  })
  return {
    private: true,
    dependencies: Object.fromEntries(sorted.map(({ name, version }) => [name, version])),
    ...(overrides.length === 0 ? {} : { overrides: Object.fromEntries(overrides) }),
  }
}

type Overrides = { readonly [name: string]: string | Overrides }

function overridesOf(versions: InstalledVersions): Overrides | undefined {
  const entries = Object.entries(versions).map(([name, { version, dependencies }]) => {
    const below = dependencies === undefined ? undefined : overridesOf(dependencies)
    return [name, below === undefined ? version : { '.': version, ...below }] as const
  })
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** The file .npmrc of the project that the program runs in. */
async function npmConfigOfProject(): Promise<string | undefined> {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const file = join(folder, '.npmrc')
    if (existsSync(file)) return file
    if (folder === dirname(folder)) return undefined
  }
}

function nameOf({ name, version }: NativePackage): string {
  return `${name}@${version}`
}

function describe({ platform, arch, libc, nodeMajor }: PlatformTarget): string {
  return `${platform} ${arch} (${libc}), Node ${nodeMajor}`
}

function cacheFolder(): string {
  return process.env.LITHOPS_CACHE_DIR ?? join(tmpdir(), `lithops-packages-${userInfo().uid}`)
}
