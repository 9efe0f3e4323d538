const INTERVAL_MS = 20
const SAMPLES_PER_TURN = 10

/** Something whose memory is looked at. */
export interface Watched {
  /** Looks at its memory, and does what follows from it. */
  sample(): void
}

/** Looks at the memory of busy environments, at a bounded cost however many there are. */
export class MemoryWatch {
  readonly #busy = new Set<Watched>()
  #timer: NodeJS.Timeout | undefined

  add(watched: Watched): void {
    this.#busy.add(watched)
    this.#timer ??= setInterval(() => this.#turn(), INTERVAL_MS)
  }

  remove(watched: Watched): void {
    this.#busy.delete(watched)
    if (this.#busy.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #turn(): void {
    for (const watched of [...this.#busy].slice(0, SAMPLES_PER_TURN)) {
      watched.sample()
      // to the end of the line, unless it is over
      if (this.#busy.delete(watched)) this.#busy.add(watched)
    }
  }
}
