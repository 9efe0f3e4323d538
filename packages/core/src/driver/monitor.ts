/** Version of the Monitor contract. */
export const MONITOR_SPEC_VERSION = 1

/** Names one job of one executor. */
export interface JobKey {
  readonly executorId: string
  readonly jobId: string
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
   * What each activation carries so that the worker's half can publish: plain JSON, never a secret. Its `kind` chooses
   * the publisher in the worker. Resolves only when a worker could publish at once (a queue exists, a bucket is there).
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
}

/** The worker's half: tells the client what happened. */
export interface StatusPublisher {
  /**
   * Hands over whole reply frames, of one call or of several of one block. Resolves when they are safe with the other
   * side. Called in order, not at once.
   */
  publish(frames: Uint8Array, job: JobKey, calls: PublishedCalls): Promise<void>
  /** Flushes; called before the worker is frozen or ends. May be called twice. */
  close(): Promise<void>
}
