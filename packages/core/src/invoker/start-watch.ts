import type { AwaitedCalls } from './overdue.ts'

/** How often it looks, within the shortest time that is waited. */
const LOOKS = 8

interface Waiting {
  readonly acceptedAtMs: number
  readonly openCount: number
  readonly waitMs: number
}

/**
 * Finds activations that a platform has taken and does not begin though it has room: their workers were lost before the
 * first word. Room is where fewer run than have run at once before, and none has begun, for all of the time that is
 * waited; where nothing runs at all, too. One that is found so though it waits after all runs twice, which duplicates of a
 * platform's own may do as well.
 */
export class StartWatch {
  readonly #lost: (activation: AwaitedCalls) => void
  readonly #waiting = new Map<AwaitedCalls, Waiting>()
  readonly #running = new Set<AwaitedCalls>()
  #mostRunning = 0
  /** Since when nothing was begun that there was room for. */
  #roomSinceMs: number | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(lost: (activation: AwaitedCalls) => void) {
    this.#lost = lost
  }

  /** Watches one that the platform has taken. Its worker is lost when it is silent for `waitMs` while there is room. */
  add(activation: AwaitedCalls, waitMs: number): void {
    const { openCount, begunAtMs } = activation
    if (begunAtMs !== undefined) this.#running.add(activation)
    else this.#waiting.set(activation, { acceptedAtMs: performance.now(), openCount, waitMs })
    this.#timer ??= setTimeout(() => this.#look(), waitMs / LOOKS)
  }

  /** Its worker has told that it has begun. */
  begun(activation: AwaitedCalls): void {
    if (!this.#waiting.delete(activation)) return
    this.#running.add(activation)
    this.#roomSinceMs = undefined
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting.clear()
    this.#running.clear()
  }

  #look(): void {
    const now = performance.now()
    this.#timer = undefined
    for (const activation of this.#running) if (activation.openCount === 0) this.#running.delete(activation)
    for (const [activation, { openCount }] of this.#waiting) {
      if (activation.openCount === openCount) continue
      // its end was the first word
      this.#waiting.delete(activation)
      this.#roomSinceMs = undefined
      if (activation.openCount > 0) this.#running.add(activation)
    }
    const { size } = this.#running
    this.#mostRunning = Math.max(this.#mostRunning, size)
    if (size > 0 && size >= this.#mostRunning) this.#roomSinceMs = undefined
    else this.#roomSinceMs ??= now
    if (this.#waiting.size === 0) return
    const shortestMs = [...this.#waiting.values()].reduce(
      (least, { waitMs }) => Math.min(least, waitMs),
      Infinity,
    )
    this.#timer = setTimeout(() => this.#look(), shortestMs / LOOKS)
    if (this.#roomSinceMs === undefined) return
    for (const [activation, { acceptedAtMs, waitMs }] of this.#waiting) {
      if (now - Math.max(acceptedAtMs, this.#roomSinceMs) < waitMs) continue
      this.#waiting.delete(activation)
      this.#lost(activation)
    }
  }
}
