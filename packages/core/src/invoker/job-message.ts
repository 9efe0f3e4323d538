import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256Hex } from '../builtins.ts'
import type { WorkerDriver, WorkerSecrets } from '../driver/compute-backend.ts'
import { InvocationError } from '../errors/index.ts'
import type { FunctionBundle } from '../function/captured-function.ts'
import type { Job } from '../job/job.ts'
import type { InternalStorage } from '../storage/internal-storage.ts'
import { LITHOPS_VERSION } from '../version.ts'
import { encodeJobPrefix, type JobPrefix } from '../worker/activation-message.ts'
import type { JobHead, Location } from '../worker/protocol.ts'
import type { Lane } from './lane.ts'

/** Captured values over this size are written to a file once instead of being sent with each activation. */
const INLINE_ENV_BYTES = 64 * 1024
/**
 * Where messages have a limit, a function, its captured values and its extra arguments of more than this together are
 * put into storage instead of being sent with each activation; and so they are when they would take half of the limit.
 */
const INLINE_FUNCTION_BYTES = 256 * 1024
/** Log text kept per call. */
const MAX_LOG_BYTES = 1024 * 1024

/** What a job's way home and storage add to its activations. */
export interface JobSurroundings {
  readonly publisher?: JobHead['publisher']
  readonly storage?: JobHead['storage']
  /** Results of more bytes go to storage; undefined: only what a reply cannot carry. */
  readonly inlineResultBytes?: number
  /** The storage for what is too large for messages; undefined when the job has none. */
  readonly internalStorage?: () => InternalStorage
  readonly storages?: JobHead['storages']
  /** What the job's workers need to open these storages; placed with the runtime, never sent. */
  readonly secrets?: readonly WorkerSecrets[]
  /** Drivers of these storages, for workers that do not see this machine's files. */
  readonly drivers?: readonly WorkerDriver[]
  /** Is there as long as somebody wants what workers put into storage. */
  readonly clientMark?: string
  /** How long workers try to tell what they have to tell. Absent: 0. */
  readonly publishPatienceMs?: number
  /** The error of a job none of whose workers was heard. Absent: they tell only of ended calls. */
  readonly unheard?: (waitedMs: number) => Error
  /** Folder for files of this executor's jobs; made when first needed. */
  readonly directory: () => Promise<string>
}

/** The parts of a job's function, as bytes. */
interface FunctionParts {
  readonly code: Uint8Array
  readonly env: Uint8Array
  readonly extraArgs: Uint8Array | undefined
}

/** The part that all activations of a job on one backend share. */
export async function makeJobPrefix(job: Job, lane: Lane, surroundings: JobSurroundings): Promise<JobPrefix> {
  const bundle = await job.fn.bundle()
  checkExternals(bundle, lane)
  const { sharesFileSystem, maxPayloadBytes, maxReplyBytes } = lane.backend.capabilities
  const { publisher, storage, inlineResultBytes, clientMark } = surroundings
  const head: Omit<JobHead, 'function'> = {
    lithopsVersion: LITHOPS_VERSION,
    executorId: job.executorId,
    jobId: job.id,
    ...(Number.isFinite(job.options.timeoutMs) ? { timeoutMs: job.options.timeoutMs } : {}),
    ...(job.options.extraEnv === undefined ? {} : { extraEnv: job.options.extraEnv }),
    maxLogBytes: MAX_LOG_BYTES,
    ...(publisher === undefined ? {} : { publisher }),
    ...(storage === undefined ? {} : { storage }),
    ...(surroundings.storages === undefined ? {} : { storages: surroundings.storages }),
    ...(clientMark === undefined ? {} : { clientMark }),
    ...(inlineResultBytes === undefined || storage === undefined ? {} : { inlineResultBytes }),
    ...(publisher === undefined && Number.isFinite(maxReplyBytes) ? { maxReplyBytes } : {}),
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
  const isBaked = lane.hasFunctionOf(job)
  const parts = { code: isBaked ? new Uint8Array(0) : await bundle.read(), env, extraArgs }
  const at = await placeParts(job, bundle, parts, surroundings, maxPayloadBytes)
  if (isBaked) at.code = { kind: 'file', path: `functions/${bundle.hash}.mjs` }
  const prefix = encodeJobPrefix(
    {
      ...head,
      function: { ...facts, code: at.code ?? INLINE, env: at.env ?? INLINE },
      ...(at.extraArgs === undefined ? {} : { extraArgs: at.extraArgs }),
    },
    {
      ...(at.code === undefined ? { code: parts.code } : {}),
      ...(at.env === undefined ? { env } : {}),
      ...(at.extraArgs === undefined && extraArgs !== undefined ? { extraArgs } : {}),
    },
  )
  if (prefix.bytes.length > maxPayloadBytes)
    throw functionTooLarge(job, lane, parts, prefix.bytes.length, surroundings)
  return prefix
}

const INLINE: Location = { kind: 'inline' }

type PartName = keyof FunctionParts

/** Puts the largest parts into storage until the rest may travel with each activation. Gives where they are. */
async function placeParts(
  job: Job,
  bundle: FunctionBundle,
  parts: FunctionParts,
  { internalStorage }: JobSurroundings,
  maxPayloadBytes: number,
): Promise<Partial<Record<PartName, Location>>> {
  const at: Partial<Record<PartName, Location>> = {}
  if (internalStorage === undefined || !Number.isFinite(maxPayloadBytes)) return at
  const limit = Math.min(INLINE_FUNCTION_BYTES, maxPayloadBytes / 2)
  const bySize = (['code', 'env', 'extraArgs'] as const)
    .map(name => ({ name, bytes: parts[name] ?? new Uint8Array(0) }))
    .sort((a, b) => b.bytes.length - a.bytes.length)
  let inline = bySize.reduce((sum, part) => sum + part.bytes.length, 0)
  for (const { name, bytes } of bySize) {
    if (inline <= limit) break
    const storage = internalStorage()
    const key =
      name === 'code'
        ? await storage.putFunction(bundle.hash, bytes)
        : await storage.putShared(job.executorId, hashOf(bytes), bytes)
    at[name] = { kind: 'object', bucket: storage.bucket, key }
    inline -= bytes.length
  }
  return at
}

function functionTooLarge(
  job: Job,
  lane: Lane,
  { code, env, extraArgs }: FunctionParts,
  bytes: number,
  { internalStorage }: JobSurroundings,
): InvocationError {
  const { name, capabilities } = lane.backend
  const remedy =
    internalStorage === undefined
      ? 'Name a storage in the config, so that they travel through it, or leave modules out with excludeModules.'
      : 'What is left in the message besides them, extraEnv for instance, is too large.'
  return new InvocationError(
    `Function '${job.fn.name}' with its captured values takes ${bytes} bytes, and ${name} takes ` +
      `${capabilities.maxPayloadBytes} bytes per activation. Code is ${code.length} bytes, captured values are ${env.length}, ` +
      `extra arguments ${extraArgs?.length ?? 0}. ${remedy}`,
    { isRetryable: false, code: 'LITHOPS_PAYLOAD_TOO_LARGE' },
  )
}

function hashOf(bytes: Uint8Array): string {
  return sha256Hex(bytes).slice(0, 32)
}

async function writeEnv(directory: string, env: Uint8Array): Promise<string> {
  const path = join(directory, `${hashOf(env)}.env`)
  await writeFile(path, env)
  return path
}

/** Whether the workers of a backend can have the packages that a function needs beside its bundle. */
function checkExternals({ externalPackages }: FunctionBundle, { backend }: Lane): void {
  const { sharesFileSystem, bringsPackages = false } = backend.capabilities
  if (externalPackages.length === 0 || sharesFileSystem) return
  const names = externalPackages.map(({ name, version }) => `${name}@${version}`)
  if (!bringsPackages) {
    throw nativePackage(
      `The function needs packages with native addons that ${backend.name} does not have: ${names.join(', ')}. Build a runtime that has them.`,
    )
  }
  const twice = externalPackages.find(one =>
    externalPackages.some(({ name, version }) => name === one.name && version !== one.version),
  )
  if (twice !== undefined) {
    throw nativePackage(
      `The function needs ${twice.name} in two versions, and workers have one: ${names.join(', ')}. Bring them to the same version.`,
    )
  }
}

function nativePackage(message: string): InvocationError {
  return new InvocationError(message, { isRetryable: false, code: 'LITHOPS_NATIVE_PACKAGE' })
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
