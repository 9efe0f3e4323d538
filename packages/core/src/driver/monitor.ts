import type { MonitorError } from '../errors/index.ts'
import type { RabbitChannel } from './rabbit-channel.ts'

/** Version of the Monitor contract. */
export const MONITOR_SPEC_VERSION = 1

/** Names one job of one executor. */
export interface JobKey {
  readonly executorId: string
  readonly jobId: string
}

/** An id ends so when a function made the executor: job and call that run the function, session, number. */
const MADE_BY_CALL = /^(.+)-[AMR]\d+-\d+-[^-]+-\d+$/

/**
 * Executors whose functions made this one, the nearest first: `a1b2c3-0` for `a1b2c3-0-M000-00007-d4e5f6-0`. Empty for one
 * that a program made.
 */
export function ancestorsOf(executorId: string): readonly string[] {
  const parent = MADE_BY_CALL.exec(executorId)?.[1]
  return parent === undefined ? [] : [parent, ...ancestorsOf(parent)]
}

/**
 * Calls are told apart in blocks of so many consecutive ids: no publishing holds calls of two blocks, so that a monitor
 * need not look again at a block whose calls have all ended.
 */
export const CALLS_PER_BLOCK = 250

/** The block that a call belongs to, from 0. */
export function blockOf(callId: number): number {
  return Math.floor(callId / CALLS_PER_BLOCK)
}

export interface WatchOptions {
  /** Aborted when the job has ended or nobody waits for it any more. The iteration then ends without an error. */
  readonly signal: AbortSignal
  /** How many calls of the job are started and have not ended; a monitor may poll less while it is 0. */
  readonly openCalls: () => number
  /** Blocks that have calls which have not ended. Absent: unknown. */
  readonly openBlocks?: () => readonly number[]
}

/**
 * The client's half of a way home for call results. Core makes one per executor, watches each job once, before the
 * job's first activation is sent, and drops duplicates itself: a monitor may deliver a frame twice.
 */
export interface Monitor {
  readonly specVersion: typeof MONITOR_SPEC_VERSION
  /** Config name, e.g. 'storage' or 'rabbitmq'. */
  readonly name: string
  /**
   * Reply frames of docs/protocol.md of the job's calls, as they arrive, until `signal` is aborted.
   * Throws MonitorError when the way home is broken for good; core then fails the job's open calls with it.
   */
  watch(job: JobKey, options: WatchOptions): AsyncIterable<Uint8Array>
  /**
   * Absolute path of the module with the worker's half, which exports `publisher: PublisherDriver`. Workers that share
   * this machine's files import it from there; for others it is bundled into the worker, so it must be bundlable. Absent:
   * every worker has the publisher (kind 'storage').
   */
  readonly workerModule?: string
  /**
   * What workers need to publish besides the address. Core has it placed with the runtime, as those of storages; it never
   * travels in an activation. Absent or empty: nothing.
   */
  workerSecrets?(): Readonly<Record<string, string>>
  /**
   * true: a job that has a storage takes that as its second way home when this one breaks, on either side. `watch` and
   * `publisherAddress` throw MonitorError as ever; core does the rest. Absent: false.
   */
  readonly fallsBackToStorage?: boolean
  /**
   * How long a worker tries to publish, in milliseconds, until it gives up or takes the second way home: calls that are
   * silent count as lost so much later. Absent: 0.
   */
  readonly publishPatienceMs?: number
  /**
   * For monitors whose workers tell at once that they have begun. The error of a job whose activations a platform has
   * accepted, and none of whose workers has told anything for `waitedMs`, which is `publishPatienceMs` longer than the
   * platform may take to start one: they cannot reach the way home. Core ends the job's open calls with it, unless there is
   * a second way home. Absent: silence of all workers is no sign of anything.
   */
  unheard?(waitedMs: number): MonitorError
  /** Results of more bytes go to the job's storage, where it has one, and their place travels. Absent: 65,536. */
  readonly inlineResultBytes?: number
  /**
   * What each activation carries so that the worker's half can publish: plain JSON, never a secret. Its `kind` chooses
   * the publisher in the worker. Resolves only when a worker could publish at once (a queue exists, a bucket is there).
   * The fields `module`, `secretsId` and `fallback` are core's.
   */
  publisherAddress(job: JobKey): Promise<PublisherAddress>
  /** Removes what the job left on the way. Called once its calls have ended. May be called twice. */
  forget(job: JobKey): Promise<void>
  /** May be called twice. */
  close(): Promise<void>
}

/** Plain JSON that tells a worker where to publish. */
export interface PublisherAddress {
  readonly kind: string
  readonly [field: string]: unknown
}

/** Whose frames a publishing holds. */
export interface PublishedCalls {
  /** The call, or the one of the lowest id. */
  readonly callId: number
  /** The one of the highest id; absent when there is one call. */
  readonly lastCallId?: number
  readonly attempt: number
  /** The frames tell of a beginning alone; absent: of ends. */
  readonly isBegun?: boolean
}

/** The worker's half: tells the client what happened. */
export interface StatusPublisher {
  /**
   * Hands over whole reply frames, of one call or of several of one block. Resolves when they are safe with the other
   * side. Called in order, not at once.
   */
  publish(frames: Uint8Array, job: JobKey, calls: PublishedCalls): Promise<void>
  /**
   * true: what happens is published at once, running calls too, and what comes while one publishing is under way goes
   * with the next. Absent: ended calls, those of a short time together, for ways home that cost per publishing; and the
   * beginning of an activation that nobody awaits.
   */
  readonly isRealTime?: boolean
  /** What `publish` takes. Absent: any size. */
  readonly limit?: PublisherLimit
  /**
   * A connected channel of the broker for functions (`ctx.rabbitmq`), opened when first asked and kept. Absent: there is
   * no broker.
   */
  channel?(): Promise<RabbitChannel>
  /** What functions have sent over `channel` is safe. Called at the end of an activation: the worker may be frozen then. */
  flush?(): Promise<void>
  /** Flushes; called before the worker is frozen or ends. May be called twice. */
  close(): Promise<void>
}

/** How large what a call tells may be. Core keeps to it: larger results go to storage, or fail by name. */
export interface PublisherLimit {
  readonly bytes: number
  /** The key of the config that raises it, for the message of the error; e.g. 'rabbitmq.max_result_bytes'. */
  readonly setting?: string
}

/** What a worker gives the worker's half of a monitor. */
export interface PublisherContext {
  /** `Monitor.workerSecrets()` of the client; empty when nothing was placed. */
  readonly secrets: Readonly<Record<string, string>>
}

/** The named export `publisher` of a monitor's worker module. Importing it does no I/O. */
export interface PublisherDriver {
  readonly specVersion: typeof MONITOR_SPEC_VERSION
  /** `kind` of the addresses that it is for. */
  readonly kind: string
  /**
   * Opened once per worker process and address, and kept for further jobs: `close` comes when the worker ends. May
   * wait a moment for the other side, but what cannot be reached is the error of `publish`.
   */
  open(address: PublisherAddress, context: PublisherContext): StatusPublisher | Promise<StatusPublisher>
}
