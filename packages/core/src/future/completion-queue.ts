/** What has ended and was not taken yet, for one consumer. */
export class CompletionQueue<T> {
  #items: T[] = []
  #head = 0
  #wake: (() => void) | undefined

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
    this.#wake?.()
  }

  /** Wakes a consumer that waits, without an item. */
  poke(): void {
    this.#wake?.()
  }

  take(): T | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head] as T
    this.#items[this.#head++] = undefined as T
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
    return item
  }

  /** Resolves when there may be something to take. */
  changed(): Promise<void> {
    if (this.length > 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }

  async next(): Promise<T> {
    for (;;) {
      if (this.length > 0) return this.take() as T
      await this.changed()
    }
  }
}
