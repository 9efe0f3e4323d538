import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import {
  type DriverLog,
  installPackages,
  type NativePackage,
  type PlatformTarget,
  packageSetId,
  type RuntimeFunction,
  type WorkerDriver,
} from '@lithops/core/driver'
import { bundleWorker } from './worker-bundle.ts'
import { functionFiles } from './worker-image.ts'

/** Addons that fit one line of Node alone are for that of the default base image; all others fit any. */
const IMAGE_NODE_MAJOR = 24

/** Of images with a worker, for packages with native addons. */
export function imageTarget(architecture: 'amd64' | 'arm64'): PlatformTarget {
  return {
    platform: 'linux',
    arch: architecture === 'arm64' ? 'arm64' : 'x64',
    libc: 'glibc',
    nodeMajor: IMAGE_NODE_MAJOR,
  }
}

/** What workers bring beside the worker itself. */
export interface WorkerParts {
  readonly drivers: readonly WorkerDriver[]
  /** Packages with native addons, for the target. */
  readonly packages: readonly NativePackage[]
  readonly target: PlatformTarget
  /** Functions whose code the image has. */
  readonly functions: readonly RuntimeFunction[]
}

/** What an image has over its base: known by its content before it is made. */
export interface WorkerCode {
  /** The same for the same content. */
  readonly id: string
  /** It has code of the user's. */
  readonly hasFunctions: boolean
  /** Rejects with RuntimeBuildError where packages cannot be had. */
  files(options: { readonly signal?: AbortSignal | undefined; readonly log: DriverLog }): Promise<WorkerFiles>
}

export interface WorkerFiles {
  readonly worker: Uint8Array
  /** Beside the worker, by their paths below its folder. */
  readonly files: Readonly<Record<string, Uint8Array>>
  readonly executables: readonly string[]
}

/** The worker, with the drivers and packages that its jobs need. Fetches nothing yet. */
export async function workerCode({ drivers, packages, target, functions }: WorkerParts): Promise<WorkerCode> {
  const worker = await bundleWorker(drivers)
  const hash = createHash('sha256').update(worker)
  if (packages.length > 0) hash.update(packageSetId(packages, target))
  for (const one of functions) hash.update(one.hash)
  return {
    hasFunctions: functions.length > 0,
    id: hash.digest('hex'),
    files: async options => {
      const files = await functionFiles(functions)
      const executables: string[] = []
      const installed = packages.length === 0 ? [] : (await installPackages(packages, target, options)).files
      for (const { path, file, isExecutable } of installed) {
        files[`node_modules/${path}`] = await readFile(file)
        if (isExecutable) executables.push(`node_modules/${path}`)
      }
      return { worker, files, executables }
    },
  }
}
