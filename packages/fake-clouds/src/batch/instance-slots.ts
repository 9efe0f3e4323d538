/** The instances of batches that a machine has room for: what is more waits for its turn. */
export class InstanceSlots {
  readonly #most: number
  readonly #waiting: (() => Promise<void>)[] = []
  readonly #underWay = new Set<Promise<void>>()
  /** The most that ran at once. */
  mostAtOnce = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Instances that run now. */
  get activeCount(): number {
    return this.#underWay.size
  }

  /** Begins one when there is room for it. `live` resolves at its end, and never rejects. */
  enter(live: () => Promise<void>): void {
    this.#waiting.push(live)
    this.#fill()
  }

  /** Nothing begins any more; resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#waiting.length = 0
    await Promise.all(this.#underWay)
  }

  #fill(): void {
    while (this.#underWay.size < this.#most) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      const living = next().finally(() => {
        this.#underWay.delete(living)
        this.#fill()
      })
      this.#underWay.add(living)
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#underWay.size)
    }
  }
}
