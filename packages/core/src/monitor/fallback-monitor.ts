import type { DriverLog } from '../driver/driver.ts'
import { type JobKey, MONITOR_SPEC_VERSION, type Monitor, type WatchOptions } from '../driver/monitor.ts'
import { sleep } from '../storage/sleep.ts'
import type { StoragePublisherAddress } from '../worker/storage-publisher.ts'
import { FrameQueue } from './frame-queue.ts'
import type { Pause } from './polling-pace.ts'

/** While the first way home works, the storage is looked at this often: a worker may have lost that way alone. */
const LOOK_MS = 5_000
/** A way home that broke may return, with what workers have told meanwhile. */
const TRY_AGAIN_MS = 2_000

/** One watching of both ways. */
interface Both {
  readonly frames: FrameQueue
  /** Why the storage cannot be looked at any more. */
  secondFailure: { readonly error: unknown } | undefined
}

/** The storage monitor as this one uses it. */
export interface SecondMonitor extends Monitor {
  publisherAddress(job: JobKey): Promise<StoragePublisherAddress>
}

/**
 * A monitor with the job's storage as its second way home. When the first one breaks, on the client's side or on a worker's,
 * results come through the storage; core drops what comes both ways.
 */
export class FallbackMonitor implements Monitor {
  readonly specVersion = MONITOR_SPEC_VERSION
  readonly fallsBackToStorage = true
  readonly workerModule?: string
  readonly inlineResultBytes?: number
  readonly publishPatienceMs?: number
  readonly #first: Monitor
  readonly #second: SecondMonitor
  readonly #log: DriverLog
  /** Aborted when the first way is broken; a new one when it is back. */
  #broken = new AbortController()

  /** `openSecond` makes the storage monitor, whose looks wait as they are told. */
  constructor(
    first: Monitor,
    openSecond: (makePause: (usual: Pause) => Pause) => SecondMonitor,
    log: DriverLog,
  ) {
    this.#first = first
    if (first.workerModule !== undefined) this.workerModule = first.workerModule
    if (first.inlineResultBytes !== undefined) this.inlineResultBytes = first.inlineResultBytes
    if (first.publishPatienceMs !== undefined) this.publishPatienceMs = first.publishPatienceMs
    this.#log = log
    this.#second = openSecond(usual => look => this.#pause(usual, look))
  }

  get name(): string {
    return this.#first.name
  }

  workerSecrets(): Readonly<Record<string, string>> {
    return this.#first.workerSecrets?.() ?? {}
  }

  async *watch(job: JobKey, options: WatchOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const ending = new AbortController()
    const signal = AbortSignal.any([options.signal, ending.signal])
    const frames = new FrameQueue()
    signal.addEventListener('abort', () => frames.end(), { once: true })
    if (signal.aborted) return
    const both: Both = { frames, secondFailure: undefined }
    void this.#watchFirst(job, { ...options, signal }, both)
    void this.#watchSecond(job, { ...options, signal }, both)
    try {
      yield* frames
    } finally {
      ending.abort()
    }
  }

  async publisherAddress(job: JobKey) {
    const fallback = await this.#second.publisherAddress(job)
    try {
      const address = await this.#first.publisherAddress(job)
      return { ...address, fallback }
    } catch (error) {
      this.#sayBroken(error)
      return fallback
    }
  }

  async forget(job: JobKey): Promise<void> {
    await Promise.all([this.#first.forget(job), this.#second.forget(job)])
  }

  async close(): Promise<void> {
    await Promise.all([this.#first.close(), this.#second.close()])
  }

  async #watchFirst(job: JobKey, options: WatchOptions, both: Both): Promise<void> {
    const { signal } = options
    while (!signal.aborted) {
      try {
        for await (const frames of this.#first.watch(job, options)) {
          this.#sayBack()
          both.frames.push(frames)
        }
        if (!signal.aborted) return both.frames.end() // it was closed
      } catch (error) {
        if (both.secondFailure !== undefined) return both.frames.end(both.secondFailure)
        this.#sayBroken(error)
      }
      await sleep(TRY_AGAIN_MS, signal).catch(() => {})
    }
  }

  async #watchSecond(job: JobKey, options: WatchOptions, both: Both): Promise<void> {
    try {
      await this.#rest(options.signal)
      for await (const frames of this.#second.watch(job, options)) both.frames.push(frames)
    } catch (error) {
      // without the storage the first way may still do; with neither, the job is lost
      both.secondFailure = { error }
      if (this.#broken.signal.aborted) both.frames.end(both.secondFailure)
    }
  }

  #pause(usual: Pause, look: Parameters<Pause>[0]): Promise<void> {
    return this.#broken.signal.aborted ? usual(look) : this.#rest(look.signal)
  }

  /** Until the next look, or until looking becomes the way home. Rejects with the signal's reason. */
  async #rest(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#broken.signal])
    await sleep(LOOK_MS, either).catch(() => {})
    signal.throwIfAborted()
  }

  #sayBroken(error: unknown): void {
    if (this.#broken.signal.aborted) return
    this.#broken.abort()
    this.#log.warn(
      `${error instanceof Error ? error.message : String(error)} Results come through the storage.`,
    )
  }

  #sayBack(): void {
    if (!this.#broken.signal.aborted) return
    this.#broken = new AbortController()
    this.#log.info(`The monitor '${this.name}' is back.`)
  }
}
