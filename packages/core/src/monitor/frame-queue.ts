/** Frames of several sources, in the order in which they come. */
export class FrameQueue {
  readonly #frames: Uint8Array[] = []
  #failure: { readonly error: unknown } | undefined
  #isEnded = false
  #wake: () => void = () => {}

  push(frames: Uint8Array): void {
    this.#frames.push(frames)
    this.#wake()
  }

  /** No more will come; what is there is still given. With `failure`, reading then throws its error. */
  end(failure?: { readonly error: unknown }): void {
    this.#isEnded = true
    this.#failure ??= failure
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const frames = this.#frames.shift()
      if (frames !== undefined) yield frames
      else if (this.#failure !== undefined) throw this.#failure.error
      else if (this.#isEnded) return
      else {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    }
  }
}
