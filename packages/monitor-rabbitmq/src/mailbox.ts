/** Frames of one job that nobody has taken yet. */
export class Mailbox {
  #frames: Uint8Array[] = []
  #wakes: (() => void)[] = []

  put(frames: Uint8Array): void {
    this.#frames.push(frames)
    this.wake()
  }

  take(): Uint8Array | undefined {
    return this.#frames.shift()
  }

  /** Everybody who waits looks again. */
  wake(): void {
    for (const wake of this.#wakes.splice(0)) wake()
  }

  /** Until there may be something new. */
  changed(): Promise<void> {
    return new Promise(resolve => this.#wakes.push(resolve))
  }
}
