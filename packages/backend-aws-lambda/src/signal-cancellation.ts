import type { Cancellation } from '@lithops/core/driver'

/** An AbortSignal as core's cheaper form of it; nothing is left at the signal once the listener is taken off. */
export class SignalCancellation implements Cancellation {
  readonly #signal: AbortSignal
  #listener: Cancellation['listener']

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  get isRequested(): boolean {
    return this.#signal.aborted
  }

  get reason(): unknown {
    return this.#signal.reason
  }

  get listener(): Cancellation['listener'] {
    return this.#listener
  }

  set listener(listener: Cancellation['listener']) {
    if (this.#listener === undefined && listener !== undefined)
      this.#signal.addEventListener('abort', this.#onAbort, { once: true })
    if (listener === undefined) this.#signal.removeEventListener('abort', this.#onAbort)
    this.#listener = listener
  }

  readonly #onAbort = () => {
    const listener = this.#listener
    this.#listener = undefined
    listener?.(this.#signal.reason)
  }
}
