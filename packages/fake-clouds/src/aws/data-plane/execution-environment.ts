import { setTimeout as sleep } from 'node:timers/promises'
import type { LogSink } from '../logs/log-store.ts'
import { type InvocationLog, type InvocationReport, InvocationLog as Log } from './invocation-log.ts'
import type { MemoryWatch, Watched } from './memory-watch.ts'
import { exited, type Outcome, responseTooLarge, timedOut } from './outcome.ts'
import type { Invocation, RuntimeApi, RuntimeMessage } from './runtime-api.ts'
import type { ProcessEnd, WorkerProcess } from './worker-process.ts'

const MIB = 1024 * 1024

/** What wakes an environment up. */
type Signal =
  | RuntimeMessage
  | { readonly kind: 'ended'; readonly end: ProcessEnd }
  | { readonly kind: 'memory' }
  | { readonly kind: 'time' }

type InitResult = 'ready' | { readonly kind: 'failed'; readonly outcome: (requestId: string) => Outcome }

export interface EnvironmentOptions {
  readonly version: string
  readonly timeoutS: number
  readonly memoryMB: number
  readonly initLimitMs: number
  readonly coldStartMs: number
  readonly outOfMemoryErrorType: string
  readonly api: RuntimeApi
  readonly watch: MemoryWatch
  readonly log: LogSink
  /** Starts the runtime's process. */
  readonly start: (onOutput: (text: string) => void) => WorkerProcess
  /** Removes what the environment has on disk. */
  readonly remove: () => Promise<void>
}

/** One execution environment: one call at a time, stopped between calls, kept for the next one. */
export class ExecutionEnvironment implements Watched {
  readonly #options: EnvironmentOptions
  #process: WorkerProcess | undefined
  #isReady = false
  #isNew = true
  #isDoomed = false
  #inbox: Signal[] = []
  #wake: (() => void) | undefined
  #current: InvocationLog | undefined
  #maxMemoryBytes = 0

  constructor(options: EnvironmentOptions) {
    this.#options = options
    options.api.listen(message => this.#push(message))
  }

  /** False when it was killed as a whole: its next call needs another one. */
  get isUsable(): boolean {
    return !this.#isDoomed
  }

  /** Runs one call. `killAfterMs` kills all its processes that long after the function got its event. */
  async invoke(
    event: Omit<Invocation, 'deadlineMs'>,
    fault: { readonly killAfterMs?: number } = {},
  ): Promise<InvocationReport> {
    const { version, timeoutS, memoryMB, log } = this.#options
    const initMs = this.#isNew ? await this.#firstInit() : undefined
    const current = new Log({ requestId: event.requestId, version, memoryMB, log })
    this.#current = current
    this.#options.watch.add(this)
    try {
      const outcome = await this.#run(event, performance.now() + timeoutS * 1000, fault)
      this.sample()
      await this.#process?.drain()
      if (outcome.status === 'timeout') current.timedOut(timeoutS)
      const maxMemoryMB = Math.min(memoryMB, Math.ceil(this.#maxMemoryBytes / MIB))
      return current.report(outcome, { maxMemoryMB, ...(initMs !== undefined && { initMs }) })
    } finally {
      this.#options.watch.remove(this)
      this.#current = undefined
    }
  }

  /** Ends its processes, also in the middle of a call, and removes what it has. May be called twice. */
  async close(): Promise<void> {
    this.#isDoomed = true
    await this.#process?.kill()
    await this.#options.api.close()
    await this.#options.remove()
  }

  /** @internal Looks at its memory: too much ends the call. */
  sample(): void {
    const bytes = this.#process?.memoryBytes
    if (bytes === undefined) return
    this.#maxMemoryBytes = Math.max(this.#maxMemoryBytes, bytes)
    if (bytes > this.#options.memoryMB * MIB) this.#push({ kind: 'memory' })
  }

  /** The initialization before the first call, which has a limit of its own. Undefined when it failed. */
  async #firstInit(): Promise<number | undefined> {
    this.#isNew = false
    const { coldStartMs, initLimitMs, log } = this.#options
    if (coldStartMs > 0) await sleep(coldStartMs)
    log.write('INIT_START Runtime Version: stand-in\n')
    const startedAt = performance.now()
    const result = await this.#init(startedAt + initLimitMs)
    const initMs = performance.now() - startedAt
    if (result === 'ready') return initMs
    const status = result.outcome('').status ?? 'error'
    log.write(`INIT_REPORT Init Duration: ${initMs.toFixed(2)} ms\tPhase: init\tStatus: ${status}\n`)
    return undefined
  }

  async #init(deadline: number): Promise<InitResult> {
    this.#inbox = []
    this.#isReady = false
    if (this.#isDoomed) {
      return { kind: 'failed', outcome: requestId => exited(requestId, { code: null, signal: 'SIGKILL' }) }
    }
    const process = this.#options.start(text => this.#onOutput(text))
    this.#process = process
    void process.ended.then(end => {
      if (this.#process === process) this.#push({ kind: 'ended', end })
    })
    let failure: Outcome | undefined
    for (;;) {
      const signal = await this.#next(deadline)
      switch (signal.kind) {
        case 'next':
          if (failure !== undefined) break
          await process.drain()
          process.freeze()
          this.#isReady = true
          return 'ready'
        case 'initError':
          failure = { body: signal.body, errorType: signal.type, status: 'error' }
          await this.#stop()
          return { kind: 'failed', outcome: () => failure as Outcome }
        case 'ended':
          await this.#stop()
          return { kind: 'failed', outcome: requestId => exited(requestId, signal.end) }
        case 'memory':
          await this.#stop()
          return { kind: 'failed', outcome: requestId => this.#outOfMemory(requestId) }
        case 'time':
          await this.#stop()
          return { kind: 'failed', outcome: requestId => timedOut(requestId, this.#options.timeoutS) }
      }
    }
  }

  async #run(
    event: Omit<Invocation, 'deadlineMs'>,
    deadline: number,
    { killAfterMs }: { readonly killAfterMs?: number },
  ): Promise<Outcome> {
    const { requestId } = event
    if (!this.#isReady) {
      // what failed before, in the first initialization or in a call, is initialized again within this call
      const result = await this.#init(deadline)
      if (result !== 'ready') return result.outcome(requestId)
    }
    this.#inbox = []
    this.#options.api.send({ ...event, deadlineMs: Math.round(Date.now() + deadline - performance.now()) })
    this.#process?.thaw()
    const killer = killAfterMs === undefined ? undefined : setTimeout(() => void this.#doom(), killAfterMs)
    try {
      return await this.#waitForOutcome(requestId, deadline, killer !== undefined)
    } finally {
      clearTimeout(killer)
    }
  }

  async #waitForOutcome(requestId: string, deadline: number, isKilled: boolean): Promise<Outcome> {
    let outcome: Outcome | undefined
    for (;;) {
      const signal = await this.#next(deadline)
      switch (signal.kind) {
        case 'response':
          // a function that was faster than who kills it: its reply does not get out
          if (isKilled) await this.#doom()
          else outcome = { body: signal.body }
          break
        case 'tooLarge':
          outcome = responseTooLarge()
          break
        case 'error':
          outcome = { body: signal.body, errorType: signal.type }
          break
        case 'next':
          this.#process?.freeze()
          return outcome ?? exited(requestId, { code: 0, signal: null })
        case 'ended':
          await this.#stop()
          return outcome ?? exited(requestId, signal.end)
        case 'memory':
          await this.#stop()
          return this.#outOfMemory(requestId)
        case 'time':
          await this.#stop()
          return timedOut(requestId, this.#options.timeoutS)
      }
    }
  }

  #outOfMemory(requestId: string): Outcome {
    return exited(requestId, { code: null, signal: 'SIGKILL' }, this.#options.outOfMemoryErrorType)
  }

  /** Ends the process; the environment stays, with its /tmp, and starts another one for its next call. */
  async #stop(): Promise<void> {
    const process = this.#process
    this.#isReady = false
    await process?.drain()
    this.#process = undefined
    await process?.kill()
    this.#options.api.reset()
  }

  async #doom(): Promise<void> {
    this.#isDoomed = true
    await this.#process?.kill()
  }

  #onOutput(text: string): void {
    if (this.#current !== undefined) this.#current.write(text)
    else this.#options.log.write(text)
  }

  #push(signal: Signal): void {
    this.#inbox.push(signal)
    this.#wake?.()
  }

  async #next(deadline: number): Promise<Signal> {
    while (this.#inbox.length === 0) {
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) return { kind: 'time' }
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, leftMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
    }
    return this.#inbox.shift() as Signal
  }
}
