import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { functionFiles } from '@lithops/container-runtime'
import {
  type DriverLog,
  installPackages,
  type NativePackage,
  type PlatformTarget,
  packageSetId,
  RuntimeBuildError,
  type RuntimeFunction,
  type WorkerDriver,
} from '@lithops/core/driver'
import { workerFile } from './worker-file.ts'
import { type BroughtFunction, type Contributor, makeZip, type WorkerZip } from './worker-zip.ts'

/** What workers bring beside the worker itself. */
export interface WorkerParts {
  readonly drivers: readonly WorkerDriver[]
  /** Packages with native addons, for the target. */
  readonly packages: readonly NativePackage[]
  readonly target: PlatformTarget
  /** Functions whose code the worker brings. Default: none. */
  readonly functions?: readonly RuntimeFunction[]
}

/** The code of a function: known by its content before it is made. */
export interface WorkerCode {
  /** The same for the same content. */
  readonly id: string
  /** Rejects with RuntimeBuildError where it cannot be made, or is too large for Lambda. */
  zip(options: ZipOptions): Promise<WorkerZip>
  /** The same content as files of a container image. */
  files(options: ZipOptions): Promise<WorkerFiles>
}

/** By their paths below the worker's folder. */
export interface WorkerFiles {
  readonly files: Readonly<Record<string, Uint8Array>>
  readonly executables: readonly string[]
}

export interface ZipOptions {
  readonly signal?: AbortSignal | undefined
  readonly log: DriverLog
}

interface Bundle {
  readonly code: Uint8Array
  readonly contributors: readonly Contributor[]
}

const bundles = new Map<string, Promise<Bundle>>()

/** The worker, with the drivers and packages that its jobs need. Fetches nothing yet. */
export async function workerCode({
  drivers,
  packages,
  target,
  functions = [],
}: WorkerParts): Promise<WorkerCode> {
  const bundle = await bundleOnce(drivers)
  const hash = createHash('sha256').update(bundle.code)
  if (packages.length > 0) hash.update(packageSetId(packages, target))
  for (const one of functions) hash.update(one.hash)
  const filesOf = async (options: ZipOptions) =>
    packages.length === 0 ? [] : (await installPackages(packages, target, options)).files
  return {
    id: hash.digest('hex'),
    zip: async options =>
      makeZip({ ...bundle, functions: await readAll(functions), files: await filesOf(options) }),
    files: async options => {
      const files: Record<string, Uint8Array> = {
        'index.mjs': bundle.code,
        ...(await functionFiles(functions)),
      }
      const executables: string[] = []
      for (const { path, file, isExecutable } of await filesOf(options)) {
        files[`node_modules/${path}`] = await readFile(file)
        if (isExecutable) executables.push(`node_modules/${path}`)
      }
      return { files, executables }
    },
  }
}

function readAll(functions: readonly RuntimeFunction[]): Promise<BroughtFunction[]> {
  return Promise.all(
    functions.map(async one => {
      const [[path, code] = ['', new Uint8Array(0)]] = Object.entries(await functionFiles([one]))
      return { name: one.name, path, code }
    }),
  )
}

function bundleOnce(drivers: readonly WorkerDriver[]): Promise<Bundle> {
  const key = JSON.stringify(drivers.map(({ kind, module }) => [kind, module]).sort())
  let bundle = bundles.get(key)
  if (bundle === undefined) {
    bundle = drivers.length === 0 ? bareWorker() : bundleWith(drivers)
    bundles.set(key, bundle)
    bundle.catch(() => bundles.delete(key))
  }
  return bundle
}

async function bareWorker(): Promise<Bundle> {
  return { code: await readFile(workerFile('entry.js')), contributors: [] }
}

async function bundleWith(drivers: readonly WorkerDriver[]): Promise<Bundle> {
  const { build } = await import('esbuild')
  const sorted = [...drivers].sort((a, b) => (a.module < b.module ? -1 : 1))
  const imports = sorted.map(({ kind, module }, i) => {
    const name = kind === 'storage' ? 'storage' : 'publisher'
    return `import * as m${i} from ${JSON.stringify(module)}; const d${i} = m${i}.${name} ?? m${i}.default?.${name};`
  })
  const of = (kind: WorkerDriver['kind']) =>
    `[${sorted.flatMap((driver, i) => (driver.kind === kind ? [`d${i}`] : [])).join(', ')}]`
  try {
    const result = await build({
      stdin: {
        contents: `import { makeHandler } from ${JSON.stringify(workerFile('handler.js'))};
${imports.join('\n')}
export const handler = await makeHandler({ storages: ${of('storage')}, monitors: ${of('monitor')} });`,
        resolveDir: dirname(workerFile('handler.js')),
        sourcefile: 'entry.mjs',
      },
      bundle: true,
      write: false,
      metafile: true,
      minify: true,
      keepNames: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      legalComments: 'none',
      logLevel: 'silent',
      banner: {
        js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
      },
    })
    const [output] = result.outputFiles
    const inputs = Object.values(result.metafile.outputs)[0]?.inputs ?? {}
    return { code: output?.contents ?? new Uint8Array(0), contributors: byPackage(inputs) }
  } catch (cause) {
    throw new RuntimeBuildError(
      `The worker could not be bundled with ${drivers.map(({ name }) => name).join(', ')}: ${(cause as Error).message}`,
      { cause },
    )
  }
}

function byPackage(inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>): Contributor[] {
  const sizes = new Map<string, number>()
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path
    sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput)
  }
  return [...sizes].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes)
}
