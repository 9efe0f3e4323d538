import {
  blockOf,
  type JobKey,
  type PublishedCalls,
  type PublisherLimit,
  type StatusPublisher,
} from '../driver/monitor.ts'

/** Where each publishing costs a request, what came with calls that ended shortly one after the other goes together. */
const LINGER_MS = 300
/** A real-time publisher has told of a call that took longer before the next one begins, which may block the process. */
const SLOW_CALL_MS = 10
/** Or as soon as this much has gathered. */
const FULL_BYTES = 256 * 1024

type ToldCall = Pick<PublishedCalls, 'callId' | 'attempt'>

interface Batch {
  readonly parts: Uint8Array[]
  bytes: number
  callId: number
  lastCallId: number
  readonly attempt: number
}

/**
 * Publishes what an activation tells of its calls: one publishing at a time, and while it is under way what comes gathers
 * for the next. A platform that bills requests sees few of them, a broker sees everything at once, and quick calls do not
 * wait for each other's.
 */
export class Publishing {
  readonly #publisher: StatusPublisher
  readonly #job: JobKey
  #batch: Batch | undefined
  #underWay: Promise<void> = Promise.resolve()
  #underWayCount = 0
  #cancelTimer: (() => void) | undefined
  #failure: { readonly error: unknown } | undefined
  readonly #unpublished: Uint8Array[] = []

  constructor(publisher: StatusPublisher, job: JobKey) {
    this.#publisher = publisher
    this.#job = job
  }

  /** Running calls and log text are told too, at once. */
  get isRealTime(): boolean {
    return this.#publisher.isRealTime === true
  }

  /** A call that took longer is published before the next begins, which may take as long. */
  get slowCallMs(): number {
    return this.isRealTime ? SLOW_CALL_MS : LINGER_MS
  }

  get limit(): PublisherLimit {
    return this.#publisher.limit ?? { bytes: Number.POSITIVE_INFINITY }
  }

  /** Takes frames of a call: of one that has ended, or in real time also of one that runs. */
  add(frames: Uint8Array, { callId, attempt }: ToldCall): void {
    const waiting = this.#batch
    if (
      waiting !== undefined &&
      (blockOf(waiting.callId) !== blockOf(callId) || waiting.bytes + frames.length > this.limit.bytes)
    )
      void this.#send()
    this.#batch ??= { parts: [], bytes: 0, callId, lastCallId: callId, attempt }
    const batch = this.#batch
    batch.parts.push(frames)
    batch.bytes += frames.length
    batch.callId = Math.min(batch.callId, callId)
    batch.lastCallId = Math.max(batch.lastCallId, callId)
    if (batch.bytes >= FULL_BYTES) void this.#send()
    else this.#sendSoon()
  }

  /** Tells of the beginning of an activation, before anything else. Resolves when it is told, or cannot be (`check`). */
  tellBegun(frames: Uint8Array, { callId, attempt }: ToldCall): Promise<void> {
    const batch = { parts: [frames], bytes: frames.length, callId, lastCallId: callId, attempt }
    this.#underWayCount++
    this.#underWay = this.#underWay.then(() => this.#publish(batch, { isBegun: true }))
    return this.#underWay
  }

  /** Throws when a publishing has failed: what comes after it would be for nothing. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Resolves when all that was added is safe with the other side; rejects when it cannot be. */
  async flush(): Promise<void> {
    await this.#send()
    this.check()
  }

  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      await this.#publisher.close()
    }
  }

  /** What was added and could not be published, after `check` or `flush` has thrown. */
  takeUnpublished(): Uint8Array[] {
    const { parts = [] } = this.#batch ?? {}
    this.#batch = undefined
    return [...this.#unpublished.splice(0), ...parts]
  }

  #sendSoon(): void {
    if (this.#cancelTimer !== undefined) return
    if (!this.isRealTime) {
      const timer = setTimeout(() => void this.#send(), LINGER_MS)
      this.#cancelTimer = () => clearTimeout(timer)
    } else if (this.#underWayCount === 0) {
      // not at once: what is told in this turn of the event loop goes together
      const turn = setImmediate(() => void this.#send())
      this.#cancelTimer = () => clearImmediate(turn)
    }
  }

  #send(): Promise<void> {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const batch = this.#batch
    if (batch !== undefined) {
      this.#batch = undefined
      this.#underWayCount++
      this.#underWay = this.#underWay.then(() => this.#publish(batch))
    }
    return this.#underWay
  }

  async #publish(
    { parts, callId, lastCallId, attempt }: Batch,
    mark: Pick<PublishedCalls, 'isBegun'> = {},
  ): Promise<void> {
    const frames = parts.length === 1 ? (parts[0] as Uint8Array) : new Uint8Array(Buffer.concat(parts))
    try {
      if (this.#failure === undefined)
        await this.#publisher.publish(frames, this.#job, { callId, attempt, lastCallId, ...mark })
      else this.#unpublished.push(frames)
    } catch (error) {
      this.#failure = { error }
      this.#unpublished.push(frames)
    } finally {
      this.#underWayCount--
      if (this.isRealTime && this.#batch !== undefined) void this.#send()
    }
  }
}
