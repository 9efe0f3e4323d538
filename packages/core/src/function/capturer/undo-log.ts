/** What to take back when a part that was captured on trial turns out not to travel. */
export class UndoLog {
  readonly #steps: (() => void)[] = []

  add(step: () => void): void {
    this.#steps.push(step)
  }

  get mark(): number {
    return this.#steps.length
  }

  undoTo(mark: number): void {
    while (this.#steps.length > mark) this.#steps.pop()?.()
  }
}
