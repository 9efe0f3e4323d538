import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RuntimeBuildError, type WorkerDriver } from '@lithops/core/driver'
import { UNPACKED_CODE_BYTES, ZIPPED_CODE_BYTES } from './limits.ts'
import { workerFile } from './worker-file.ts'

/** The code of a function, ready to be sent. */
export interface WorkerZip {
  readonly bytes: Uint8Array
  /** As Lambda names it: the SHA-256 of the zip in base64. */
  readonly sha256: string
}

/** Zip files know no time zone: these are the fields of the earliest date that they have. */
const EPOCH = new Date(1980, 0, 1)
const MODE_BITS = 0o644 << 16
const UNIX = 3
const MIB = 1024 * 1024
const NAMED_CONTRIBUTORS = 5

const made = new Map<string, Promise<WorkerZip>>()

/** The worker in one zip, with the drivers that its jobs need. The same content always gives the same bytes. */
export function workerZip(drivers: readonly WorkerDriver[]): Promise<WorkerZip> {
  const key = JSON.stringify(drivers.map(({ kind, module }) => [kind, module]).sort())
  let zip = made.get(key)
  if (zip === undefined) {
    zip = makeZip(drivers)
    made.set(key, zip)
    zip.catch(() => made.delete(key))
  }
  return zip
}

async function makeZip(drivers: readonly WorkerDriver[]): Promise<WorkerZip> {
  const { code, contributors } =
    drivers.length === 0
      ? { code: await readFile(workerFile('entry.js')), contributors: [] }
      : await bundleWith(drivers)
  const { zipSync } = await import('fflate')
  const bytes = zipSync(
    { 'index.mjs': [code, { level: 9, mtime: EPOCH, os: UNIX, attrs: MODE_BITS }] },
    { mtime: EPOCH },
  )
  checkSizes(bytes.length, code.length, contributors)
  return { bytes, sha256: createHash('sha256').update(bytes).digest('base64') }
}

interface Contributor {
  readonly name: string
  readonly bytes: number
}

async function bundleWith(drivers: readonly WorkerDriver[]) {
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
export const handler = makeHandler({ storages: ${of('storage')}, monitors: ${of('monitor')} });`,
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

/** Before anything is uploaded: Lambda would say no, and not why. */
function checkSizes(zipped: number, unpacked: number, contributors: readonly Contributor[]): void {
  const problem =
    zipped > ZIPPED_CODE_BYTES
      ? `${mib(zipped)} zipped, and AWS Lambda takes ${mib(ZIPPED_CODE_BYTES)}`
      : unpacked > UNPACKED_CODE_BYTES
        ? `${mib(unpacked)} unpacked, and AWS Lambda takes ${mib(UNPACKED_CODE_BYTES)}`
        : undefined
  if (problem === undefined) return
  const largest = contributors.slice(0, NAMED_CONTRIBUTORS).map(({ name, bytes }) => `${name} ${mib(bytes)}`)
  throw new RuntimeBuildError(
    `The worker is too large: ${problem}. The largest parts: ${largest.join(', ')}.`,
  )
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}
