import type { ActivationError } from '../http-protocol.ts'
import { type ActivationEvents, WorkerProcess } from './worker-process.ts'

export interface WorkerPoolOptions {
  readonly args: readonly string[]
  /** How many processes. */
  readonly size: number
  /** Activations at the same time in each. */
  readonly concurrency: number
  /** A process could not start: nothing will get better by itself. */
  readonly onBroken: (reason: string) => void
}

/** One activation that was handed in. */
export interface PooledActivation {
  /** Nobody waits for it: its calls are told to stop, and its end is not told. */
  cancel(): void
  /** Nobody reads its reply, and its calls go on. */
  unheard(): void
}

interface WaitingActivation {
  readonly id: number
  readonly payload: Uint8Array
  readonly events: ActivationEvents
}

/** The platform ends the worker. */
const endingError = (message: string, mayHaveRun: boolean): ActivationError => ({
  kind: 'ending',
  message,
  mayHaveRun,
})

/** Processes that run functions: each activation goes to the one with the most room, or waits. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #processes = new Set<WorkerProcess>()
  readonly #running = new Map<number, WorkerProcess>()
  #waiting: WaitingActivation[] = []
  #activations = 0
  #isEnding = false
  #onIdle: () => void = () => {}
  /** What the first process that was ready said of itself, as JSON. */
  metadata: string | undefined

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    for (let i = 0; i < options.size; i++) this.#start()
  }

  /** Nothing runs, and nothing waits. */
  get isIdle(): boolean {
    return this.#running.size === 0 && this.#waiting.length === 0
  }

  run(payload: Uint8Array, events: ActivationEvents): PooledActivation {
    const id = ++this.#activations
    if (this.#isEnding) {
      events.ended(endingError('This worker is being ended by its platform; nothing has run.', false))
      return { cancel: () => {}, unheard: () => {} }
    }
    this.#waiting.push({ id, payload, events })
    this.#dispatch()
    return {
      cancel: () => {
        this.#waiting = this.#waiting.filter(waiting => waiting.id !== id)
        this.#running.get(id)?.cancel(id)
      },
      unheard: () => this.#running.get(id)?.unheard(id),
    }
  }

  /** Begins nothing any more. Resolves when nothing runs, or after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#isEnding = true
    const waiting = this.#waiting.splice(0)
    for (const { events } of waiting)
      events.ended(endingError('This worker is being ended by its platform; nothing has run.', false))
    if (this.isIdle) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, graceMs)
      this.#onIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Ends all processes; what still runs ends with an error that says so. */
  async close(): Promise<void> {
    this.#isEnding = true
    const error = endingError('The platform has ended this worker during the call.', true)
    const processes = [...this.#processes]
    for (const process of processes) process.kill(error)
    await Promise.all(processes.map(process => process.exited))
  }

  #start(): void {
    const { args, concurrency, onBroken } = this.#options
    this.#processes.add(
      new WorkerProcess({
        args,
        concurrency,
        onChange: process => {
          this.metadata ??= process.metadata
          // one that takes nothing more is replaced at once: what still runs in it may take long
          if (!process.isUsable && !this.#isEnding) this.#start()
          this.#dispatch()
        },
        onExit: (process, wasUsable) => {
          this.#processes.delete(process)
          if (this.#isEnding) return
          if (process.metadata === undefined) onBroken(process.startFailure)
          else if (wasUsable) this.#start()
        },
      }),
    )
  }

  #dispatch(): void {
    for (;;) {
      const next = this.#waiting[0]
      if (next === undefined) return
      let best: WorkerProcess | undefined
      for (const process of this.#processes) if (process.free > (best?.free ?? 0)) best = process
      if (best === undefined) return
      this.#waiting.shift()
      this.#runIn(best, next)
    }
  }

  #runIn(process: WorkerProcess, { id, payload, events }: WaitingActivation): void {
    this.#running.set(id, process)
    process.activate(id, payload, {
      accepted: () => events.accepted(),
      frames: frames => events.frames(frames),
      ended: error => {
        this.#running.delete(id)
        events.ended(error)
        if (this.isIdle) this.#onIdle()
      },
    })
  }
}
