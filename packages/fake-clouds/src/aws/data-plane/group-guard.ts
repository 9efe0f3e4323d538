import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const GUARD = fileURLToPath(new URL('group-guard.mjs', import.meta.url))

/** A folder, and process groups that use it. Both go with `close()`, and with this process however it ends. */
export class GroupGuard {
  readonly folder: string
  readonly #guard: ChildProcess

  constructor() {
    this.folder = mkdtempSync(path.join(tmpdir(), 'lithops-fake-aws-'))
    this.#guard = spawn(process.execPath, [GUARD, this.folder], { stdio: ['pipe', 'ignore', 'inherit'] })
    // when the guard is gone there is nobody left to tell
    this.#guard.stdin?.on('error', () => {})
    this.#guard.unref()
  }

  watch(pid: number): void {
    this.#guard.stdin?.write(`+ ${pid}\n`)
  }

  forget(pid: number): void {
    if (this.#guard.stdin?.writable) this.#guard.stdin.write(`- ${pid}\n`)
  }

  /** May be called twice. */
  async close(): Promise<void> {
    if (this.#guard.exitCode !== null || this.#guard.signalCode !== null) return
    const exited = once(this.#guard, 'exit')
    this.#guard.ref()
    this.#guard.stdin?.end()
    await exited
  }
}
