import { type ChildProcess, spawn } from 'node:child_process'
import { setImmediate as turn } from 'node:timers/promises'
import type { GroupGuard } from './group-guard.ts'
import { residentBytes } from './memory.ts'
import { TelemetryReader } from './telemetry.ts'

const MAX_TURNS = 1_000
const TELEMETRY_FD = 3

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The processes of one environment: a group of their own, which is stopped between calls. */
export class WorkerProcess {
  readonly ended: Promise<ProcessEnd>
  readonly #child: ChildProcess
  readonly #pid: number
  #isFrozen = false
  #end: ProcessEnd | undefined
  #outputCount = 0

  constructor(options: {
    readonly command: string
    readonly args: readonly string[]
    readonly cwd: string
    readonly env: Readonly<Record<string, string>>
    /** The file descriptor of `_LAMBDA_TELEMETRY_LOG_FD` is one of its. */
    readonly hasTelemetry: boolean
    readonly guard: GroupGuard
    readonly onOutput: (text: string) => void
  }) {
    const { command, args, cwd, guard, onOutput } = options
    const env = options.hasTelemetry
      ? { ...options.env, _LAMBDA_TELEMETRY_LOG_FD: String(TELEMETRY_FD) }
      : options.env
    const telemetry = options.hasTelemetry ? 'pipe' : 'ignore'
    this.#child = spawn(command, args, {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', telemetry],
    })
    this.#pid = this.#child.pid ?? 0
    if (this.#pid !== 0) guard.watch(this.#pid)
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8')
      stream?.on('data', (text: string) => {
        this.#outputCount++
        onOutput(text)
      })
    }
    const frames = new TelemetryReader(onOutput)
    this.#child.stdio[TELEMETRY_FD]?.on('data', (bytes: Buffer) => {
      this.#outputCount++
      frames.push(bytes)
    })
    this.ended = new Promise(resolve => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        // nothing of the group goes on without its leader
        this.#signal('SIGKILL')
        this.#end = { code, signal }
        guard.forget(this.#pid)
        resolve(this.#end)
      }
      this.#child.once('error', error => {
        onOutput(`${error.message}\n`)
        end(127, null)
      })
      this.#child.once('exit', end)
    })
  }

  get pid(): number {
    return this.#pid
  }

  get hasEnded(): boolean {
    return this.#end !== undefined
  }

  get memoryBytes(): number | undefined {
    return residentBytes(this.#pid)
  }

  freeze(): void {
    if (this.#isFrozen) return
    this.#isFrozen = true
    this.#signal('SIGSTOP')
  }

  thaw(): void {
    if (!this.#isFrozen) return
    this.#isFrozen = false
    this.#signal('SIGCONT')
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL')
    await this.ended
  }

  /** Waits until what was written until now has been read. Pipes are written synchronously, so it lies there. */
  async drain(): Promise<void> {
    let seen = -1
    for (let turns = 0; seen !== this.#outputCount && turns < MAX_TURNS; turns++) {
      seen = this.#outputCount
      await turn()
      await turn()
    }
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#pid === 0 || this.#end !== undefined) return
    try {
      process.kill(-this.#pid, signal)
    } catch {
      // the group has ended
    }
  }
}
