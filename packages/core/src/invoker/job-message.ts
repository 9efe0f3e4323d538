import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WorkerSecrets } from '../driver/compute-backend.ts'
import { InvocationError } from '../errors/index.ts'
import type { FunctionBundle } from '../function/captured-function.ts'
import type { Job } from '../job/job.ts'
import { LITHOPS_VERSION } from '../version.ts'
import { encodeJobPrefix, type JobPrefix } from '../worker/activation-message.ts'
import type { JobHead, Location } from '../worker/protocol.ts'
import type { Lane } from './lane.ts'

/** Captured values over this size are written to a file once instead of being sent with each activation. */
const INLINE_ENV_BYTES = 64 * 1024
/** Log text kept per call. */
const MAX_LOG_BYTES = 1024 * 1024

/** What a job's way home and storage add to its activations. */
export interface JobSurroundings {
  readonly publisher?: JobHead['publisher']
  readonly storage?: JobHead['storage']
  readonly storages?: JobHead['storages']
  /** What the job's workers need to open these storages; placed with the runtime, never sent. */
  readonly secrets?: readonly WorkerSecrets[]
  /** Folder for files of this executor's jobs; made when first needed. */
  readonly directory: () => Promise<string>
}

/** The part that all activations of a job on one backend share. */
export async function makeJobPrefix(job: Job, lane: Lane, surroundings: JobSurroundings): Promise<JobPrefix> {
  const bundle = await job.fn.bundle()
  checkExternals(bundle, lane)
  const { sharesFileSystem, maxPayloadBytes } = lane.backend.capabilities
  const head: Omit<JobHead, 'function'> = {
    lithopsVersion: LITHOPS_VERSION,
    executorId: job.executorId,
    jobId: job.id,
    ...(Number.isFinite(job.options.timeoutMs) ? { timeoutMs: job.options.timeoutMs } : {}),
    ...(job.options.extraEnv === undefined ? {} : { extraEnv: job.options.extraEnv }),
    maxLogBytes: MAX_LOG_BYTES,
    ...(surroundings.publisher === undefined ? {} : { publisher: surroundings.publisher }),
    ...(surroundings.storage === undefined ? {} : { storage: surroundings.storage }),
    ...(surroundings.storages === undefined ? {} : { storages: surroundings.storages }),
  }
  const { env } = job.fn
  const facts = { name: job.fn.name, hash: bundle.hash, isNative: job.fn.isNative }
  const extraArgs = job.extraArgs
  if (sharesFileSystem) {
    if (bundle.file === undefined) {
      throw new InvocationError(
        `The code of function '${job.fn.name}' could not be written to this machine's disk, from which ${lane.backend.name} reads it: the ` +
          'disk may be full. Make room in the temporary folder, or name another folder in LITHOPS_CACHE_DIR.',
        { isRetryable: false, code: 'LITHOPS_DISK_FULL' },
      )
    }
    const envAt: Location =
      env.length <= INLINE_ENV_BYTES
        ? { kind: 'inline' }
        : { kind: 'file', path: await writeEnv(await surroundings.directory(), env) }
    return encodeJobPrefix(
      { ...head, function: { ...facts, code: { kind: 'file', path: bundle.file }, env: envAt } },
      { ...(envAt.kind === 'inline' ? { env } : {}), ...(extraArgs === undefined ? {} : { extraArgs }) },
    )
  }
  const prefix = encodeJobPrefix(
    { ...head, function: { ...facts, code: { kind: 'inline' }, env: { kind: 'inline' } } },
    { code: await bundle.read(), env, ...(extraArgs === undefined ? {} : { extraArgs }) },
  )
  if (prefix.bytes.length > maxPayloadBytes) {
    throw new InvocationError(
      `Function '${job.fn.name}' with its captured values takes ${prefix.bytes.length} bytes, and ${lane.backend.name} takes ` +
        `${maxPayloadBytes} bytes per activation. Captured values are ${env.length} bytes of it, code ${bundle.sizeBytes}. ` +
        'Pass large values as items or through storage, or leave modules out with excludeModules.',
      { isRetryable: false, code: 'LITHOPS_PAYLOAD_TOO_LARGE' },
    )
  }
  return prefix
}

async function writeEnv(directory: string, env: Uint8Array): Promise<string> {
  const hash = createHash('sha256').update(env).digest('hex').slice(0, 32)
  const path = join(directory, `${hash}.env`)
  await writeFile(path, env)
  return path
}

function checkExternals(bundle: FunctionBundle, lane: Lane): void {
  if (bundle.externalPackages.length === 0 || lane.backend.capabilities.sharesFileSystem) return
  const names = bundle.externalPackages.map(p => `${p.name}@${p.version}`).join(', ')
  throw new InvocationError(
    `The function needs packages with native addons that ${lane.backend.name} does not have: ${names}. Build a runtime that has them.`,
    { isRetryable: false, code: 'LITHOPS_NATIVE_PACKAGE' },
  )
}

/** A folder that is made at the first use and removed at the end. */
export class LazyDirectory {
  readonly #path: string
  readonly #onMade: (path: string) => void
  #made: Promise<string> | undefined

  constructor(path: string, onMade: (path: string) => void = () => {}) {
    this.#path = path
    this.#onMade = onMade
  }

  readonly get = (): Promise<string> => {
    if (this.#made === undefined) {
      this.#onMade(this.#path)
      this.#made = mkdir(this.#path, { recursive: true, mode: 0o700 }).then(() => this.#path)
    }
    return this.#made
  }

  async remove(): Promise<void> {
    if (this.#made === undefined) return
    await this.#made.catch(() => {})
    this.#made = undefined
    await rm(this.#path, { recursive: true, force: true })
  }
}
