import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { Plugin, PluginBuild } from 'esbuild'
import type { NativePackage } from '../driver/compute-backend.ts'
import { installedVersions } from './installed-versions.ts'

const NAMESPACE = 'lithops-native'
/** Says that one of our plugins asks esbuild where something is: the others keep out of it, or each would ask the other for ever. */
export const ASKS = { lithopsAsks: true }
/** Libraries by which a package finds or builds the addon that it has. */
const ADDON_LIBRARIES = new Set([
  'bindings',
  'nan',
  'node-addon-api',
  'node-gyp-build',
  'node-gyp-build-optional-packages',
  'node-pre-gyp',
  '@mapbox/node-pre-gyp',
  'prebuild-install',
])
/** Names of packages that bring a binary for one platform, such as `@img/sharp-linux-x64`. */
const PLATFORM_PACKAGE = /[-/](linux|darwin|win32|freebsd)-?(\w+-)*(x64|arm64|ia32|arm|riscv64|ppc64|s390x)\b/

interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly gypfile?: boolean
  readonly napi?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Owner {
  readonly folder: string
  readonly name: string
  readonly version: string
  readonly isNative: boolean
}

/**
 * Packages with native addons cannot be bundled: their code looks for files of its own, which differ from platform to
 * platform. They are left out whole and named. A bundle takes them from where they are installed on this machine; where
 * that is not there, on another machine, from the folder `node_modules` beside itself.
 */
export class NativePackages {
  readonly #found = new Map<string, NativePackage>()
  readonly #owners = new Map<string, Owner | undefined>()

  plugin(): Plugin {
    return {
      name: NAMESPACE,
      setup: build => {
        build.onResolve({ filter: /\.node$/ }, ({ path, resolveDir }) =>
          path.startsWith('.') || isAbsolute(path) ? this.#addonFile(resolve(resolveDir, path)) : undefined,
        )
        build.onResolve({ filter: /^[^.]/ }, ({ path, kind, importer, resolveDir, pluginData }) => {
          const isOfOthers = pluginData === ASKS || kind === 'entry-point'
          if (isOfOthers || /^(node|data|file|lithops[\w-]*):/.test(path)) return undefined
          return this.#package(build, path, { importer, resolveDir })
        })
        build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
          contents: loaderOf(JSON.parse(path) as Place),
          loader: 'js',
        }))
      },
    }
  }

  /** Packages that were left out. */
  packages(): readonly NativePackage[] {
    return [...this.#found.values()]
  }

  async #package(
    build: PluginBuild,
    path: string,
    from: { readonly importer: string; readonly resolveDir: string },
  ) {
    // as `require` finds it: so it is loaded
    const found = await build.resolve(path, { ...from, kind: 'require-call', pluginData: ASKS })
    if (found.errors.length > 0 || found.external || found.namespace !== 'file') return undefined
    const owner = this.#ownerOf(dirname(found.path))
    if (owner === undefined || !(owner.isNative || found.path.endsWith('.node'))) return undefined
    this.#add(owner)
    // test runners import by path
    return virtual({ here: found.path, there: isAbsolute(path) ? placeIn(owner, path) : path })
  }

  /** An addon that a module imports by its path, of a package that does not say that it has one. */
  #addonFile(file: string) {
    const owner = this.#ownerOf(dirname(file))
    if (owner === undefined || !existsSync(file)) return { path: file, external: true }
    this.#add(owner)
    return virtual({ here: file, there: placeIn(owner, file) })
  }

  #add({ folder, name, version }: Owner): void {
    if (this.#found.has(folder)) return
    this.#found.set(folder, { name, version, folder, dependencies: installedVersions(folder) })
  }

  #ownerOf(folder: string): Owner | undefined {
    if (this.#owners.has(folder)) return this.#owners.get(folder)
    const manifest = readManifest(folder)
    const parent = dirname(folder)
    const owner =
      manifest?.name !== undefined && manifest.version !== undefined
        ? { folder, name: manifest.name, version: manifest.version, isNative: isNative(folder, manifest) }
        : parent === folder
          ? undefined
          : this.#ownerOf(parent)
    this.#owners.set(folder, owner)
    return owner
  }
}

/** Only what is installed counts: a program's own folder is no package that a registry has. */
function isNative(folder: string, manifest: Manifest): boolean {
  if (!folder.split(sep).includes('node_modules')) return false
  const { gypfile, napi, dependencies = {}, optionalDependencies = {} } = manifest
  return (
    gypfile === true ||
    napi !== undefined ||
    existsSync(join(folder, 'binding.gyp')) ||
    Object.keys(dependencies).some(name => ADDON_LIBRARIES.has(name)) ||
    Object.keys(optionalDependencies).some(name => PLATFORM_PACKAGE.test(name))
  )
}

function readManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  } catch {
    return undefined
  }
}

interface Place {
  /** File on this machine. */
  readonly here: string
  /** What it is called from beside the bundle. */
  readonly there: string
}

/** A file of a package, as it is called from beside a folder `node_modules`. */
function placeIn({ name, folder }: Owner, file: string): string {
  return `./node_modules/${name}/${relative(folder, file).split(sep).join('/')}`
}

function virtual(place: Place) {
  return { path: JSON.stringify(place), namespace: NAMESPACE }
}

/** `__filename` is that of the bundle. A module's namespace is made an object that CommonJS code may have. */
function loaderOf({ here, there }: Place): string {
  return `const { existsSync } = require('node:fs')
const load = require('node:module').createRequire(__filename)
const here = ${JSON.stringify(here)}
const loaded = load(existsSync(here) ? here : ${JSON.stringify(there)})
module.exports = loaded?.[Symbol.toStringTag] === 'Module' ? { __esModule: true, ...loaded } : loaded
`
}
