import type { Cancellation } from '../driver/compute-backend.ts'

/** An AbortController for one listener, whose signal is made only when somebody asks for it: there are many of them. */
export class CancellationSource implements Cancellation {
  listener: ((reason: unknown) => void) | undefined
  #isRequested = false
  #reason: unknown
  #controller: AbortController | undefined

  get isRequested(): boolean {
    return this.#isRequested
  }

  get reason(): unknown {
    return this.#reason
  }

  /** The same as a signal. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isRequested) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Without a reason it is an AbortError, as that of an AbortController. */
  request(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    if (this.#isRequested) return
    this.#isRequested = true
    this.#reason = reason
    this.#controller?.abort(reason)
    const { listener } = this
    this.listener = undefined
    listener?.(reason)
  }
}
