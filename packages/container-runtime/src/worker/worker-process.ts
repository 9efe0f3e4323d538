import { type ChildProcess, spawn } from 'node:child_process'
import { rm } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { ActivationError } from '../http-protocol.ts'
import { memoryKills } from './memory-kills.ts'
import { PipeMessage, readMessages, sendMessage } from './pipe.ts'
import { endOfProcess } from './process-end.ts'

/** What is told of one activation. `ended` is called once, and nothing comes after it. */
export interface ActivationEvents {
  /** A process has read the message. */
  accepted(): void
  frames(frames: Uint8Array): void
  ended(error?: ActivationError): void
}

export interface WorkerProcessOptions {
  /** Path of the worker, and what makes it run functions. */
  readonly args: readonly string[]
  /** Activations at the same time. */
  readonly concurrency: number
  /** An activation has ended, or the process takes no more. */
  readonly onChange: (process: WorkerProcess) => void
  /** It is gone; `wasUsable` when nobody had given it up before. */
  readonly onExit: (process: WorkerProcess, wasUsable: boolean) => void
}

/** A cancelled call has this long to stop by itself. */
const CANCEL_GRACE_MS = 1_000
/** The last of what the process wrote to its standard error. */
const TAIL_CHARACTERS = 8_000

/** The serving half of one process that runs functions. */
export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #pipe: Duplex
  readonly #options: WorkerProcessOptions
  readonly #running = new Map<number, ActivationEvents>()
  readonly #memoryKills = memoryKills()
  /** What it said of itself; undefined until it takes activations. */
  metadata: string | undefined
  #takesMore = true
  #killedFor: ActivationError | undefined
  #tail = ''
  #hasExited = false
  #startError: Error | undefined
  /** Resolves when it is gone. */
  readonly exited: Promise<void>
  #resolveExited: () => void = () => {}

  constructor(options: WorkerProcessOptions) {
    this.#options = options
    this.exited = new Promise(resolve => {
      this.#resolveExited = resolve
    })
    this.#child = spawn(process.execPath, [...process.execArgv, ...options.args], {
      stdio: ['ignore', 'inherit', 'pipe', 'pipe'],
    })
    this.#pipe = this.#child.stdio[3] as Duplex
    this.#pipe.on('error', () => {}) // a write to a process that has just died; 'close' tells the rest
    readMessages(this.#pipe, (kind, activation, payload) => this.#onMessage(kind, activation, payload))
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      process.stderr.write(chunk)
      this.#tail = (this.#tail + chunk.toString('utf8')).slice(-TAIL_CHARACTERS)
    })
    this.#child.once('error', error => {
      this.#startError = error
      if (this.#child.pid === undefined) this.#onExit(null, null)
    })
    this.#child.once('close', (code, signal) => this.#onExit(code, signal))
  }

  /** Why it ended without having been ready. */
  get startFailure(): string {
    return this.#startError?.message ?? this.#tail.trim()
  }

  /** How many more activations it takes now. */
  get free(): number {
    if (!this.#takesMore || this.metadata === undefined) return 0
    return this.#options.concurrency - this.#running.size
  }

  /** It will take activations, now or later. */
  get isUsable(): boolean {
    return this.#takesMore
  }

  get isIdle(): boolean {
    return this.#running.size === 0
  }

  /** Only while `free`. */
  activate(activation: number, payload: Uint8Array, events: ActivationEvents): void {
    this.#running.set(activation, events)
    sendMessage(this.#pipe, PipeMessage.activate, activation, payload)
  }

  /** Nobody waits for the activation. Its place is free when it has stopped; if it does not, the process is given up. */
  cancel(activation: number): void {
    if (!this.#running.has(activation)) return
    sendMessage(this.#pipe, PipeMessage.cancel, activation)
    const timer = setTimeout(() => {
      if (!this.#running.has(activation)) return
      this.giveUp()
      this.#end(activation)
    }, CANCEL_GRACE_MS)
    timer.unref()
  }

  /** Nobody reads the reply of the activation, and its calls go on. */
  unheard(activation: number): void {
    if (this.#running.has(activation)) sendMessage(this.#pipe, PipeMessage.unheard, activation)
  }

  /** Takes nothing more, and ends when what runs has ended. */
  giveUp(): void {
    if (this.#takesMore) {
      this.#takesMore = false
      this.#options.onChange(this)
    }
    if (this.isIdle) this.#child.kill('SIGKILL')
  }

  /** Ends the process at once; what runs in it ends with this error. */
  kill(error: ActivationError): void {
    this.#killedFor ??= error
    this.#takesMore = false
    this.#child.kill('SIGKILL')
  }

  #onMessage(kind: number, activation: number, payload: Buffer): void {
    switch (kind) {
      case PipeMessage.ready:
        this.metadata = payload.toString('utf8')
        this.#options.onChange(this)
        break
      case PipeMessage.accepted:
        this.#running.get(activation)?.accepted()
        break
      case PipeMessage.frames:
        this.#running.get(activation)?.frames(payload)
        break
      case PipeMessage.ended:
        this.#end(
          activation,
          payload.length === 0 ? undefined : (JSON.parse(payload.toString('utf8')) as ActivationError),
        )
        break
      case PipeMessage.poisoned:
        this.giveUp()
        break
    }
  }

  #end(activation: number, error?: ActivationError): void {
    const events = this.#running.get(activation)
    if (events === undefined) return
    this.#running.delete(activation)
    events.ended(error)
    if (this.#takesMore) this.#options.onChange(this)
    else if (this.isIdle) this.#child.kill('SIGKILL')
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#hasExited) return
    this.#hasExited = true
    const wasUsable = this.#takesMore
    this.#takesMore = false
    const { pid } = this.#child
    // where the worker keeps functions that it imports
    if (pid !== undefined) rm(join(tmpdir(), `lithops-${pid}`), { recursive: true, force: true }, () => {})
    const kills = memoryKills()
    const end = endOfProcess({
      code,
      signal,
      startError: this.#startError,
      output: this.#tail,
      wasKilledForMemory: kills !== undefined && kills > (this.#memoryKills ?? 0),
    })
    const running = [...this.#running]
    this.#running.clear()
    for (const [activation, events] of running) events.ended(this.#killedFor ?? end(activation))
    this.#options.onExit(this, wasUsable)
    this.#resolveExited()
  }
}
