import { existsSync, rmSync, symlinkSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { RuntimeMetadata, WorkerSecrets } from '../driver/compute-backend.ts'
import type { StorageDriver } from '../driver/driver.ts'
import type { PublisherDriver } from '../driver/monitor.ts'
import { takeSecretsFromEnvironment } from '../driver/secrets-environment.ts'
import { NotSupportedError } from '../errors/index.ts'
import { LITHOPS_VERSION } from '../version.ts'
import { BroughtFunctions, importFile } from './brought-functions.ts'
import { BusyWatch, endAtTimeout } from './busy-watch.ts'
import type { ModuleFactory } from './instantiate.ts'
import { installLogCapture } from './log-capture.ts'
import { ProcessGuard } from './process-guard.ts'
import { type JobHead, type Location, PROTOCOL_VERSION, type StorageHead } from './protocol.ts'
import { ActivationRunner, callOfCode } from './run-activation.ts'
import { shareProcess } from './shared-process.ts'
import type { WorkerHost } from './worker-host.ts'
import { WorkerMonitors } from './worker-monitors.ts'
import { WorkerStorages } from './worker-storages.ts'

export interface CloudWorkerOptions {
  /** The platform's name of this worker process, for stats. */
  readonly workerId: string
  /** Storages that the runtime brings. Default: none, and functions have no `context.storage`. */
  readonly storages?: readonly StorageDriver<unknown>[]
  /** Workers' halves of monitors that the runtime brings. Default: none but the one of the storage monitor. */
  readonly monitors?: readonly PublisherDriver[]
  /** Secrets that the backend placed. Default: those of the environment, which are taken out of it. */
  readonly secrets?: readonly WorkerSecrets[]
  /** Folders `node_modules` whose packages functions may import; the first one that is there counts. Default: none. */
  readonly packageFolders?: readonly string[]
  /** Folder in which the runtime brings functions, each as `<hash>.mjs`. Default: it brings none. */
  readonly functionFolder?: string
  /** The platform has put methods of its own into `console`, which do not write to the process's streams. Default: false. */
  readonly hasOwnConsole?: boolean
  /**
   * Writes a line with the job's key into the platform's log before its calls, by which they are found: for each activation, and
   * where several run at once when the job is another than before. Default: false.
   */
  readonly namesJobs?: boolean
  /**
   * How many activations run at the same time. Above 1, calls do not share changes of the process: each sees its own
   * `process.env`, `process.exit` ends the call alone, and `process.chdir` throws NotSupportedError. Default: 1.
   */
  readonly concurrency?: number
  /**
   * Called when a function did not stop at its timeout, after its call was told: it may still be running, so this process
   * should be given nothing more, and be ended when the activations beside it have ended. Default: the process ends at once.
   */
  readonly onPoisoned?: () => void
}

/** Of one activation. */
export interface Circumstances {
  /**
   * Milliseconds that the platform gives it; calls that may take as long are left to the platform to end. Default: Infinity.
   */
  readonly timeLeftMs?: number
  /** false: nobody reads the reply. Looked at whenever it matters: it may change. Default: true. */
  readonly isReplyAwaited?: boolean
  /** Takes whole reply frames as they come, in order. Default: all of them are what `run` returns. */
  readonly onReply?: (frames: Uint8Array) => void
  /** The message was read, and its calls begin. */
  readonly onAccepted?: () => void
  /** Aborted when nobody waits for the calls any more: their signals are aborted, and no other begins. */
  readonly signal?: AbortSignal
  /** Said with a call's id in the line that begins with TIMEOUT_MARK, where several run at once; not 0. */
  readonly activation?: number
}

/**
 * A worker process of a platform that hands in activations and takes replies: the shared part of the remote halves of
 * backends. Make one per process, when it starts: it takes over the process's environment, streams and uncaught errors.
 *
 * What functions write goes with the reply, and to the platform's own log as well. A function that is over its timeout and
 * does not stop ends the process, after a line that begins with TIMEOUT_MARK.
 */
export class CloudWorker {
  readonly #options: CloudWorkerOptions
  readonly #runner: ActivationRunner
  readonly #storages: WorkerStorages
  readonly #monitors: WorkerMonitors
  /** Undefined where calls share the process. */
  readonly #guard: ProcessGuard | undefined
  readonly #concurrency: number
  readonly #busyWatch = new BusyWatch()
  readonly #brought: BroughtFunctions | undefined
  readonly #folder = join(tmpdir(), `lithops-${process.pid}`)
  readonly #initMs: number
  #madeFolder: Promise<unknown> | undefined
  #activations = 0
  #running = 0
  #namedJob: string | undefined
  readonly #waiting: (() => void)[] = []

  constructor(options: CloudWorkerOptions) {
    this.#options = options
    this.#storages = new WorkerStorages({ drivers: options.storages ?? [] })
    this.#monitors = new WorkerMonitors({ storages: this.#storages, drivers: options.monitors ?? [] })
    const secrets = options.secrets ?? takeSecretsFromEnvironment()
    this.#storages.addSecrets(secrets)
    this.#monitors.addSecrets(secrets)
    const { functionFolder } = options
    if (functionFolder !== undefined) this.#brought = new BroughtFunctions(functionFolder)
    this.#concurrency = options.concurrency ?? 1
    if (this.#concurrency > 1) shareProcess()
    else this.#guard = new ProcessGuard()
    this.#runner = new ActivationRunner(this.#hostOf({}, () => {}))
    this.#captureLogs()
    this.#takeErrors()
    this.#initMs = performance.now()
  }

  /** What the runtime says of itself. */
  get metadata(): RuntimeMetadata {
    const functions = this.#brought?.hashes ?? []
    return {
      lithopsVersion: LITHOPS_VERSION,
      protocolVersion: PROTOCOL_VERSION,
      nodeVersion: process.version,
      platform: process.platform,
      arch: process.arch,
      ...(functions.length === 0 ? {} : { functions }),
    }
  }

  /**
   * Loads the function that the runtime brings, so that the first call need not wait for it. To be awaited before the worker says
   * that it is ready. Does nothing where the runtime brings none, or several. Never rejects; takes five seconds at the most.
   */
  async preloadFunction(): Promise<void> {
    await this.#brought?.preload(hash => this.#placeOf(hash))
  }

  /**
   * Runs one activation message; those beyond `concurrency` wait for their turn.
   *
   * @returns the reply frames of its calls; empty where all of them went another way home
   * @throws ProtocolError for a message that cannot be read, or of another version
   */
  async run(payload: Uint8Array, circumstances: Circumstances = {}): Promise<Uint8Array> {
    if (this.#running < this.#concurrency) this.#running++
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await this.#run(payload, circumstances)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }

  /**
   * Reads an object: what a batch places there for its workers.
   *
   * @param storage as an activation's head has it; the secrets that were placed for it are used
   * @param range the bytes from `start` up to, not including, `end`; default: all
   * @throws NotSupportedError when this worker does not bring the driver, StorageError when it cannot be read
   */
  async readObject(
    storage: StorageHead,
    key: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<Uint8Array> {
    await this.#storages.load({ storage })
    const backend = this.#storages.of({ storage })
    return backend.getObject(storage.bucket, key, range === undefined ? {} : { range })
  }

  async #run(payload: Uint8Array, circumstances: Circumstances): Promise<Uint8Array> {
    const { onReply, signal, onAccepted } = circumstances
    const frames: Uint8Array[] = []
    await this.#runner.run(payload, {
      host: this.#hostOf(circumstances, onReply ?? (some => frames.push(some))),
      ...(signal === undefined ? {} : { signal }),
      ...(onAccepted === undefined ? {} : { onAccepted }),
    })
    return frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames)
  }

  /** The outside world of one activation. */
  #hostOf(circumstances: Circumstances, emit: (frames: Uint8Array) => void): WorkerHost {
    const storages = this.#storages
    const { timeLeftMs = Number.POSITIVE_INFINITY, activation } = circumstances
    return {
      facts: () => ({
        workerId: this.#options.workerId,
        nodeVersion: process.version,
        lithopsVersion: LITHOPS_VERSION,
        coldStart: this.#activations++ === 0,
        initMs: this.#initMs,
      }),
      emit,
      importModule: (hash, code, inline, extraEnv) => this.#importModule(hash, code, inline, extraEnv),
      readLocation: async location => {
        throw new NotSupportedError(`A remote worker cannot read from '${location.kind}'.`)
      },
      get repliesReachClient() {
        return circumstances.isReplyAwaited ?? true
      },
      openPublisher: head => this.#monitors.open(head),
      loadStorage: head => storages.load(head),
      openStorage: (head, name) => storages.open(head, name),
      takeStorageRequests: (head, ahead) => storages.takeRequests(head, ahead),
      beginJob: head => this.#beginJob(head),
      beforeCall: call => {
        const { timeoutMs } = call
        if (timeoutMs !== undefined && timeoutMs < timeLeftMs)
          this.#busyWatch.begin(call, timeoutMs, activation)
      },
      afterCall: call => {
        this.#busyWatch.end(call)
        this.#guard?.restore()
      },
      poisoned: call => {
        if (this.#options.onPoisoned === undefined) endAtTimeout(call.callId, call.timeoutMs)
        else this.#options.onPoisoned()
      },
    }
  }

  #beginJob(head: JobHead): void {
    this.#guard?.begin(head.extraEnv)
    const job = `${head.executorId}-${head.jobId}`
    // a line for each activation says nothing where the lines of several stand between each other
    if (!this.#options.namesJobs || (this.#concurrency > 1 && job === this.#namedJob)) return
    this.#namedJob = job
    console.log(`lithops: calls of job ${job}`)
  }

  async #importModule(
    hash: string,
    code: Location,
    inline: Uint8Array,
    extraEnv: JobHead['extraEnv'],
  ): Promise<ModuleFactory> {
    if (code.kind === 'inline') return importFile(await this.#ownFile(hash, inline))
    if (code.kind !== 'file' || this.#brought === undefined)
      throw new NotSupportedError(
        `Function ${hash} came as '${code.kind}', which remote workers cannot read.`,
      )
    return this.#brought.import(hash, brought => this.#placeOf(brought), extraEnv)
  }

  /** Where a function that the runtime brings is imported from: packages are looked for beside it. */
  async #placeOf(hash: string): Promise<string> {
    const file = (this.#brought as BroughtFunctions).fileOf(hash)
    const packages = this.#packageFolder()
    const isBesidePackages =
      packages === undefined || packages === join(dirname(dirname(file)), 'node_modules')
    return isBesidePackages ? file : await this.#ownFile(hash, await readFile(file))
  }

  /** A module that lies where it finds its packages. */
  async #ownFile(hash: string, bytes: Uint8Array): Promise<string> {
    this.#madeFolder ??= this.#makeFolder()
    await this.#madeFolder
    const file = join(this.#folder, `${hash}.mjs`)
    await writeFile(file, bytes)
    return file
  }

  #packageFolder(): string | undefined {
    return this.#options.packageFolders?.find(folder => existsSync(folder))
  }

  /** Modules import packages from a folder beside them. */
  async #makeFolder(): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const packages = this.#packageFolder()
    const link = join(this.#folder, 'node_modules')
    if (packages === undefined) return
    // one that leads nowhere may be there, of a process of the same id that was killed
    rmSync(link, { force: true })
    symlinkSync(packages, link, 'dir')
  }

  #captureLogs(): void {
    installLogCapture(
      (stream, text) => {
        const call = callOfCode.getStore() ?? this.#runner.currentCall
        if (call === undefined) return false
        call.log(stream, text)
        return true
      },
      { mirrors: true, hasOwnConsole: this.#options.hasOwnConsole ?? false },
    )
  }

  /** What escapes a function is the error of its call; the platform's own handlers would end the process. */
  #takeErrors(): void {
    const escaped = (error: unknown) => {
      const call = callOfCode.getStore() ?? this.#runner.currentCall
      if (call?.escaped(error)) return
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      process.stderr.write(`An error after the end of call ${call?.callId ?? '?'} was ignored: ${text}\n`)
    }
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
      process.removeAllListeners(event)
      process.on(event, escaped)
    }
  }
}
