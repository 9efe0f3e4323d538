import type { ComputeCapabilities } from '../driver/compute-backend.ts'
import { WorkerLostError } from '../errors/index.ts'
import type { Call } from '../job/call.ts'

/** How long what a worker has told may be on its way: the longest pause of a monitor, and a slow storage. */
const DELIVERY_GRACE_MS = 30_000
/** How long a platform that does not reply may let an activation wait for a worker. */
const START_DELAY_MS = { faas: 60_000, batch: 600_000 } as const
/** Timers cannot be longer. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Calls that were sent together and of which news are awaited. */
export interface AwaitedCalls {
  readonly id: string
  readonly openCalls: readonly Call[]
  readonly openCount: number
}

interface Due {
  readonly activation: AwaitedCalls
  readonly atMs: number
}

/**
 * How long after the platform has taken an activation its calls may stay silent, in milliseconds; Infinity when nothing
 * limits their time. A platform that replies has ended them already: only their news are on the way.
 */
export function silenceMs(
  capabilities: ComputeCapabilities,
  kind: 'faas' | 'batch',
  calls: { readonly count: number; readonly timeoutMs: number },
): number {
  const { synchronousReply, maxTimeoutMs, callsAtOnce, maxStartDelayMs = START_DELAY_MS[kind] } = capabilities
  if (synchronousReply) return DELIVERY_GRACE_MS
  const rounds = Math.ceil(calls.count / Math.max(1, callsAtOnce))
  return Math.min(rounds * calls.timeoutMs, maxTimeoutMs) + Math.min(maxStartDelayMs, MAX_TIMER_MS)
}

/** Finds activations whose results should have come by a monitor and did not. One timer for all of a job. */
export class OverdueWatch {
  readonly #overdue: (activation: AwaitedCalls, error: WorkerLostError) => void
  #due: Due[] = []
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Number.POSITIVE_INFINITY

  constructor(overdue: (activation: AwaitedCalls, error: WorkerLostError) => void) {
    this.#overdue = overdue
  }

  /** Watches an activation for so many milliseconds from now. */
  add(activation: AwaitedCalls, silentMs: number): void {
    if (!Number.isFinite(silentMs) || activation.openCalls.length === 0) return
    const due = { activation, atMs: performance.now() + silentMs }
    this.#due.push(due)
    if (due.atMs < this.#timerAtMs) this.#wakeAt(due.atMs)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#due = []
    this.#timerAtMs = Number.POSITIVE_INFINITY
  }

  #wakeAt(atMs: number): void {
    clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    const waitMs = Math.min(MAX_TIMER_MS, Math.max(0, atMs - performance.now()))
    this.#timer = setTimeout(() => this.#look(), waitMs)
  }

  #look(): void {
    const now = performance.now()
    const late: Due[] = []
    const early: Due[] = []
    for (const due of this.#due) {
      if (due.activation.openCount === 0) continue
      if (due.atMs <= now) late.push(due)
      else early.push(due)
    }
    this.#due = early
    this.#timerAtMs = Number.POSITIVE_INFINITY
    if (early.length > 0) this.#wakeAt(early.reduce((least, { atMs }) => Math.min(least, atMs), Infinity))
    for (const { activation } of late) {
      if (activation.openCalls.length === 0) continue
      this.#overdue(
        activation,
        new WorkerLostError(
          'Nothing was heard of the call beyond its time limit: its worker was lost, or never began it.',
          { details: { activationId: activation.id } },
        ),
      )
    }
  }
}
