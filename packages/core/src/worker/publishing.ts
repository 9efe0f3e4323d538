import { blockOf, type JobKey, type StatusPublisher } from '../driver/monitor.ts'

/** What came with calls that ended shortly one after the other is published together. */
export const LINGER_MS = 300
/** Or as soon as this much has gathered. */
const FULL_BYTES = 256 * 1024

interface Batch {
  readonly parts: Uint8Array[]
  bytes: number
  callId: number
  lastCallId: number
  readonly attempt: number
}

/**
 * Publishes what an activation tells of its calls: one publishing at a time, and while it is under way what comes gathers
 * for the next. A platform that bills requests sees few of them, and quick calls do not wait for each other's.
 */
export class Publishing {
  readonly #publisher: StatusPublisher
  readonly #job: JobKey
  #batch: Batch | undefined
  #underWay: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(publisher: StatusPublisher, job: JobKey) {
    this.#publisher = publisher
    this.#job = job
  }

  /** Takes the frames of a call that has ended. */
  add(frames: Uint8Array, { callId, attempt }: { readonly callId: number; readonly attempt: number }): void {
    if (this.#batch !== undefined && blockOf(this.#batch.callId) !== blockOf(callId)) void this.#send()
    this.#batch ??= { parts: [], bytes: 0, callId, lastCallId: callId, attempt }
    const batch = this.#batch
    batch.parts.push(frames)
    batch.bytes += frames.length
    batch.callId = Math.min(batch.callId, callId)
    batch.lastCallId = Math.max(batch.lastCallId, callId)
    if (batch.bytes >= FULL_BYTES) void this.#send()
    else this.#timer ??= setTimeout(() => void this.#send(), LINGER_MS)
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

  #send(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const batch = this.#batch
    if (batch !== undefined) {
      this.#batch = undefined
      this.#underWay = this.#underWay.then(() => this.#publish(batch))
    }
    return this.#underWay
  }

  async #publish({ parts, callId, lastCallId, attempt }: Batch): Promise<void> {
    if (this.#failure !== undefined) return
    const frames = parts.length === 1 ? (parts[0] as Uint8Array) : new Uint8Array(Buffer.concat(parts))
    try {
      await this.#publisher.publish(frames, this.#job, { callId, attempt, lastCallId })
    } catch (error) {
      this.#failure = { error }
    }
  }
}
