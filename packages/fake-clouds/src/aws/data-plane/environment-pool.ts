import type { ExecutionEnvironment } from './execution-environment.ts'

/** The environments of one revision of a function. Those that are free are used again, the last one first. */
export class EnvironmentPool {
  readonly #open: () => Promise<ExecutionEnvironment>
  readonly #idleMs: number
  readonly #free: { readonly environment: ExecutionEnvironment; readonly timer: NodeJS.Timeout }[] = []
  readonly #closing = new Set<Promise<void>>()
  readonly #busy = new Set<ExecutionEnvironment>()
  readonly #running = new Set<Promise<unknown>>()
  #startedCount = 0
  #isRetired = false

  constructor(options: { readonly open: () => Promise<ExecutionEnvironment>; readonly idleMs: number }) {
    this.#open = options.open
    this.#idleMs = options.idleMs
  }

  get freeCount(): number {
    return this.#free.length
  }

  get busyCount(): number {
    return this.#running.size
  }

  /** How many environments there were in all. */
  get startedCount(): number {
    return this.#startedCount
  }

  /** Runs something in a free environment, or in a new one. */
  async use<T>(run: (environment: ExecutionEnvironment) => Promise<T>): Promise<T> {
    const running = this.#use(run)
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  /** Ends the free environments now and the busy ones after their calls. */
  retire(): void {
    this.#isRetired = true
    this.closeFree()
  }

  /** The next call starts in a new environment. */
  closeFree(): void {
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop()) {
      clearTimeout(free.timer)
      this.#close(free.environment)
    }
  }

  /** Ends all environments now, in the middle of their calls. */
  async end(): Promise<void> {
    this.retire()
    for (const environment of this.#busy) this.#close(environment)
    await Promise.allSettled(this.#running)
    await Promise.all(this.#closing)
  }

  async #use<T>(run: (environment: ExecutionEnvironment) => Promise<T>): Promise<T> {
    const environment = this.#takeFree() ?? (await this.#start())
    this.#busy.add(environment)
    try {
      return await run(environment)
    } finally {
      this.#busy.delete(environment)
      if (environment.isUsable && !this.#isRetired) this.#keep(environment)
      else this.#close(environment)
    }
  }

  #takeFree(): ExecutionEnvironment | undefined {
    const free = this.#free.pop()
    clearTimeout(free?.timer)
    return free?.environment
  }

  #start(): Promise<ExecutionEnvironment> {
    this.#startedCount++
    return this.#open()
  }

  #keep(environment: ExecutionEnvironment): void {
    const timer = setTimeout(() => {
      const index = this.#free.findIndex(free => free.environment === environment)
      if (index < 0) return
      this.#free.splice(index, 1)
      this.#close(environment)
    }, this.#idleMs)
    timer.unref()
    this.#free.push({ environment, timer })
  }

  #close(environment: ExecutionEnvironment): void {
    const closing = environment.close().finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
