import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type Activation,
  type ActivationReport,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type DeployOptions,
  encodeSecrets,
  InvocationError,
  type InvokeOptions,
  type RuntimeFunction,
  type RuntimeMetadata,
  type RuntimeSpec,
  SECRETS_ENVIRONMENT_NAME,
  type WorkerSecrets,
} from '@lithops/core/driver'
import { bundleWorker, functionFiles, WorkerConnections } from '../src/index.ts'
import { WorkerProgram } from './worker-program.ts'

const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024

export interface HttpPlatformOptions {
  readonly workerProcesses?: number
  readonly concurrency?: number
  /** Default: as many as the worker has places for. */
  readonly maxActivations?: number
  /** Further variables of the worker. */
  readonly environment?: Readonly<Record<string, string>>
  /** Puts functions beside the worker, in this folder. */
  readonly functionsIn?: string
  /** false: only those that extendRuntime has put there. */
  readonly bakesFunctions?: boolean
  /** Starts another worker than the built one, or elsewhere. */
  readonly start?: (environment: Readonly<Record<string, string>>) => WorkerProgram
  readonly heartbeatMs?: number
  /** Something on the way: takes the worker's origin, gives the one to use. */
  readonly before?: (origin: string) => Promise<string>
}

interface Deployed {
  readonly program: WorkerProgram
  readonly connections: WorkerConnections
}

/** A platform of one container that answers HTTP, as a process of this machine. */
export class HttpPlatform implements ComputeBackend {
  readonly specVersion = COMPUTE_SPEC_VERSION
  readonly name = 'http_platform'
  readonly kind = 'faas'
  readonly capabilities
  readonly defaultRuntime: RuntimeSpec = { name: 'default' }
  readonly #options: HttpPlatformOptions
  readonly #secrets = new Map<string, WorkerSecrets>()
  readonly #all: Deployed[] = []
  #deployed: Promise<Deployed> | undefined
  #closed: InvocationError | undefined
  readonly #functions = new Set<string>()
  /** Containers that were started. */
  deployments = 0

  constructor(options: HttpPlatformOptions = {}) {
    this.#options = options
    const { workerProcesses = 1, concurrency = 1 } = options
    this.capabilities = {
      synchronousReply: true,
      streamsReplies: true,
      maxPayloadBytes: MAX_PAYLOAD_BYTES,
      maxReplyBytes: Number.POSITIVE_INFINITY,
      maxTimeoutMs: Number.POSITIVE_INFINITY,
      maxActivations: options.maxActivations ?? workerProcesses * concurrency,
      callsAtOnce: 1,
      activationsPerWorker: concurrency,
      sharesFileSystem: false,
      killsBusyCalls: true,
      freshWorkers: false,
      workersOutliveClient: false,
      placesSecrets: true,
      bakesFunctions: options.bakesFunctions ?? options.functionsIn !== undefined,
    } as const
  }

  /** The container that is there. */
  async program(): Promise<WorkerProgram> {
    if (this.#deployed === undefined) throw new Error('nothing is deployed')
    return (await this.#deployed).program
  }

  async deployRuntime(runtime: RuntimeSpec, options: DeployOptions = {}): Promise<RuntimeMetadata> {
    options.signal?.throwIfAborted()
    // what other jobs have asked for stays there
    const functions = (runtime.functions ?? []).filter(({ hash }) => !this.#functions.has(hash))
    if (functions.length > 0) {
      for (const { hash } of functions) this.#functions.add(hash)
      await this.deleteRuntime()
    }
    if (this.#options.functionsIn !== undefined) await this.#placeFunctions(functions)
    const before = encodeSecrets([...this.#secrets.values()])
    for (const secret of options.secrets ?? []) this.#secrets.set(secret.storageId, secret)
    if (before !== encodeSecrets([...this.#secrets.values()])) await this.deleteRuntime()
    this.#deployed ??= this.#deploy()
    const { connections } = await this.#deployed
    return connections.metadata(options.signal === undefined ? {} : { signal: options.signal })
  }

  /** What an image would have: the worker, and functions beside it. */
  async #placeFunctions(functions: readonly RuntimeFunction[]): Promise<void> {
    const folder = this.#options.functionsIn as string
    const files = { ...(await functionFiles(functions)), 'worker.cjs': await bundleWorker() }
    for (const [name, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), bytes)
    }
  }

  async #deploy(): Promise<Deployed> {
    const { workerProcesses = 1, concurrency = 1, environment = {}, before, start } = this.#options
    const all = {
      LITHOPS_WORKER_PROCESSES: `${workerProcesses}`,
      LITHOPS_CONCURRENCY: `${concurrency}`,
      [SECRETS_ENVIRONMENT_NAME]: encodeSecrets([...this.#secrets.values()]),
      ...environment,
    }
    const { functionsIn } = this.#options
    const beside = functionsIn === undefined ? {} : { file: join(functionsIn, 'worker.cjs') }
    const program = start?.(all) ?? new WorkerProgram(all, beside)
    this.deployments++
    const origin = await program.origin()
    const connections = new WorkerConnections({ origin: (await before?.(origin)) ?? origin })
    const deployed = { program, connections }
    this.#all.push(deployed)
    return deployed
  }

  async listRuntimes() {
    return this.#deployed === undefined ? [] : [{ name: 'default', version: '0', workerName: 'container' }]
  }

  async deleteRuntime(): Promise<void> {
    const deployed = await this.#deployed
    this.#deployed = undefined
    await deployed?.connections.close()
    await deployed?.program.end()
  }

  async invoke(activation: Activation, { signal, onReply }: InvokeOptions): Promise<ActivationReport> {
    if (this.#closed !== undefined) throw this.#closed
    signal?.throwIfAborted()
    this.#deployed ??= this.#deploy()
    const { connections } = await this.#deployed
    const { heartbeatMs } = this.#options
    try {
      await connections.run({
        payload: activation.payload,
        signal,
        onReply,
        goesOnAlone: activation.repliesElsewhere ?? false,
        ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      })
      return { requestId: activation.id }
    } catch (error) {
      throw this.#closed ?? error
    }
  }

  async clean({ dryRun = false } = {}): Promise<readonly string[]> {
    const names = this.#deployed === undefined ? [] : ['container']
    if (!dryRun) await this.deleteRuntime()
    return names
  }

  async close(): Promise<void> {
    this.#closed ??= new InvocationError('closed', { code: 'LITHOPS_CLOSED', isRetryable: false })
    await Promise.all(
      this.#all.map(async ({ program, connections }) => {
        await connections.close()
        await program.end()
      }),
    )
  }
}
