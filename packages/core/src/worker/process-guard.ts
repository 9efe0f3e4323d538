import { parse } from 'node:path'

/**
 * Keeps one call's changes of the process from the next: environment variables and the working directory are put
 * back between calls. Watching costs nothing until something is changed.
 */
export class ProcessGuard {
  readonly #environment: NodeJS.ProcessEnv
  readonly #directory = workingDirectory()
  readonly #chdir = process.chdir.bind(process)
  #baseline: Record<string, string | undefined>
  #isDirty = false
  #extraEnv: Readonly<Record<string, string>> | undefined

  constructor() {
    this.#environment = process.env
    this.#baseline = { ...process.env }
    process.env = this.#watched()
    process.chdir = directory => {
      this.#isDirty = true
      this.#chdir(directory)
    }
  }

  /** The environment variables of the job whose calls come next. */
  begin(extraEnv: Readonly<Record<string, string>> | undefined): void {
    if (this.#extraEnv === extraEnv) return
    for (const key of Object.keys(this.#extraEnv ?? {})) this.#put(key, this.#baseline[key])
    for (const [key, value] of Object.entries(extraEnv ?? {})) this.#put(key, value)
    this.#extraEnv = extraEnv
  }

  /** Undoes what the last call changed. */
  restore(): void {
    if (!this.#isDirty) return
    this.#isDirty = false
    const wanted = { ...this.#baseline, ...this.#extraEnv }
    for (const key of Object.keys(this.#environment)) if (!(key in wanted)) delete this.#environment[key]
    for (const [key, value] of Object.entries(wanted)) {
      if (this.#environment[key] !== value) this.#put(key, value)
    }
    try {
      this.#chdir(this.#directory)
    } catch {
      // somebody has removed the folder: the calls run where they are
    }
  }

  #put(key: string, value: string | undefined): void {
    if (value === undefined) delete this.#environment[key]
    else this.#environment[key] = value
  }

  #watched(): NodeJS.ProcessEnv {
    const markDirty = () => {
      this.#isDirty = true
    }
    return new Proxy(this.#environment, {
      set(target, key, value) {
        markDirty()
        return Reflect.set(target, key, value)
      },
      deleteProperty(target, key) {
        markDirty()
        return Reflect.deleteProperty(target, key)
      },
      defineProperty(target, key, descriptor) {
        markDirty()
        return Reflect.defineProperty(target, key, descriptor)
      },
    })
  }
}

/** The root where the program's own folder is gone: Node throws then. */
function workingDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return parse(process.execPath).root
  }
}
