export interface PollingPaceOptions {
  readonly minPauseMs: number
  readonly maxPauseMs: number
  /** For tests: milliseconds on a clock that never goes back. */
  readonly now?: () => number
}

/** A look at the storage. */
export interface Look {
  readonly tookMs: number
  readonly signal: AbortSignal
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** Waits after a look. Rejects with the signal's reason as soon as it is aborted. */
export type Pause = (look: Look) => Promise<void>

/** While no call is open, it is looked this often whether one has started; that costs nothing but a timer. */
const IDLE_LOOK_MS = 10
/** News may come late by this share of the time that was waited for them already. */
const LATE_SHARE = 0.05

/**
 * How long to wait between two looks: a twentieth of the time since calls began to be open, so that what took ten
 * seconds is known half a second later at most, and a long job costs few looks; between the two limits, and so that
 * looking never takes more than half of the time.
 */
export class PollingPace {
  readonly #minPauseMs: number
  readonly #maxPauseMs: number
  readonly #now: () => number
  readonly #openCalls: () => number
  #openSinceMs: number | undefined

  constructor(options: PollingPaceOptions, openCalls: () => number) {
    this.#maxPauseMs = options.maxPauseMs
    this.#minPauseMs = Math.min(options.minPauseMs, options.maxPauseMs)
    this.#now = options.now ?? (() => performance.now())
    this.#openCalls = openCalls
  }

  /** Waits after a look. Rejects with the signal's reason as soon as it is aborted. */
  async pause(look: Look): Promise<void> {
    if (this.#openCalls() > 0) {
      this.#openSinceMs ??= this.#now()
      const ageMs = this.#now() - this.#openSinceMs
      const pauseMs = Math.max(this.#minPauseMs, ageMs * LATE_SHARE, look.tookMs)
      await look.sleep(Math.min(this.#maxPauseMs, pauseMs), look.signal)
      return
    }
    // Nothing is expected: look rarely, but begin at once when the first call starts.
    this.#openSinceMs = undefined
    for (let waitedMs = 0; waitedMs < this.#maxPauseMs; waitedMs += IDLE_LOOK_MS) {
      await look.sleep(Math.min(IDLE_LOOK_MS, this.#maxPauseMs), look.signal)
      if (this.#openCalls() > 0) return
    }
  }
}
