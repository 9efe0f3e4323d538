import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

const folders = new Set<string>()
// of those too whose end no test waits for
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

export interface WorkerProgramOptions {
  /** Another worker than the built one, relative to this folder. */
  readonly file?: string
  readonly args?: readonly string[]
  /** What starts it otherwise. */
  readonly command?: readonly string[]
  /** Folder that it is started in. Default: this process's. */
  readonly cwd?: string
}

/** The worker as it was built, as a process of this machine: what a container would run. */
export class WorkerProgram {
  readonly child: ChildProcess
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** What it and its processes wrote: the platform's log. */
  log = ''
  #wake: () => void = () => {}

  constructor(
    environment: Readonly<Record<string, string>> = {},
    { file = '../dist/worker/entry.cjs', args = [], command, cwd }: WorkerProgramOptions = {},
  ) {
    const main = isAbsolute(file) ? file : fileURLToPath(new URL(file, import.meta.url))
    const [program, ...rest] = command ?? [process.execPath, main, ...args]
    // as in a container: what it leaves there goes with it
    const temporary = mkdtempSync(join(tmpdir(), 'lithops-test-container-'))
    folders.add(temporary)
    this.child = spawn(program as string, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, PORT: '0', TMPDIR: temporary, ...environment },
      cwd,
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.log += text
        this.#wake()
      })
    this.exited = new Promise(resolve => {
      this.child.once('close', async (code, signal) => {
        // another process of its group may be dying still
        await rm(temporary, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
        this.#wake()
        resolve({ code, signal })
      })
    })
  }

  /** Where it listens. */
  async origin(): Promise<string> {
    const port = await this.said(/listens on port (\d+)/)
    return `http://127.0.0.1:${port}`
  }

  /** Waits until its log has this, and gives the first group of it. */
  async said(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.log)
      if (found !== null) return found[1] ?? found[0]
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`The worker has ended without saying ${pattern}: ${this.log}`)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const closed = once(this.child, 'close')
    this.child.kill('SIGKILL')
    await closed
  }
}
