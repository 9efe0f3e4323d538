import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/**
 * Lines of process ids come in, each line all that there are now; at the end of the input the last line's are killed.
 * A shell starts in a millisecond and takes no memory to speak of.
 */
const SHELL_WATCHDOG =
  'pids=; while read -r line; do pids=$line; done; for pid in $pids; do kill -9 "$pid"; done'

/** The same for a machine without a shell. */
const NODE_WATCHDOG = `
let text = ''
process.stdin.on('data', chunk => (text = (text + chunk).split('\\n').slice(-2).join('\\n')))
process.stdin.on('error', () => {})
process.stdin.on('close', () => {
  for (const pid of text.split('\\n')[0].split(' ')) try { if (pid) process.kill(Number(pid), 'SIGKILL') } catch {}
})`

/**
 * A small process that outlives this one for a moment. A worker ends by itself when its pipe closes, but not one whose
 * function keeps the event loop busy; and a client that was killed cannot end it any more. The watchdog sees its
 * input close, by whatever end of the client, and kills the workers that are left.
 */
export class WorkerWatchdog {
  readonly #pids = new Set<number>()
  #input: Socket | undefined
  #starting: NodeJS.Immediate | undefined
  #isClosed = false

  watch(pid: number | undefined): void {
    if (pid === undefined || this.#isClosed) return
    this.#pids.add(pid)
    this.#tell()
    // Not at once: the program has better things to do while its first worker starts.
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
    this.#input?.write(`${[...this.#pids].join(' ')}\n`)
  }
}
