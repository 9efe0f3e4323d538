import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Activation,
  type ActivationReport,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type DeployOptions,
  encodeSecrets,
  type RuntimeMetadata,
  type RuntimeSpec,
  SECRETS_ENVIRONMENT_NAME,
  type WorkerSecrets,
} from '@lithops/core/driver'
import { BATCH_ARGUMENT, BATCH_VARIABLE, bundleWorker, encodeBatch, METADATA_ARGUMENT } from '../src/index.ts'
import { WorkerProgram } from './worker-program.ts'

/** Where a batch is put, and what workers are told of that place; `parts` are variables of their environment. */
export type PlaceBatch = (
  name: string,
  batch: Uint8Array,
  secrets: readonly WorkerSecrets[],
) => Promise<Readonly<Record<string, unknown>>>

/** A platform of array jobs, as processes of this machine: what is handed in together is one batch. */
export class BatchPlatform implements ComputeBackend {
  readonly specVersion = COMPUTE_SPEC_VERSION
  readonly name = 'batch_platform'
  readonly kind = 'batch'
  readonly capabilities = {
    synchronousReply: false,
    streamsReplies: false,
    maxPayloadBytes: 1024 * 1024,
    maxReplyBytes: Number.POSITIVE_INFINITY,
    maxTimeoutMs: Number.POSITIVE_INFINITY,
    maxActivations: 100,
    callsAtOnce: 1,
    sharesFileSystem: false,
    killsBusyCalls: true,
    freshWorkers: false,
    workersOutliveClient: false,
    placesSecrets: true,
  } as const
  readonly defaultRuntime: RuntimeSpec = { name: 'default' }
  readonly #folder: string
  readonly #place: PlaceBatch
  readonly #secrets = new Map<string, WorkerSecrets>()
  #worker: Promise<string> | undefined
  #waiting: Uint8Array[] = []
  #batches = 0
  /** Of all batches, in the order of their starts. */
  readonly workers: WorkerProgram[] = []

  constructor(folder: string, place: PlaceBatch) {
    this.#folder = folder
    this.#place = place
  }

  async deployRuntime(_: RuntimeSpec, options: DeployOptions = {}): Promise<RuntimeMetadata> {
    for (const secret of options.secrets ?? []) this.#secrets.set(secret.storageId, secret)
    const file = join(this.#folder, `worker-${Math.random()}.cjs`)
    this.#worker = bundleWorker(options.drivers ?? []).then(async code => {
      await writeFile(file, code)
      return file
    })
    const program = new WorkerProgram({}, { file: await this.#worker, args: [METADATA_ARGUMENT] })
    await program.exited
    return JSON.parse(program.log) as RuntimeMetadata
  }

  async listRuntimes() {
    return []
  }

  async deleteRuntime(): Promise<void> {}

  async invoke({ payload }: Activation): Promise<ActivationReport> {
    if (this.#waiting.push(payload) === 1) setImmediate(() => void this.#start())
    return { isOnlyAccepted: true }
  }

  async #start(): Promise<void> {
    const payloads = this.#waiting.splice(0)
    const secrets = [...this.#secrets.values()]
    const { parts, ...place } = await this.#place(`batch-${this.#batches++}`, encodeBatch(payloads), secrets)
    const file = (await this.#worker) ?? fileURLToPath(new URL('../dist/worker/entry.cjs', import.meta.url))
    for (const index of payloads.keys()) {
      const environment = {
        ...(parts as Record<string, string> | undefined),
        [BATCH_VARIABLE]: JSON.stringify(place),
        [SECRETS_ENVIRONMENT_NAME]: encodeSecrets(secrets),
        JOB_INDEX: `${index}`,
      }
      this.workers.push(new WorkerProgram(environment, { file, args: [BATCH_ARGUMENT] }))
    }
  }

  async clean(): Promise<readonly string[]> {
    return []
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map(worker => worker.end()))
  }
}
