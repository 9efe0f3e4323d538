import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type PackageFile, RuntimeBuildError } from '@lithops/core/driver'
import type { Zippable } from 'fflate'
import { UNPACKED_CODE_BYTES } from './limits.ts'

/** The code of a function, ready to be sent. */
export interface WorkerZip {
  readonly bytes: Uint8Array
  /** As Lambda names it: the SHA-256 of the zip in base64. */
  readonly sha256: string
  /** The parts that take the most room, for messages. */
  readonly largest: string
}

/** A part of the code, and what it takes unpacked. */
export interface Contributor {
  readonly name: string
  readonly bytes: number
}

/** The code of a function that the worker brings. */
export interface BroughtFunction {
  readonly name: string
  /** In the zip. */
  readonly path: string
  readonly code: Uint8Array
}

export interface ZipContent {
  /** The worker. */
  readonly code: Uint8Array
  readonly contributors: readonly Contributor[]
  readonly functions: readonly BroughtFunction[]
  /** Go into `node_modules`. */
  readonly files: readonly PackageFile[]
}

/** Zip files know no time zone: these are the fields of the earliest date that they have. */
const EPOCH = new Date(1980, 0, 1)
const READ_ONLY = 0o644 << 16
const EXECUTABLE = 0o755 << 16
const UNIX = 3
/** Binaries of tens of MiB take seconds to get little smaller than this. */
const LEVELS = { code: 9, packages: 6 } as const
const MIB = 1024 * 1024
const NAMED_CONTRIBUTORS = 5

/** Packs the worker and its packages. The same content always gives the same bytes. */
export async function makeZip({ code, contributors, functions, files }: ZipContent): Promise<WorkerZip> {
  const ofFunctions = functions.map(one => ({ name: `function ${one.name}`, bytes: one.code.length }))
  const all = [...contributors, ...ofFunctions, ...byPackage(files)]
  const largest = largestOf(all)
  const unpacked = [
    ...ofFunctions.map(({ bytes }) => bytes),
    ...files.map(({ sizeBytes }) => sizeBytes),
  ].reduce((sum, bytes) => sum + bytes, code.length)
  if (unpacked > UNPACKED_CODE_BYTES)
    throw tooLarge(`${mib(unpacked)} unpacked, and AWS Lambda takes ${mib(UNPACKED_CODE_BYTES)}`, largest)
  const common = { mtime: EPOCH, os: UNIX } as const
  const content: Zippable = {
    'index.mjs': [code, { ...common, level: LEVELS.code, attrs: READ_ONLY }],
  }
  for (const { path, code: bytes } of functions)
    content[path] = [bytes, { ...common, level: LEVELS.code, attrs: READ_ONLY }]
  for (const { path, file, isExecutable } of files) {
    const attrs = isExecutable ? EXECUTABLE : READ_ONLY
    content[`node_modules/${path}`] = [await readFile(file), { ...common, level: LEVELS.packages, attrs }]
  }
  const { zipSync } = await import('fflate')
  const bytes = zipSync(content, { mtime: EPOCH })
  return { bytes, sha256: createHash('sha256').update(bytes).digest('base64'), largest }
}

/** Before anything is uploaded: Lambda would say no, and not why. */
export function tooLarge(problem: string, largest: string): RuntimeBuildError {
  return new RuntimeBuildError(`The worker is too large: ${problem}. The largest parts: ${largest}.`)
}

function byPackage(files: readonly PackageFile[]): Contributor[] {
  const sizes = new Map<string, number>()
  for (const { packageName, sizeBytes } of files)
    sizes.set(packageName, (sizes.get(packageName) ?? 0) + sizeBytes)
  return [...sizes].map(([name, bytes]) => ({ name, bytes }))
}

function largestOf(contributors: readonly Contributor[]): string {
  return [...contributors]
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, NAMED_CONTRIBUTORS)
    .map(({ name, bytes }) => `${name} ${mib(bytes)}`)
    .join(', ')
}

export function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}
