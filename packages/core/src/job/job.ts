import type { ClassTable } from '../codec/class-table.ts'
import type {
  ComputeBackend,
  NativePackage,
  RuntimeFunction,
  RuntimeSpec,
} from '../driver/compute-backend.ts'
import { blockOf } from '../driver/monitor.ts'
import type { CapturedFunction } from '../function/captured-function.ts'
import type { OpenStorage } from '../storage/open-storage.ts'
import type { Call } from './call.ts'
import type { JobOptions } from './job-options.ts'
import { StorageUses } from './storage-uses.ts'
import { type BackendUsage, newUsage } from './usage.ts'

/** Weight of the newest measurement in the running mean of call durations. */
const DURATION_WEIGHT = 0.3

/** The worker's own frames, below the user's. */
const WORKER_FRAMES = /\n\s+at lithopsInvoke \([\s\S]*$/

/** One map, reduce or single call: a function and its calls. */
export class Job {
  readonly key: string
  readonly classes: ClassTable
  /** Calls that can be sent, in order; `readyHead` is the next. */
  readonly #ready: Call[] = []
  #readyHead = 0
  #runtime: Partial<RuntimeSpec>
  /** Calls made so far, calls ended, and of those the ones that did not end well. */
  created = 0
  ended = 0
  failed = 0
  /** Another client has begun it. */
  isAdopted = false
  /** The config says that its runtime has its function: none is sent. */
  isBaked = false
  /** One of them was handed to a backend. */
  isSent = false
  /** Calls that have not ended, by block of their ids. */
  readonly #openInBlock: number[] = []
  /** All calls are made. */
  isComplete = false
  /** Why calls that are made from now on are cancelled at once. */
  stopped: unknown
  isStopped = false
  /** Its results are for other calls: large ones need not pass through this program. */
  feedsWorkers = false
  /** Why the whole job was cancelled. */
  cancelled: { readonly reason: string; readonly cause: unknown } | undefined
  /** The job whose results the calls of this one reduce. */
  feedingJob: Job | undefined
  /** Running mean of the duration of a call in ms; undefined until the first has ended. */
  meanCallMs: number | undefined
  /**
   * Further storages that the job's inputs lie in, by the names that they have in `JobHead.storages`. Filled before the
   * job is started.
   */
  readonly storages = new Map<string, OpenStorage>()
  /** What it has used so far, by backend. */
  readonly usage: BackendUsage[] = []
  readonly storageUses = new StorageUses()
  /** Calls of the largest activation that came back whole: groups grow from there. */
  largestGroup = 0

  constructor(
    readonly executorId: string,
    readonly id: string,
    readonly fn: CapturedFunction,
    runtime: Partial<RuntimeSpec>,
    readonly options: JobOptions,
    /** Encoded array of extra arguments; undefined for none. */
    readonly extraArgs: Uint8Array | undefined,
  ) {
    this.key = `${executorId}-${id}`
    this.classes = fn.classes
    this.#runtime = runtime
  }

  /** What the job asks of its runtime beside the backend's default. */
  get runtime(): Partial<RuntimeSpec> {
    return this.#runtime
  }

  /** Its function imports these packages. */
  addPackages(packages: readonly NativePackage[]): void {
    if (packages.length > 0) this.#runtime = { ...this.#runtime, packages }
  }

  /** The code of its function, for runtimes that have it before the job comes. */
  addFunction(code: RuntimeFunction): void {
    this.#runtime = { ...this.#runtime, functions: [code] }
  }

  /** For monitors and storage. */
  get jobKey(): { readonly executorId: string; readonly jobId: string } {
    return { executorId: this.executorId, jobId: this.id }
  }

  get readyCount(): number {
    return this.#ready.length - this.#readyHead
  }

  /** Calls that are made and have not ended. */
  get openCount(): number {
    return this.created - this.ended
  }

  /** Blocks of ids that have calls which have not ended. */
  get openBlocks(): number[] {
    const blocks: number[] = []
    for (const [block, open] of this.#openInBlock.entries()) if (open > 0) blocks.push(block)
    return blocks
  }

  /** Where to count what it uses of a backend. */
  usageOn(backend: ComputeBackend, memoryMiB: number | undefined): BackendUsage {
    let usage = this.usage.find(one => one.backend === backend)
    if (usage === undefined) {
      usage = newUsage(backend, memoryMiB)
      this.usage.push(usage)
    }
    return usage
  }

  /** A call was made. */
  callMade(id: number): void {
    const block = blockOf(id)
    this.#openInBlock[block] = (this.#openInBlock[block] ?? 0) + 1
  }

  /** A call has ended. */
  callEnded(id: number): void {
    this.ended++
    const block = blockOf(id)
    this.#openInBlock[block] = (this.#openInBlock[block] ?? 1) - 1
  }

  enqueue(call: Call): void {
    call.state = 'ready'
    this.#ready.push(call)
  }

  /** Puts calls before all others: they have waited longest. */
  enqueueFirst(calls: readonly Call[]): void {
    for (const call of calls) call.state = 'ready'
    if (this.#readyHead >= calls.length) {
      this.#readyHead -= calls.length
      for (let i = 0; i < calls.length; i++) this.#ready[this.#readyHead + i] = calls[i] as Call
    } else {
      this.#ready.splice(0, this.#readyHead, ...calls)
      this.#readyHead = 0
    }
  }

  /** The next call that is still to be sent, or undefined. */
  peek(): Call | undefined {
    for (; this.#readyHead < this.#ready.length; this.#readyHead++) {
      const call = this.#ready[this.#readyHead] as Call
      if (call.state === 'ready') return call
    }
    if (this.#readyHead > 0) {
      this.#ready.length = 0
      this.#readyHead = 0
    }
    return undefined
  }

  take(): Call | undefined {
    const call = this.peek()
    if (call !== undefined) this.#readyHead++
    if (this.#readyHead > 4096 && this.#readyHead * 2 > this.#ready.length) {
      this.#ready.splice(0, this.#readyHead)
      this.#readyHead = 0
    }
    return call
  }

  measured(durationMs: number): void {
    this.meanCallMs =
      this.meanCallMs === undefined
        ? durationMs
        : this.meanCallMs + DURATION_WEIGHT * (durationMs - this.meanCallMs)
  }

  /** A stack that cannot be mapped is better than an error that does not arrive. */
  #mapped(stack: string): string {
    try {
      return this.fn.mapStack(stack)
    } catch (error) {
      if (process.env.LITHOPS_DEBUG !== undefined) console.error(error)
      return stack
    }
  }

  /** Gives a remote error the positions of the user's source. */
  localError(error: unknown): unknown {
    // not `instanceof`: the error may belong to another realm, as in vitest's vm pools
    for (
      let e = error as Partial<Error> | undefined, depth = 0;
      depth < 8;
      e = e.cause as Partial<Error>, depth++
    ) {
      if (typeof e !== 'object' || e === null) break
      if (typeof e.stack !== 'string') continue
      const stack = this.#mapped(e.stack.replace(WORKER_FRAMES, ''))
      if (stack !== e.stack)
        Object.defineProperty(e, 'stack', { value: stack, configurable: true, writable: true })
    }
    return error
  }
}
