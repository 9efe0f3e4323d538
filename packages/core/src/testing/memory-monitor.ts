import { randomUUID } from 'node:crypto'
import type { MonitorDriver } from '../driver/driver.ts'
import {
  type JobKey,
  MONITOR_SPEC_VERSION,
  type Monitor,
  type PublisherAddress,
  type StatusPublisher,
  type WatchOptions,
} from '../driver/monitor.ts'
import { MonitorError } from '../errors/index.ts'

/** Frames of one job that nobody has taken yet, and who waits for more. */
interface Mailbox {
  readonly frames: Uint8Array[]
  wake: () => void
}

const monitors = new Map<string, MemoryMonitor>()

/** A way home within one process: the shortest complete monitor, and a monitor for tests. */
export class MemoryMonitor implements Monitor {
  readonly specVersion = MONITOR_SPEC_VERSION
  readonly name = 'memory'
  readonly #id = randomUUID()
  readonly #mailboxes = new Map<string, Mailbox>()
  readonly #closing = new AbortController()

  async *watch(job: JobKey, options: WatchOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const signal = AbortSignal.any([options.signal, this.#closing.signal])
    const mailbox = this.#mailboxOf(job)
    signal.addEventListener('abort', () => mailbox.wake(), { once: true })
    while (!signal.aborted) {
      const frames = mailbox.frames.shift()
      if (frames !== undefined) yield frames
      else {
        await new Promise<void>(resolve => {
          mailbox.wake = resolve
        })
      }
    }
  }

  async publisherAddress(job: JobKey): Promise<PublisherAddress> {
    if (this.#closing.signal.aborted)
      throw new MonitorError('The monitor is closed', { code: 'LITHOPS_CLOSED' })
    this.#mailboxOf(job)
    monitors.set(this.#id, this)
    return { kind: 'memory', monitor: this.#id }
  }

  async forget(job: JobKey): Promise<void> {
    this.#mailboxes.delete(nameOf(job))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    monitors.delete(this.#id)
    this.#mailboxes.clear()
  }

  /** Called by the publisher. Frames of a job that is forgotten are dropped. */
  deliver(job: JobKey, frames: Uint8Array): void {
    const mailbox = this.#mailboxes.get(nameOf(job))
    mailbox?.frames.push(frames)
    mailbox?.wake()
  }

  /** What a connection that breaks is to others: there is none here. */
  interrupt(): void {}

  /** Names of jobs that still have something here. */
  get jobs(): readonly string[] {
    return [...this.#mailboxes.keys()]
  }

  #mailboxOf(job: JobKey): Mailbox {
    const name = nameOf(job)
    let mailbox = this.#mailboxes.get(name)
    if (mailbox === undefined) {
      mailbox = { frames: [], wake: () => {} }
      this.#mailboxes.set(name, mailbox)
    }
    return mailbox
  }
}

function nameOf(job: JobKey): string {
  return JSON.stringify([job.executorId, job.jobId])
}

/** The worker's half, for workers in the same process. */
export function openMemoryPublisher(address: PublisherAddress): StatusPublisher {
  let isClosed = false
  return {
    async publish(frames, job) {
      const monitor = monitors.get(String(address.monitor))
      if (isClosed || monitor === undefined) {
        throw new MonitorError('The publisher or its monitor is closed', { code: 'LITHOPS_CLOSED' })
      }
      monitor.deliver(job, frames.slice())
    },
    async close() {
      isClosed = true
    },
  }
}

/** A monitor driver for workers in this process. */
export function memoryMonitor(): MonitorDriver {
  return { specVersion: 1, name: 'memory', create: () => new MemoryMonitor() }
}
