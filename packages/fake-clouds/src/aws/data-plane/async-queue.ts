import { AwsError } from '../http/aws-error.ts'
import type { AwsTiming } from '../options.ts'

/** An event that was accepted and is to be delivered. */
export interface AsyncEvent {
  readonly requestId: string
  readonly functionName: string
  readonly acceptedAtMs: number
  /** Runs the function once. Says whether it failed; throws when it could not be started. */
  readonly deliver: () => Promise<{ readonly hasFailed: boolean }>
  readonly policy: () => { readonly retries: number; readonly maxAgeS: number }
}

const DEFAULT_RETRIES = 2
const MAX_BACKOFF = 300
/** From: "Error handling for asynchronous invocation" of the Lambda developer guide. */
const DEFAULT_MAX_AGE_S = 21_600

/** The queue of asynchronous invocations: events are delivered again when their function fails or cannot be started. */
export class AsyncQueue {
  readonly #timing: AwsTiming
  readonly #timers = new Set<NodeJS.Timeout>()
  #openCount = 0
  #isClosed = false

  constructor(timing: AwsTiming) {
    this.#timing = timing
  }

  /** Events that are not settled. */
  get openCount(): number {
    return this.#openCount
  }

  static policy(config: { MaximumRetryAttempts?: number; MaximumEventAgeInSeconds?: number } | undefined) {
    return {
      retries: config?.MaximumRetryAttempts ?? DEFAULT_RETRIES,
      maxAgeS: config?.MaximumEventAgeInSeconds ?? DEFAULT_MAX_AGE_S,
    }
  }

  accept(event: AsyncEvent): void {
    this.#openCount++
    this.#later(this.#timing.asyncDeliveryMs, () => this.#deliver(event, 0, 0))
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  async #deliver(event: AsyncEvent, failures: number, refusals: number): Promise<void> {
    if (this.#isClosed) return
    const { retries, maxAgeS } = event.policy()
    if (Date.now() - event.acceptedAtMs > maxAgeS * 1000) return this.#settle()
    try {
      const { hasFailed } = await event.deliver()
      if (!hasFailed || failures >= retries) return this.#settle()
      const waits = this.#timing.asyncRetryMs
      const waitMs = waits[Math.min(failures, waits.length - 1)] ?? 0
      this.#later(waitMs, () => this.#deliver(event, failures + 1, refusals))
    } catch (error) {
      // the function is gone: nobody is told
      if (!(error instanceof AwsError) || error.status === 404) return this.#settle()
      const factor = Math.min(2 ** refusals, MAX_BACKOFF)
      this.#later(this.#timing.asyncBackoffMs * factor, () => this.#deliver(event, failures, refusals + 1))
    }
  }

  #settle(): void {
    this.#openCount--
  }

  #later(delayMs: number, run: () => Promise<void>): void {
    if (this.#isClosed) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      void run()
    }, delayMs)
    timer.unref()
    this.#timers.add(timer)
  }
}
