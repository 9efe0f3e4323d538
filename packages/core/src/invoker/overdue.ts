import type { ComputeBackend, ComputeCapabilities } from '../driver/compute-backend.ts'
import { WorkerLostError } from '../errors/index.ts'
import type { Call } from '../job/call.ts'
import type { ActivationInFlight } from './activation-in-flight.ts'
import type { JobSurroundings } from './job-message.ts'
import { StartWatch } from './start-watch.ts'

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
  /** When its worker told that it has begun, by `performance.now()`; undefined while it has not. */
  readonly begunAtMs?: number | undefined
}

interface Due {
  readonly activation: AwaitedCalls
  readonly atMs: number
  /** Set where its worker is to have told that it has begun. */
  readonly accepted?: { readonly atMs: number; readonly openCount: number }
}

/** What a watch finds, and what it asks. */
export interface OverdueEvents {
  /** These calls count as lost with their worker. */
  readonly overdue: (activation: AwaitedCalls, error: WorkerLostError) => void
  /** It was taken and not begun though the platform has room (StartWatch): its calls are sent again. */
  readonly unbegun: (activation: AwaitedCalls) => void
  /** No worker can tell anything: none was heard, though some must have begun so long ago. */
  readonly unheard: (waitedMs: number) => void
  /** Whether any call of the job is known to run: its worker may be silent for long. */
  readonly isAnyRunning: () => boolean
}

/** How long calls may be silent, in milliseconds. */
export interface Silence {
  /** Infinity when nothing limits their time. */
  readonly callsMs: number
  /** The same from the moment that their worker has told that it has begun. Absent: that changes nothing. */
  readonly begunMs?: number
  /** Until the worker must have told that it has begun, where it has not yet. Absent: it need not. */
  readonly workerMs?: number
  /** Until it must have begun, while the platform has room. Absent: it need not. */
  readonly startMs?: number
}

/** How long a platform that does not reply may let an activation wait for a worker, in milliseconds. */
export function startDelayMs({ maxStartDelayMs }: ComputeCapabilities, kind: 'faas' | 'batch'): number {
  return Math.min(maxStartDelayMs ?? START_DELAY_MS[kind], MAX_TIMER_MS)
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
  const { synchronousReply, maxTimeoutMs, callsAtOnce } = capabilities
  if (synchronousReply) return DELIVERY_GRACE_MS
  const rounds = Math.ceil(calls.count / Math.max(1, callsAtOnce))
  return Math.min(rounds * calls.timeoutMs, maxTimeoutMs) + startDelayMs(capabilities, kind)
}

/** How long calls may be silent once their worker has told that it has begun, in milliseconds. */
export function begunSilenceMs(
  capabilities: ComputeCapabilities,
  kind: 'faas' | 'batch',
  calls: { readonly count: number; readonly timeoutMs: number },
): number {
  const startMs = startDelayMs(capabilities, kind)
  return silenceMs(capabilities, kind, calls) - startMs + Math.min(startMs, DELIVERY_GRACE_MS)
}

/** How long the calls of an activation may be silent that the platform has taken. */
export function silenceOf(
  activation: AwaitedCalls & Pick<ActivationInFlight, 'calls' | 'job' | 'attempt' | 'isOnlyAccepted'>,
  { capabilities: all, kind }: Pick<ComputeBackend, 'capabilities' | 'kind'>,
  { unheard, publishPatienceMs = 0 }: Pick<JobSurroundings, 'unheard' | 'publishPatienceMs'>,
): Silence {
  const calls = { count: activation.calls.length, timeoutMs: activation.job.options.timeoutMs }
  const capabilities = activation.isOnlyAccepted ? { ...all, synchronousReply: false } : all
  const callsMs = silenceMs(capabilities, kind, calls) + publishPatienceMs
  if (capabilities.synchronousReply) return { callsMs }
  const { restartAfterMs } = capabilities
  const isAwaited = unheard !== undefined && activation.openCount === activation.calls.length
  return {
    callsMs,
    begunMs: begunSilenceMs(capabilities, kind, calls) + publishPatienceMs,
    // twice as long each time: a platform that is slow, for which the watch takes it for lost, is not flooded
    ...(restartAfterMs === undefined ? {} : { startMs: restartAfterMs * 2 ** activation.attempt }),
    ...(isAwaited ? { workerMs: startDelayMs(capabilities, kind) + publishPatienceMs } : {}),
  }
}

/** Finds activations whose results should have come by a monitor and did not. One timer for all of a job. */
export class OverdueWatch {
  readonly #events: OverdueEvents
  #due: Due[] = []
  readonly #begunMs = new WeakMap<AwaitedCalls, number>()
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #heardAtMs = Number.NEGATIVE_INFINITY
  /** When calls were first sent again, since a worker was last heard, because theirs had told nothing. */
  #triedAgainAtMs = Number.POSITIVE_INFINITY

  readonly #starts: StartWatch

  constructor(events: OverdueEvents) {
    this.#events = events
    this.#starts = new StartWatch(events.unbegun)
  }

  /** Watches an activation from now on. */
  add(activation: AwaitedCalls, { callsMs, begunMs, workerMs, startMs }: Silence): void {
    const { openCalls, openCount } = activation
    if (openCalls.length === 0) return
    const now = performance.now()
    if (begunMs !== undefined) this.#begunMs.set(activation, begunMs)
    if (startMs !== undefined) this.#starts.add(activation, startMs)
    // its worker may have told so before the platform told that it was taken
    if (activation.begunAtMs !== undefined) this.begun(activation)
    if (Number.isFinite(callsMs)) this.#add({ activation, atMs: now + callsMs })
    if (workerMs === undefined || openCalls.some(isRunning)) return
    this.#add({ activation, atMs: now + workerMs, accepted: { atMs: now, openCount } })
  }

  /** Its worker has told that it has begun: from now on the time of its calls runs. */
  begun(activation: AwaitedCalls): void {
    this.#starts.begun(activation)
    const begunMs = this.#begunMs.get(activation)
    if (begunMs === undefined || activation.begunAtMs === undefined || !Number.isFinite(begunMs)) return
    this.#add({ activation, atMs: activation.begunAtMs + begunMs })
  }

  /** A worker of the job has told something. */
  heard(): void {
    this.#heardAtMs = performance.now()
    this.#triedAgainAtMs = Number.POSITIVE_INFINITY
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#starts.close()
    this.#due = []
    this.#timerAtMs = Number.POSITIVE_INFINITY
  }

  #add(due: Due): void {
    this.#due.push(due)
    if (due.atMs < this.#timerAtMs) this.#wakeAt(due.atMs)
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
      if (due.accepted !== undefined && hasBegun(due.activation, due.accepted.openCount)) continue
      if (due.atMs <= now) late.push(due)
      else early.push(due)
    }
    this.#due = early
    this.#timerAtMs = Number.POSITIVE_INFINITY
    if (early.length > 0) this.#wakeAt(early.reduce((least, { atMs }) => Math.min(least, atMs), Infinity))
    for (const due of late) this.#tell(due, now)
  }

  #tell({ activation, accepted }: Due, now: number): void {
    if (activation.openCalls.length === 0) return
    if (accepted === undefined) {
      this.#lost(
        activation,
        'Nothing was heard of the call beyond its time limit: its worker was lost, never began it, or cannot tell of it.',
      )
    } else if (this.#areAllSilent(accepted.atMs)) {
      this.#events.unheard(now - accepted.atMs)
    } else {
      this.#triedAgainAtMs = Math.min(this.#triedAgainAtMs, now)
      this.#lost(activation, 'Its worker has told nothing: it was lost, or never began the call.')
    }
  }

  /**
   * Whether no worker has told anything since then, which is no matter of one of them. In a job that was heard before, one may
   * be lost all the same: that is known when what was sent again is silent too.
   */
  #areAllSilent(sinceMs: number): boolean {
    if (this.#heardAtMs === Number.NEGATIVE_INFINITY) return true
    return sinceMs > this.#heardAtMs && sinceMs >= this.#triedAgainAtMs && !this.#events.isAnyRunning()
  }

  #lost(activation: AwaitedCalls, message: string): void {
    this.#events.overdue(
      activation,
      new WorkerLostError(message, { details: { activationId: activation.id } }),
    )
  }
}

function isRunning({ state }: Call): boolean {
  return state === 'running'
}

/** Whether the worker has told of any call of the activation. */
function hasBegun({ openCalls, openCount }: AwaitedCalls, openAtFirst: number): boolean {
  return openCount < openAtFirst || openCalls.some(isRunning)
}
