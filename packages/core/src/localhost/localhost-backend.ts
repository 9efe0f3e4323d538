import { availableParallelism } from 'node:os'
import {
  type Activation,
  type ActivationReport,
  type CleanOptions,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type ComputeCapabilities,
  type DeployOptions,
  type InvokeOptions,
  type RuntimeListing,
  type RuntimeMetadata,
  type RuntimeSpec,
  type WorkerSecrets,
} from '../driver/compute-backend.ts'
import { encodeSecrets } from '../driver/secrets-environment.ts'
import { type CallError, InvocationError } from '../errors/index.ts'
import { LITHOPS_VERSION } from '../version.ts'
import { PROTOCOL_VERSION } from '../worker/protocol.ts'
import { slotMainFile } from './slot-main-file.ts'
import { type ActivationEvents, WorkerProcess } from './worker-process.ts'
import { WorkerWatchdog } from './worker-watchdog.ts'

/** Activations that a worker is given before it has ended the one before; hides the client's own time. */
const PREFETCH_PER_WORKER = 1

export interface LocalhostOptions {
  /** Worker processes. Default: one per core. */
  readonly workers?: number
  /** 'call' gives every call a fresh process. Default: 'worker'. */
  readonly isolation?: 'worker' | 'call'
  /** Node binary that runs the workers. Default: the one that runs this program. */
  readonly runtime?: string
  /** Heap limit of a worker in MiB. Default: Node's own. */
  readonly memoryMiB?: number
}

interface Waiting {
  readonly activation: Activation
  readonly options: InvokeOptions
  readonly resolve: (report: ActivationReport) => void
  readonly reject: (error: unknown) => void
  /** Leaves it to the worker that has it; undefined while no worker has it. */
  abandon: (() => void) | undefined
}

/** The embedded backend: warm worker processes on this machine. */
export class LocalhostBackend implements ComputeBackend {
  readonly specVersion = COMPUTE_SPEC_VERSION
  readonly name = 'localhost'
  readonly kind = 'faas'
  readonly capabilities: ComputeCapabilities
  readonly defaultRuntime: RuntimeSpec
  readonly #workerCount: number
  readonly #alwaysFresh: boolean
  readonly #workers = new Set<WorkerProcess>()
  readonly #queue: Waiting[] = []
  readonly #secrets = new Map<string, WorkerSecrets>()
  readonly #watchdog = new WorkerWatchdog()
  readonly #killAllOnExit = () => {
    for (const worker of this.#workers) worker.kill('closed')
  }
  #isClosed = false

  constructor(options: LocalhostOptions = {}) {
    this.#workerCount = options.workers ?? availableParallelism()
    this.#alwaysFresh = options.isolation === 'call'
    this.defaultRuntime = {
      name: options.runtime ?? process.execPath,
      ...(options.memoryMiB === undefined ? {} : { memoryMiB: options.memoryMiB }),
    }
    this.capabilities = {
      synchronousReply: true,
      streamsReplies: true,
      maxPayloadBytes: Number.POSITIVE_INFINITY,
      maxReplyBytes: Number.POSITIVE_INFINITY,
      maxTimeoutMs: Number.POSITIVE_INFINITY,
      maxActivations: this.#workerCount,
      prefetch: this.#alwaysFresh ? 0 : this.#workerCount * PREFETCH_PER_WORKER,
      adaptiveChunks: !this.#alwaysFresh,
      callsAtOnce: 1,
      sharesFileSystem: true,
      killsBusyCalls: true,
      freshWorkers: true,
      workersOutliveClient: false,
      placesSecrets: true,
    }
  }

  prepare(runtime: RuntimeSpec, workers = 1): void {
    if (this.#isClosed) return
    for (let i = this.#workers.size; i < Math.min(workers, this.#workerCount); i++) this.#start(runtime)
  }

  /** Workers get secrets over their own pipe: never as arguments, in the environment or in an activation. */
  async deployRuntime(_runtime: RuntimeSpec, options: DeployOptions): Promise<RuntimeMetadata> {
    options.signal?.throwIfAborted()
    this.#checkOpen(false)
    const { secrets = [] } = options
    for (const secret of secrets) this.#secrets.set(secret.storageId, secret)
    if (secrets.length > 0) for (const worker of this.#workers) worker.giveSecrets(encodeSecrets(secrets))
    return {
      lithopsVersion: LITHOPS_VERSION,
      protocolVersion: PROTOCOL_VERSION,
      nodeVersion: process.version,
      platform: process.platform,
      arch: process.arch,
    }
  }

  async listRuntimes(): Promise<readonly RuntimeListing[]> {
    return [{ name: this.defaultRuntime.name, version: LITHOPS_VERSION, workerName: 'localhost' }]
  }

  async deleteRuntime(): Promise<void> {}

  invoke(activation: Activation, options: InvokeOptions): Promise<ActivationReport> {
    return new Promise((resolve, reject) => {
      this.#checkOpen(false)
      options.signal?.throwIfAborted()
      const waiting: Waiting = { activation, options, resolve, reject, abandon: undefined }
      options.signal?.addEventListener('abort', () => this.#abort(waiting), { once: true })
      this.#queue.push(waiting)
      this.#dispatch()
    })
  }

  /** Removes a folder of this program when the program ends without `close`, killed or not. */
  removeAtEnd(folder: string): void {
    this.#watchdog.remove(folder)
  }

  async clean(_options?: CleanOptions): Promise<readonly string[]> {
    return []
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const waiting of this.#queue.splice(0)) waiting.reject(closedError(false))
    const workers = [...this.#workers]
    for (const worker of workers) worker.kill('closed')
    await Promise.all(workers.map(worker => worker.exited))
    this.#watchdog.close()
    process.off('exit', this.#killAllOnExit)
  }

  #checkOpen(mayHaveRun: boolean): void {
    if (this.#isClosed) throw closedError(mayHaveRun)
  }

  #abort(waiting: Waiting): void {
    const at = this.#queue.indexOf(waiting)
    if (at >= 0) {
      this.#queue.splice(at, 1)
      waiting.reject(waiting.options.signal?.reason)
    } else {
      waiting.abandon?.()
    }
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const waiting = this.#queue[0] as Waiting
      const worker = this.#workerFor(waiting.activation) ?? this.#workerAhead(waiting.activation)
      if (worker === undefined) return
      this.#queue.shift()
      this.#run(waiting, worker)
    }
  }

  /** A worker that is busy with the same job: calls of another must not wait for it while others may come free. */
  #workerAhead({ executorId, jobId, runtime, freshWorker }: Activation): WorkerProcess | undefined {
    if (this.#alwaysFresh || freshWorker) return undefined
    const job = `${executorId} ${jobId}`
    for (const worker of this.#workers)
      if (worker.takesNext && worker.memoryMiB === runtime.memoryMiB && this.#jobs.get(worker) === job)
        return worker
    return undefined
  }

  #workerFor(activation: Activation): WorkerProcess | undefined {
    const memoryMiB = activation.runtime.memoryMiB
    let unfit: WorkerProcess | undefined
    for (const worker of this.#workers) {
      if (!worker.isIdle) continue
      if (worker.memoryMiB === memoryMiB && !this.#jobs.has(worker)) return worker
      if (worker.memoryMiB === memoryMiB && !this.#isFresh(activation)) return worker
      unfit = worker
    }
    if (this.#workers.size >= this.#workerCount) {
      if (unfit === undefined) return undefined
      unfit.kill('closed')
      this.#workers.delete(unfit)
    }
    return this.#start(activation.runtime)
  }

  /** The job that a worker has served last. Those that are missing are fresh. */
  readonly #jobs = new WeakMap<WorkerProcess, string>()

  #isFresh(activation: Activation): boolean {
    return this.#alwaysFresh || activation.freshWorker
  }

  #start(runtime: RuntimeSpec): WorkerProcess {
    if (this.#workers.size === 0) {
      process.off('exit', this.#killAllOnExit)
      process.on('exit', this.#killAllOnExit)
    }
    const worker = new WorkerProcess({
      execPath: runtime.name,
      mainFile: slotMainFile(),
      memoryMiB: runtime.memoryMiB,
      environment: workerEnvironment(),
      onExit: ended => {
        this.#workers.delete(ended)
        this.#watchdog.forget(ended.pid)
        if (!this.#isClosed) setImmediate(() => this.#dispatch())
      },
    })
    if (this.#secrets.size > 0) worker.giveSecrets(encodeSecrets([...this.#secrets.values()]))
    this.#workers.add(worker)
    this.#watchdog.watch(worker.pid)
    return worker
  }

  #run(waiting: Waiting, worker: WorkerProcess): void {
    const { activation, options } = waiting
    this.#jobs.set(worker, `${activation.executorId} ${activation.jobId}`)
    const events: ActivationEvents = {
      frames: frames => options.onReply(frames),
      done: () => {
        if (this.#isFresh(activation)) worker.kill('closed')
        this.#dispatch()
        waiting.resolve({})
      },
      lost: (error, isBegun) => {
        if (isBegun || this.#isClosed || options.signal?.aborted) waiting.reject(this.#lost(waiting, error))
        else this.#runElsewhere(waiting)
      },
    }
    waiting.abandon = () => worker.abandon(events)
    worker.activate(activation.payload, activation.callTimeoutMs, events)
    this.#watchdog.needed()
  }

  /** Its worker was dead already, killed while it was idle: that is no fault of the activation. */
  #runElsewhere(waiting: Waiting): void {
    waiting.abandon = undefined
    this.#queue.unshift(waiting)
    this.#dispatch()
  }

  #lost(waiting: Waiting, error: CallError): unknown {
    const { signal } = waiting.options
    if (signal?.aborted) return signal.reason
    return this.#isClosed ? closedError(true) : error
  }
}

function closedError(mayHaveRun: boolean): InvocationError {
  return new InvocationError('The localhost backend is closed.', {
    code: 'LITHOPS_CLOSED',
    isRetryable: false,
    mayHaveRun,
  })
}

/** The worker's environment: the program's own, less what is meant for the program's own process. */
function workerEnvironment(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, LITHOPS_WORKER: 'localhost' }
  for (const name of ['NODE_OPTIONS', 'NODE_CHANNEL_FD', 'NODE_UNIQUE_ID', 'NODE_V8_COVERAGE'])
    delete environment[name]
  return environment
}
