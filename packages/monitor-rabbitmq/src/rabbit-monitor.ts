import {
  ancestorsOf,
  type DriverLog,
  type JobKey,
  MONITOR_SPEC_VERSION,
  type Monitor,
  MonitorError,
  type PublisherAddress,
  type WatchOptions,
} from '@lithops/core/driver'
import type { BrokerOptions } from './config.ts'
import { Consumers } from './consumers.ts'
import { INLINE_RESULT_BYTES } from './limits.ts'
import { Mailbox } from './mailbox.ts'
import type { PieceHead } from './worker/message.ts'
import { workerModule } from './worker-module.ts'

/** The way home over RabbitMQ: one queue per executor, and one connection for all of its jobs. */
export class RabbitMonitor implements Monitor {
  readonly specVersion = MONITOR_SPEC_VERSION
  readonly name = 'rabbitmq'
  readonly fallsBackToStorage = true
  readonly inlineResultBytes = INLINE_RESULT_BYTES
  readonly #options: BrokerOptions
  readonly #consumers: Consumers
  readonly #mailboxes = new Map<string, Mailbox>()
  #isClosed = false
  readonly #closeAtEnd = () => void this.close()

  constructor(options: BrokerOptions, log: DriverLog) {
    this.#options = options
    this.#consumers = new Consumers(options, {
      deliver: (head, frames) => this.#deliver(head, frames),
      lost: () => this.#wakeAll(),
      back: () => log.info(`RabbitMQ (${options.server}) is back.`),
    })
    // a program that forgets to close its executor leaves no queue either
    process.once('beforeExit', this.#closeAtEnd)
  }

  get publishPatienceMs(): number {
    return this.#options.timeoutMs
  }

  get workerModule(): string {
    return workerModule()
  }

  workerSecrets(): Readonly<Record<string, string>> {
    return { amqp_url: this.#options.url }
  }

  /**
   * Throws MonitorError when the broker cannot be reached, or has been away longer than `rabbitmq.timeout`. Jobs of executors
   * that functions of this one's jobs made can be watched too: their workers tell their ancestors what they tell them.
   */
  async *watch(job: JobKey, { signal }: WatchOptions): AsyncGenerator<Uint8Array, void, undefined> {
    if (signal.aborted || this.#isClosed) return
    const mailbox = this.#mailboxOf(job)
    const wake = () => mailbox.wake()
    signal.addEventListener('abort', wake, { once: true })
    const release = this.#consumers.hold()
    try {
      if (!this.#isOfDescendant(job)) await this.#consumers.of(job.executorId)
      while (!signal.aborted && !this.#isClosed) {
        const frames = mailbox.take()
        if (frames !== undefined) yield frames
        else if (this.#consumers.lost !== undefined) throw this.#consumers.lost
        else await mailbox.changed()
      }
    } catch (error) {
      if (!signal.aborted && !this.#isClosed) throw error
    } finally {
      signal.removeEventListener('abort', wake)
      release()
    }
  }

  /** This program has its connection: it is the workers that have none. */
  unheard(waitedMs: number): MonitorError {
    const { server } = this.#options
    return new MonitorError(
      `No worker has told anything over RabbitMQ (${server}) for ${Math.round(waitedMs / 1000)} s, though some were to begin: they cannot ` +
        'reach it, or their platform has not started them. rabbitmq.amqp_url must name a host that workers reach, in a network that they are in.',
      { isRetryable: true, details: { server } },
    )
  }

  async publisherAddress(job: JobKey): Promise<PublisherAddress> {
    this.#mailboxOf(job)
    await this.#consumers.of(job.executorId)
    const { server, ca, timeoutMs, maxResultBytes } = this.#options
    return { kind: 'rabbitmq', server, timeoutMs, maxResultBytes, ...(ca === undefined ? {} : { ca }) }
  }

  async forget(job: JobKey): Promise<void> {
    this.#mailboxes.delete(keyOf(job))
  }

  /** Removes the queues, where the broker can be reached; else it does that by itself after `queue_expires`. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    process.off('beforeExit', this.#closeAtEnd)
    this.#wakeAll()
    this.#mailboxes.clear()
    await this.#consumers.close()
  }

  #deliver({ job }: PieceHead, frames: Uint8Array): void {
    // of a job that is forgotten, or of an executor in a function that nobody watches here
    this.#mailboxes.get(keyOf(job))?.put(frames)
  }

  #wakeAll(): void {
    for (const mailbox of this.#mailboxes.values()) mailbox.wake()
  }

  #isOfDescendant({ executorId }: JobKey): boolean {
    return ancestorsOf(executorId).some(ancestor => this.#consumers.has(ancestor))
  }

  #mailboxOf(job: JobKey): Mailbox {
    const key = keyOf(job)
    let mailbox = this.#mailboxes.get(key)
    if (mailbox === undefined) {
      mailbox = new Mailbox()
      this.#mailboxes.set(key, mailbox)
    }
    return mailbox
  }
}

function keyOf({ executorId, jobId }: JobKey): string {
  return `${executorId}/${jobId}`
}
