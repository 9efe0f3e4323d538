/** Pause after a refusal when nothing is under way; doubles with each further one, up to the longest. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5_000
/** From the level at which the platform last refused on, the limit grows by one with so many rounds of accepted activations. */
const PROBE_AFTER_ROUNDS = 1.5
/** A platform that has refused everything for so long, while it ran nothing, is not merely busy. */
const STARVED_AFTER_MS = 300_000

/**
 * How many activations a backend is given at once while its platform says that there are too many: half as many after a
 * refusal, more with every one that is accepted, as TCP does. Until the platform refuses, there is no limit.
 */
export class Pace {
  readonly #now: () => number
  readonly #random: () => number
  #limit = Number.POSITIVE_INFINITY
  /** Up to here the limit grows by one with every accepted activation: the level below the last refusal. */
  #knownGood = Number.POSITIVE_INFINITY
  /** Raised by each slowing down, so that a hundred refusals of one wave count as one. */
  #round = 0
  #refusedRounds = 0
  #resumesAtMs = 0
  #starvingSinceMs: number | undefined

  constructor(
    options: {
      /** Milliseconds of a clock that never goes back. */
      readonly now?: () => number
      readonly random?: () => number
    } = {},
  ) {
    this.#now = options.now ?? (() => performance.now())
    this.#random = options.random ?? Math.random
  }

  /** Activations that may be under way at once. */
  get limit(): number {
    return this.#limit
  }

  /** Of an activation that is sent now; handed back with how it ended. */
  get round(): number {
    return this.#round
  }

  /** Milliseconds until something may be sent again; 0: now. */
  get pauseMs(): number {
    return this.#resumesAtMs === 0 ? 0 : Math.max(0, this.#resumesAtMs - this.#now())
  }

  /** Nothing was accepted for so long that refusals count as faults of their calls. */
  get isStarved(): boolean {
    return this.#starvingSinceMs !== undefined && this.#now() - this.#starvingSinceMs >= STARVED_AFTER_MS
  }

  /**
   * The platform refused an activation of `round` because of too many.
   *
   * @param inFlight how many others are under way now
   * @param retryAfterMs what the platform asked for, where it did
   */
  refused(round: number, inFlight: number, retryAfterMs?: number): void {
    const now = this.#now()
    if (inFlight === 0) this.#starvingSinceMs ??= now
    if (retryAfterMs !== undefined) this.#resumesAtMs = Math.max(this.#resumesAtMs, now + retryAfterMs)
    if (round !== this.#round) {
      // the rest of a wave: what is left of it under way is about as much as the platform takes
      this.#limit = Math.max(1, Math.min(this.#limit, inFlight))
      return
    }
    this.#round++
    const level = Math.min(this.#limit, inFlight + 1)
    this.#limit = Math.max(1, Math.floor(level / 2))
    this.#knownGood = Math.max(this.#limit, level - 1)
    const rounds = this.#refusedRounds++
    // what is under way will end and make room: the lower limit is enough
    if (rounds === 0 && inFlight > 0) return
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(rounds, 10))
    this.#resumesAtMs = Math.max(this.#resumesAtMs, now + pause * (0.5 + this.#random() / 2))
  }

  /** The platform took an activation and it ended, in whatever way. */
  accepted(): void {
    this.#refusedRounds = 0
    this.#starvingSinceMs = undefined
    if (this.#limit === Number.POSITIVE_INFINITY) return
    this.#limit += this.#limit < this.#knownGood ? 1 : 1 / (PROBE_AFTER_ROUNDS * this.#limit)
  }
}
