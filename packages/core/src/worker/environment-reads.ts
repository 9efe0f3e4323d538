/** Notes which environment variables code reads, until it is told to stop. */
export class EnvironmentReads {
  readonly #names = new Set<string | symbol>()
  readonly #before = process.env
  #hasSeenAll = false

  static begin(): EnvironmentReads {
    const reads = new EnvironmentReads()
    process.env = reads.#watched()
    return reads
  }

  end(): void {
    process.env = this.#before
  }

  /** Takes all variables for read. */
  sawAll(): void {
    this.#hasSeenAll = true
  }

  hasSeenNoneOf(names: readonly string[]): boolean {
    return names.length === 0 || (!this.#hasSeenAll && !names.some(name => this.#names.has(name)))
  }

  #watched(): NodeJS.ProcessEnv {
    const note = (name: string | symbol) => this.#names.add(name)
    return new Proxy(this.#before, {
      get: (env, name) => {
        note(name)
        return Reflect.get(env, name)
      },
      has: (env, name) => {
        note(name)
        return Reflect.has(env, name)
      },
      getOwnPropertyDescriptor: (env, name) => {
        note(name)
        return Reflect.getOwnPropertyDescriptor(env, name)
      },
      ownKeys: env => {
        this.sawAll()
        return Reflect.ownKeys(env)
      },
    })
  }
}
