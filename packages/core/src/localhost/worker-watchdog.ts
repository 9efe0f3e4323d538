import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/**
 * Lines come in: `pids` with all process ids that there are now, and `folder` with one to remove. At the end of the input
 * the processes of the last line are killed, and the folder is removed. A shell starts in a millisecond and takes no
 * memory to speak of.
 */
const SHELL_WATCHDOG = `pids= folder=
while read -r what rest; do case "$what" in pids) pids=$rest;; folder) folder=$rest;; esac; done
for pid in $pids; do kill -9 "$pid"; done
if [ -n "$folder" ]; then rm -rf -- "$folder"; fi`

/** The same for a machine without a shell. */
const NODE_WATCHDOG = `
const told = { pids: '', folder: '' }
let rest = ''
process.stdin.on('data', chunk => {
  const lines = (rest + chunk).split('\\n')
  rest = lines.pop()
  for (const line of lines) told[line.slice(0, line.indexOf(' '))] = line.slice(line.indexOf(' ') + 1)
})
process.stdin.on('error', () => {})
process.stdin.on('close', () => {
  for (const pid of told.pids.split(' ')) try { if (pid) process.kill(Number(pid), 'SIGKILL') } catch {}
  if (told.folder) require('node:fs').rmSync(told.folder, { recursive: true, force: true, maxRetries: 5 })
})`

/**
 * A small process that outlives this one for a moment. A worker ends by itself when its pipe closes, but not one whose
 * function keeps the event loop busy; and a client that was killed cannot end it any more. The watchdog sees its
 * input close, by whatever end of the client, kills the workers that are left and removes the client's folder.
 */
export class WorkerWatchdog {
  readonly #pids = new Set<number>()
  #folder: string | undefined
  #input: Socket | undefined
  #starting: NodeJS.Immediate | undefined
  #isClosed = false

  watch(pid: number | undefined): void {
    if (pid === undefined || this.#isClosed) return
    this.#pids.add(pid)
    this.#tell()
  }

  /** A worker has got something to run. Until then all of them end by themselves. */
  needed(): void {
    if (!this.#isClosed) this.#startSoon()
  }

  /** Removes this folder at the end too. One that a line cannot carry is left to the client's own `close`. */
  remove(folder: string): void {
    if (this.#isClosed || /[\r\n]|^\s|\s$/.test(folder)) return
    this.#folder = folder
    this.#tell()
    this.#startSoon()
  }

  /** Not at once: the program has better things to do while its first worker starts, and at its first call. */
  #startSoon(): void {
    this.#starting ??= setImmediate(() => this.#start('shell')).unref()
  }

  /** The process has ended: its id may become another's. */
  forget(pid: number | undefined): void {
    if (pid !== undefined && this.#pids.delete(pid)) this.#tell()
  }

  /** Lets the watchdog go; when it has workers left, it kills them. */
  close(): void {
    this.#isClosed = true
    clearImmediate(this.#starting)
    this.#input?.end()
  }

  #start(kind: 'shell' | 'node'): void {
    const [command, args] =
      kind === 'node' || process.platform === 'win32'
        ? [process.execPath, ['-e', NODE_WATCHDOG]]
        : ['/bin/sh', ['-c', SHELL_WATCHDOG]]
    const child: ChildProcess = spawn(command, args, {
      cwd: '/', // keeps no folder in use
      // In a group of its own: a Ctrl-C, or a kill of the whole group, must not take it before its time.
      detached: true,
      env: { SystemRoot: process.env.SystemRoot }, // nothing on Windows starts without
      stdio: ['pipe', 'ignore', 'ignore'],
      windowsHide: true,
    })
    child.on('error', () => {
      if (kind === 'shell') this.#start('node')
    })
    child.unref()
    this.#input = child.stdin as Socket | undefined
    this.#input?.on('error', () => {}) // somebody has killed it: the workers do without
    this.#input?.unref()
    this.#tell()
    if (this.#isClosed) this.#input?.end()
  }

  #tell(): void {
    this.#input?.write(`pids ${[...this.#pids].join(' ')}\n`)
    if (this.#folder !== undefined) this.#input?.write(`folder ${this.#folder}\n`)
  }
}
