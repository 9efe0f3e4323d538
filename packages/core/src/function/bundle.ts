import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { BuildOptions, Metafile, Plugin } from 'esbuild'
import { SerializationError } from '../errors/index.ts'
import { importEsbuild } from '../lazy-imports.ts'
import { lacksModules, leaveAbsentPackages } from './absent-packages.ts'
import { BundleCache, contentHash, inputOf } from './bundle-cache.ts'
import type { CaptureOptions, FunctionBundle } from './captured-function.ts'
import type { RevivedImport } from './capturer/private-state.ts'
import {
  type Candidate,
  type ComputedImport,
  candidatesOf,
  computedImportModule,
  computedImportOf,
} from './computed-imports.ts'
import { NativePackages } from './native-packages.ts'
import { patchBundle } from './patch-bundle.ts'
import { lockStateOf, resolutionFilesOf } from './resolution-files.ts'

/** Part of the cache key: raise it when the way of bundling changes. */
const BUNDLE_VERSION = 5

/** How the emitted module is called in esbuild's source map. */
export const EMITTED_NAME = 'lithops-function.mjs'

/** What CommonJS code in a bundle expects to be there. */
const BANNER =
  "import{createRequire as __cr}from'node:module';import{fileURLToPath as __fu}from'node:url';" +
  'const require=__cr(import.meta.url),__filename=__fu(import.meta.url),' +
  "__dirname=__filename.replace(/[\\\\/][^\\\\/]*$/,'');"

/** The module that capture emitted. */
export interface EmittedModule {
  readonly code: string
  /** It imports something other than built-in modules of Node. */
  readonly needsBundle: boolean
  readonly computedImports: readonly ComputedImport[]
  /** Imported classes that must let their instances be made with private fields. */
  readonly revivedImports: readonly RevivedImport[]
  readonly functionName: string
  /** File that defines the function. */
  readonly definedIn: string | undefined
  /**
   * Folder from which the bundle names its modules, so that it is the same wherever the program runs. Default: the working
   * directory.
   */
  readonly namedFrom?: string
}

const cache = new BundleCache()
const bundles = new Map<string, KnownBundle>()
/** A bundle that was seen in the cache so long ago is looked for again: the cache removes what nobody uses for a day. */
const LOOK_AGAIN_MS = 60 * 60 * 1000

interface KnownBundle {
  readonly bundle: Promise<FunctionBundle>
  seenMs: number
}

/** For each computed import, by what identifies it, what it may lead to on this machine now. */
type Candidates = ReadonlyMap<string, readonly Candidate[]>

/** Makes the module that workers run, or finds it in memory or on disk. */
export async function bundleModule(emitted: EmittedModule, options: CaptureOptions): Promise<FunctionBundle> {
  const candidates = await findCandidates(emitted, options)
  const { definedIn } = emitted
  const key = contentHash(
    emitted.code,
    JSON.stringify([
      BUNDLE_VERSION,
      options.includeModules ?? [],
      options.excludeModules ?? [],
      emitted.revivedImports,
      [...candidates],
      process.cwd(),
      emitted.namedFrom,
      emitted.needsBundle
        ? await lockStateOf(definedIn === undefined ? process.cwd() : dirname(definedIn))
        : '',
    ]),
  )
  const known = bundles.get(key)
  if (known !== undefined && (await isStillThere(known))) return known.bundle
  const bundle =
    emitted.needsBundle || (options.includeModules ?? []).length > 0
      ? build(key, emitted, options, candidates)
      : plain(emitted.code)
  bundles.set(key, { bundle, seenMs: Date.now() })
  bundle.catch(() => bundles.delete(key))
  return bundle
}

async function isStillThere(known: KnownBundle): Promise<boolean> {
  const nowMs = Date.now()
  if (nowMs - known.seenMs < LOOK_AGAIN_MS) return true
  known.seenMs = nowMs
  const { hash, file } = await known.bundle
  return file === undefined || cache.touch(hash)
}

async function plain(code: string): Promise<FunctionBundle> {
  const hash = contentHash(code)
  return functionBundle(hash, await cache.putModule(hash, code), code, [])
}

async function findCandidates(
  emitted: EmittedModule,
  { includeModules = [] }: CaptureOptions,
): Promise<Candidates> {
  const found = new Map<string, readonly Candidate[]>()
  for (const computed of emitted.computedImports) {
    const candidates = await candidatesOf(computed, { includeModules, left: jobScriptsOf(emitted) })
    found.set(JSON.stringify(computed), candidates)
  }
  return found
}

async function build(
  key: string,
  emitted: EmittedModule,
  options: CaptureOptions,
  candidates: Candidates,
): Promise<FunctionBundle> {
  const known = await cache.find(key)
  if (known !== undefined) {
    refuseBackReference(
      emitted,
      known.inputs.map(input => input.path),
    )
    const { hash, file, code, externalPackages } = known
    return functionBundle(hash, file, code, externalPackages)
  }
  const natives = new NativePackages()
  const built = await runEsbuild(emitted, options, natives, candidates)
  const { metafile } = built
  const { namedFrom = process.cwd() } = emitted
  const { code, sourceMap } = patchBundle(built, {
    files: Object.keys(metafile.inputs),
    namedFrom,
    revivedImports: emitted.revivedImports,
  })
  const inputs = Object.keys(metafile.inputs)
    .filter(name => !name.includes(EMITTED_NAME))
    .map(name => resolve(namedFrom, name))
  refuseBackReference(emitted, inputs)
  const hash = contentHash(code)
  const file = await cache.putModule(hash, code, sourceMap)
  const externalPackages = natives.packages()
  const manifests = externalPackages.map(({ folder }) => join(folder, 'package.json'))
  const files = [...inputs, ...manifests].filter(existsSync)
  await cache.remember(key, {
    hash,
    sourceMapHash: contentHash(sourceMap),
    sizeBytes: Buffer.byteLength(code),
    externalPackages,
    inputs: await Promise.all([...files, ...resolutionFilesOf(files)].map(inputOf)),
  })
  return functionBundle(hash, file, code, externalPackages)
}

async function runEsbuild(
  emitted: EmittedModule,
  options: CaptureOptions,
  natives: NativePackages,
  candidates: Candidates,
): Promise<{ code: string; sourceMap: string; metafile: Metafile }> {
  const { build: esbuild } = await importEsbuild()
  const { namedFrom = process.cwd() } = emitted
  // relative names are those of the working directory, wherever the modules are named from
  const includes = (options.includeModules ?? [])
    .map(name => `import ${JSON.stringify(/^\.{1,2}[/\\]/.test(name) ? resolve(name) : name)};`)
    .join('\n')
  const plugins = [resolveFromImporter(), makeComputedImports(candidates), natives.plugin()]
  const settings = {
    stdin: {
      contents: includes === '' ? emitted.code : `${emitted.code}\n${includes}\n`,
      loader: 'js',
      resolveDir: namedFrom,
      sourcefile: EMITTED_NAME,
    },
    outfile: 'function.mjs',
    // paths in comments and in the metafile are relative to it
    absWorkingDir: namedFrom,
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    metafile: true,
    logLevel: 'silent',
    external: ['esbuild', ...(options.excludeModules ?? [])],
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    keepNames: true,
    banner: { js: BANNER },
  } satisfies BuildOptions & { write: false }
  try {
    const result = await esbuild({ ...settings, plugins }).catch(error => {
      if (!lacksModules(error)) throw error
      return esbuild({ ...settings, plugins: [...plugins, leaveAbsentPackages()] })
    })
    const find = (ending: string) => result.outputFiles.find(file => file.path.endsWith(ending))?.text ?? ''
    return { code: find('.mjs'), sourceMap: find('.map'), metafile: result.metafile }
  } catch (cause) {
    throw new SerializationError(
      `The modules that function '${emitted.functionName}' imports could not be bundled: ${cause instanceof Error ? cause.message : String(cause)}\n` +
        'Modules that the runtime brings itself can be left out with the option excludeModules.',
      { code: 'LITHOPS_BUNDLE', cause },
    )
  }
}

/** Specifiers `lithops:<importer>:<specifier>` are resolved from where the user wrote them. */
function resolveFromImporter(): Plugin {
  return {
    name: 'lithops-importer',
    setup(build) {
      build.onResolve({ filter: /^lithops:/ }, args => {
        const [, encoded = '', ...rest] = args.path.split(':')
        const importer = Buffer.from(encoded, 'base64url').toString()
        return build.resolve(rest.join(':'), {
          kind: args.kind,
          ...(importer === '' ? {} : { importer }),
          resolveDir: importer === '' ? process.cwd() : dirname(importer),
        })
      })
    },
  }
}

/** Modules that take the place of computed imports. */
function makeComputedImports(candidates: Candidates): Plugin {
  const namespace = 'lithops-computed'
  return {
    name: namespace,
    setup(build) {
      build.onResolve({ filter: /^lithops-computed:/ }, ({ path, importer, resolveDir }) => {
        const computed = computedImportOf(path, importer || undefined)
        return { path: JSON.stringify(computed), namespace, pluginData: resolveDir }
      })
      build.onLoad({ filter: /.*/, namespace }, ({ path, pluginData }) => ({
        contents: computedImportModule(candidates.get(path) ?? []),
        resolveDir: pluginData as string,
      }))
    },
  }
}

/** The file that defines the function, and the script that the process was started with. */
function jobScriptsOf({ definedIn }: EmittedModule): string[] {
  const main = process.argv[1]
  return [definedIn, main === undefined ? undefined : resolve(main)].filter(file => file !== undefined)
}

/** The script that starts the job must not be in the bundle: it would start the job again on the worker. */
function refuseBackReference(emitted: EmittedModule, inputs: readonly string[]): void {
  const scripts = jobScriptsOf(emitted)
  const culprit = inputs.find(input => scripts.includes(input))
  if (culprit === undefined) return
  throw new SerializationError(
    `Cannot send function '${emitted.functionName}' to a worker: a module that it imports imports ${culprit} again, the script that ` +
      'starts the job; the worker would start the job once more. Move what the function needs into a module of its own.',
    { code: 'LITHOPS_BACK_REFERENCE', details: { script: culprit } },
  )
}

function functionBundle(
  hash: string,
  file: string | undefined,
  code: string,
  externalPackages: FunctionBundle['externalPackages'],
): FunctionBundle {
  const read = file === undefined ? reader(code) : () => readFile(file)
  return { hash, file, sizeBytes: Buffer.byteLength(code), externalPackages, read }
}

/** A function of its own, so that the text is kept only where the disk does not take it. */
function reader(code: string): () => Promise<Uint8Array> {
  return async () => Buffer.from(code)
}
