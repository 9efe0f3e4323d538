import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import {
  type Activation,
  type ActivationReport,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type ComputeCapabilities,
  type DeployOptions,
  encodeSecrets,
  type RuntimeMetadata,
  SECRETS_ENVIRONMENT_NAME,
  type WorkerSecrets,
} from '@lithops/core/driver'
import { PROTOCOL_VERSION } from '@lithops/core/worker'

/** How long an accepted activation may wait for a worker. */
const MAX_START_DELAY_MS = 15_000

export interface MuteOptions {
  /** Worker processes at most. Default: 3. */
  readonly workers?: number
  /** Default: 15,000. */
  readonly maxStartDelayMs?: number
  /** The workers' own way to the broker, in place of the one that they are told. */
  readonly workerUrl?: string
}

/**
 * A platform that accepts activations and runs them later in worker processes, which it keeps: what they do not publish, nobody
 * hears of.
 */
export class MuteBackend implements ComputeBackend {
  readonly specVersion = COMPUTE_SPEC_VERSION
  readonly name = 'mute'
  readonly kind = 'faas'
  readonly capabilities: ComputeCapabilities
  readonly defaultRuntime = { name: 'mute' }
  /** What activations ended with that could not tell it. */
  readonly failures: string[] = []
  /** How many activations were accepted. */
  accepted = 0
  readonly #options: MuteOptions
  readonly #workers = new Set<ChildProcess>()
  readonly #idle: ChildProcess[] = []
  readonly #queue: Uint8Array[] = []
  #secrets: readonly WorkerSecrets[] = []

  constructor(options: MuteOptions = {}) {
    this.#options = options
    this.capabilities = {
      synchronousReply: false,
      streamsReplies: false,
      maxPayloadBytes: 4 * 1024 * 1024,
      maxReplyBytes: Number.POSITIVE_INFINITY,
      maxTimeoutMs: 120_000,
      maxActivations: 1_000,
      callsAtOnce: 1,
      sharesFileSystem: false,
      killsBusyCalls: false,
      freshWorkers: false,
      maxStartDelayMs: options.maxStartDelayMs ?? MAX_START_DELAY_MS,
      workersOutliveClient: false,
      placesSecrets: true,
    }
  }

  /** Of worker processes that were started and have not ended. */
  get pids(): readonly number[] {
    return [...this.#workers].map(({ pid }) => Number(pid))
  }

  async deployRuntime(_runtime: unknown, { secrets = [] }: DeployOptions): Promise<RuntimeMetadata> {
    const { workerUrl } = this.#options
    this.#secrets = secrets.map(secret =>
      workerUrl !== undefined && secret.storageName === 'rabbitmq'
        ? { ...secret, values: { amqp_url: workerUrl } }
        : secret,
    )
    const { version: nodeVersion, platform, arch } = process
    return { lithopsVersion: '0.0.0', protocolVersion: PROTOCOL_VERSION, nodeVersion, platform, arch }
  }

  async listRuntimes() {
    return []
  }

  async deleteRuntime() {}

  async invoke({ payload }: Activation): Promise<ActivationReport> {
    this.accepted++
    this.#queue.push(payload)
    this.#dispatch()
    return {}
  }

  async clean() {
    return []
  }

  async close(): Promise<void> {
    this.#queue.length = 0
    const workers = [...this.#workers]
    for (const worker of workers) worker.kill('SIGKILL')
    await Promise.all(workers.map(worker => worker.exitCode ?? worker.signalCode ?? once(worker, 'exit')))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const worker = this.#idle.pop() ?? this.#start()
      if (worker === undefined) return
      worker.send(this.#queue.shift() as Uint8Array)
    }
  }

  #start(): ChildProcess | undefined {
    if (this.#workers.size >= (this.#options.workers ?? 3)) return undefined
    const worker = fork(path.join(import.meta.dirname, 'mute-worker.mjs'), {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
      env: { ...process.env, [SECRETS_ENVIRONMENT_NAME]: encodeSecrets(this.#secrets) },
    })
    this.#workers.add(worker)
    worker.on('exit', () => this.#workers.delete(worker))
    worker.on('message', ({ error }: { readonly error?: string }) => {
      if (error !== undefined) this.failures.push(error)
      this.#idle.push(worker)
      this.#dispatch()
    })
    return worker
  }
}
