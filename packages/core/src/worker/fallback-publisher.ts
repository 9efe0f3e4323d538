import type { JobKey, PublishedCalls, StatusPublisher } from '../driver/monitor.ts'

/**
 * Publishes another way what the first way home does not take any more. What the first way may have taken after all
 * arrives twice: the client drops it.
 */
export class FallbackPublisher implements StatusPublisher {
  readonly #first: StatusPublisher
  readonly #openSecond: () => StatusPublisher
  #second: StatusPublisher | undefined

  constructor(first: StatusPublisher, openSecond: () => StatusPublisher) {
    this.#first = first
    this.#openSecond = openSecond
  }

  get isRealTime(): boolean {
    // on the second way each publishing is a request
    return this.#first.isRealTime === true && this.#second === undefined
  }

  get limit() {
    return this.#first.limit ?? { bytes: Number.POSITIVE_INFINITY }
  }

  async publish(frames: Uint8Array, job: JobKey, calls: PublishedCalls): Promise<void> {
    if (this.#second === undefined) {
      try {
        return await this.#first.publish(frames, job, calls)
      } catch {
        this.#second = this.#openSecond()
      }
    }
    await this.#second.publish(frames, job, calls)
  }

  async channel() {
    if (this.#first.channel === undefined) throw new Error('This way home has no channel.')
    return this.#first.channel()
  }

  async flush(): Promise<void> {
    await this.#first.flush?.()
  }

  async close(): Promise<void> {
    await Promise.all([this.#first.close(), this.#second?.close()])
  }
}
