export interface PollingPaceOptions {
  readonly minPauseMs: number
  readonly maxPauseMs: number
}

/** While no call is open, it is looked this often whether one has started; that costs nothing but a timer. */
const IDLE_LOOK_MS = 10

/**
 * How long to wait between two looks. Looks that find something come sooner, looks that find nothing later, and never
 * does looking take more than half of the time.
 */
export class PollingPace {
  readonly #options: PollingPaceOptions
  readonly #openCalls: () => number
  #pauseMs: number

  constructor(options: PollingPaceOptions, openCalls: () => number) {
    this.#options = { ...options, minPauseMs: Math.min(options.minPauseMs, options.maxPauseMs) }
    this.#openCalls = openCalls
    this.#pauseMs = this.#options.minPauseMs
  }

  /** Waits after a look. Rejects with the signal's reason as soon as it is aborted. */
  async pause(look: {
    readonly found: number
    readonly tookMs: number
    readonly signal: AbortSignal
    readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  }): Promise<void> {
    const { minPauseMs, maxPauseMs } = this.#options
    this.#pauseMs = look.found > 0 ? this.#pauseMs / 4 : this.#pauseMs * 1.5
    this.#pauseMs = Math.min(maxPauseMs, Math.max(minPauseMs, look.tookMs, this.#pauseMs))
    if (this.#openCalls() > 0) {
      await look.sleep(this.#pauseMs, look.signal)
      return
    }
    // Nothing is expected: look rarely, but begin at once when the first call starts.
    for (let waitedMs = 0; waitedMs < maxPauseMs; waitedMs += IDLE_LOOK_MS) {
      await look.sleep(Math.min(IDLE_LOOK_MS, maxPauseMs), look.signal)
      if (this.#openCalls() > 0) {
        this.#pauseMs = minPauseMs
        return
      }
    }
  }
}
