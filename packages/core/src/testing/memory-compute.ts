import { pathToFileURL } from 'node:url'
import {
  type Activation,
  type ActivationReport,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type ComputeCapabilities,
  type DeployOptions,
  type InvokeOptions,
  type RuntimeListing,
  type RuntimeMetadata,
  type RuntimeSpec,
} from '../driver/compute-backend.ts'
import type { ComputeDriver, StorageDriver } from '../driver/driver.ts'
import type { PublisherDriver } from '../driver/monitor.ts'
import { nativeImport } from '../driver/native-import.ts'
import { InvocationError, NotSupportedError } from '../errors/index.ts'
import { localhostStorageDriver } from '../localhost/localhost-storage.ts'
import { LITHOPS_VERSION } from '../version.ts'
import type { ModuleFactory } from '../worker/instantiate.ts'
import { PROTOCOL_VERSION } from '../worker/protocol.ts'
import { ActivationRunner } from '../worker/run-activation.ts'
import type { WorkerHost } from '../worker/worker-host.ts'
import { WorkerMonitors } from '../worker/worker-monitors.ts'
import { WorkerStorages } from '../worker/worker-storages.ts'
import { openMemoryPublisher } from './memory-monitor.ts'
import { openMemoryStorage } from './memory-storage.ts'

const MAX_ACTIVATIONS = 4
/** Small enough that a test reaches it, large enough for any function. */
const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024

/** A worker of this process: it runs one activation at a time and keeps its functions warm. */
class MemoryWorker {
  static #next = 0
  readonly id = `memory-${MemoryWorker.#next++}`
  readonly #runner: ActivationRunner
  #activations = 0
  #emit: (frames: Uint8Array) => void = () => {}
  /** A function may still be running in it that was given up: no further activation may come here. */
  isSpent = false

  constructor(storages: WorkerStorages, monitors: WorkerMonitors, repliesReachClient: boolean) {
    const host: WorkerHost = {
      facts: () => ({
        workerId: this.id,
        nodeVersion: process.version,
        lithopsVersion: LITHOPS_VERSION,
        coldStart: this.#activations++ === 0,
        initMs: 0,
      }),
      emit: frames => this.#emit(frames),
      importModule: async (_hash, code, inline) => {
        const url =
          code.kind === 'file'
            ? pathToFileURL(code.path).href
            : `data:text/javascript;base64,${Buffer.from(inline).toString('base64')}`
        return ((await nativeImport(url)) as { default: ModuleFactory }).default
      },
      readLocation: async location => {
        throw new NotSupportedError(`The memory backend cannot read from '${location.kind}'.`)
      },
      loadStorage: head => storages.load(head),
      openStorage: (head, name) => storages.open(head, name),
      takeStorageRequests: (head, ahead) => storages.takeRequests(head, ahead),
      repliesReachClient,
      openPublisher: head => monitors.open(head),
      poisoned: () => {
        this.isSpent = true
      },
    }
    this.#runner = new ActivationRunner(host)
  }

  async run(payload: Uint8Array, emit: (frames: Uint8Array) => void): Promise<void> {
    this.#emit = emit
    await this.#runner.run(payload)
  }
}

/** Storages that workers of this process can open without a file. */
const DRIVERS: readonly StorageDriver<unknown>[] = [
  {
    specVersion: 1,
    name: 'memory',
    create: config => openMemoryStorage(config as Record<string, unknown>),
  },
  localhostStorageDriver,
]

/** Ways home that they bring; others are found by the module in the activation, as they share this machine's files. */
const PUBLISHERS: readonly PublisherDriver[] = [
  { specVersion: 1, kind: 'memory', open: address => openMemoryPublisher(address) },
]

/** How the memory backend differs from what it is by default, to be like one platform or another. */
export interface MemoryComputeOptions {
  /** Larger activations are refused. Default: 4 MiB. */
  readonly maxPayloadBytes?: number
  /** An activation whose reply is larger is lost. Default: Infinity. */
  readonly maxReplyBytes?: number
  /** false: an activation is accepted at once and run later, and nothing is replied. Default: true. */
  readonly synchronousReply?: boolean
  /** How long an accepted activation may wait for a worker. Default: the contract's. */
  readonly maxStartDelayMs?: number
}

/** Workers in this process: the shortest complete compute backend. It cannot stop a function, nor survive its crash. */
export class MemoryCompute implements ComputeBackend {
  readonly specVersion = COMPUTE_SPEC_VERSION
  readonly name = 'memory'
  readonly kind = 'faas'
  readonly capabilities: ComputeCapabilities
  readonly defaultRuntime: RuntimeSpec = { name: 'memory' }
  readonly #deployed = new Map<string, RuntimeSpec>()
  readonly #idle: MemoryWorker[] = []
  readonly #storages = new WorkerStorages({ drivers: DRIVERS })
  readonly #monitors = new WorkerMonitors({ storages: this.#storages, drivers: PUBLISHERS })
  readonly #closing = new AbortController()

  constructor(options: MemoryComputeOptions = {}) {
    const { synchronousReply = true, maxStartDelayMs } = options
    this.capabilities = {
      synchronousReply,
      streamsReplies: synchronousReply,
      maxPayloadBytes: options.maxPayloadBytes ?? MAX_PAYLOAD_BYTES,
      maxReplyBytes: options.maxReplyBytes ?? Number.POSITIVE_INFINITY,
      maxTimeoutMs: Number.POSITIVE_INFINITY,
      maxActivations: MAX_ACTIVATIONS,
      callsAtOnce: 1,
      sharesFileSystem: false,
      killsBusyCalls: false,
      freshWorkers: false,
      ...(maxStartDelayMs === undefined ? {} : { maxStartDelayMs }),
      workersOutliveClient: false,
      placesSecrets: true,
    }
  }

  async deployRuntime(runtime: RuntimeSpec, options: DeployOptions = {}): Promise<RuntimeMetadata> {
    options.signal?.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    this.#storages.addSecrets(options.secrets ?? [])
    this.#monitors.addSecrets(options.secrets ?? [])
    this.#deployed.set(runtime.name, runtime)
    return {
      lithopsVersion: LITHOPS_VERSION,
      protocolVersion: PROTOCOL_VERSION,
      nodeVersion: process.version,
      platform: process.platform,
      arch: process.arch,
    }
  }

  async listRuntimes(): Promise<readonly RuntimeListing[]> {
    return [...this.#deployed.values()].map(({ name, memoryMiB }) => ({
      name,
      ...(memoryMiB === undefined ? {} : { memoryMiB }),
      version: LITHOPS_VERSION,
      workerName: `memory/${name}`,
    }))
  }

  async deleteRuntime(runtime: RuntimeSpec): Promise<void> {
    this.#deployed.delete(runtime.name)
  }

  async invoke(activation: Activation, options: InvokeOptions): Promise<ActivationReport> {
    this.#closing.signal.throwIfAborted()
    options.signal?.throwIfAborted()
    const ending = AbortSignal.any(
      options.signal === undefined ? [this.#closing.signal] : [options.signal, this.#closing.signal],
    )
    const { maxPayloadBytes, maxReplyBytes, synchronousReply } = this.capabilities
    if (activation.payload.length > maxPayloadBytes) {
      throw new InvocationError(
        `The memory backend takes ${maxPayloadBytes} bytes, not ${activation.payload.length}.`,
        { isRetryable: false, code: 'LITHOPS_PAYLOAD_TOO_LARGE' },
      )
    }
    const worker = this.#idle.pop() ?? new MemoryWorker(this.#storages, this.#monitors, synchronousReply)
    let replyBytes = 0
    const run = worker.run(activation.payload, frames => {
      replyBytes += frames.length
      if (!ending.aborted && synchronousReply && replyBytes <= maxReplyBytes) options.onReply(frames.slice())
    })
    if (!synchronousReply) {
      run.then(
        () => this.#idle.push(worker),
        () => {},
      )
      return { requestId: `${worker.id}/${activation.id}` }
    }
    const aborted = new Promise<never>((_resolve, reject) => {
      ending.addEventListener('abort', () => reject(ending.reason), { once: true })
    })
    await Promise.race([run, aborted])
    if (replyBytes > maxReplyBytes) {
      throw new InvocationError(
        `The reply has ${replyBytes} bytes, and the memory backend takes ${maxReplyBytes}.`,
        { isRetryable: false, mayHaveRun: true },
      )
    }
    if (!worker.isSpent) this.#idle.push(worker)
    return { requestId: `${worker.id}/${activation.id}` }
  }

  async clean(options: { readonly dryRun?: boolean } = {}): Promise<readonly string[]> {
    const names = [...this.#deployed.keys()].map(name => `memory/${name}`)
    if (!options.dryRun) this.#deployed.clear()
    return names
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(
      new InvocationError('The memory backend is closed.', { code: 'LITHOPS_CLOSED', isRetryable: false }),
    )
    this.#idle.length = 0
    await this.#monitors.close()
  }
}

/** A compute driver whose workers are in this process. */
export function memoryCompute(): ComputeDriver {
  return { specVersion: 1, name: 'memory', create: () => new MemoryCompute() }
}
