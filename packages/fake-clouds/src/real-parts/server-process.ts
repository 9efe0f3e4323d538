import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const GUARD = fileURLToPath(new URL('guard.mjs', import.meta.url))
const LOG_CHARACTERS = 2_000

/** A server that runs in a folder of its own; both go with `close()`, and with this process however it ends. */
export class ServerProcess {
  readonly #guard: ChildProcess
  readonly #logFile: string
  readonly #command: string

  constructor(options: {
    readonly command: string
    readonly args: readonly string[]
    readonly logFile: string
    readonly env?: Readonly<Record<string, string>>
    /** Removed when the server has ended. */
    readonly folder?: string
  }) {
    this.#command = path.basename(options.command)
    this.#logFile = options.logFile
    const { command, args, logFile, env, folder = '' } = options
    this.#guard = spawn(process.execPath, [GUARD, logFile, folder, command, ...args], {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: { ...process.env, ...env },
    })
  }

  /** Waits until `isReady` says true. Throws with the end of the server's log when it ended, or is not in time. */
  async ready(isReady: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
    const end = performance.now() + limitMs
    for (;;) {
      if (await isReady().catch(() => false)) return
      if (this.#guard.exitCode !== null) throw this.#failure('ended')
      if (performance.now() > end) throw this.#failure(`was not ready in ${limitMs} ms`)
      await sleep(50)
    }
  }

  /** May be called twice. */
  async close(): Promise<void> {
    if (this.#guard.exitCode !== null || this.#guard.signalCode !== null) return
    const exited = once(this.#guard, 'exit')
    this.#guard.stdin?.end()
    await exited
  }

  #failure(what: string): Error {
    const log = existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8').slice(-LOG_CHARACTERS) : ''
    return new Error(`${this.#command} ${what}:\n${log}`)
  }
}

/** Runs something in a fresh folder; when it fails the folder is removed. */
export async function inFolder<T>(name: string, start: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), `lithops-${name}-`))
  try {
    return await start(folder)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** A port of the loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Whether an HTTP server answers there, whatever it says. */
export async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(1_000) })
  await response.arrayBuffer()
  return response.status < 500
}

/** Whether something listens there: on a port of the loopback, or on a socket of a file. */
export function accepts(place: number | string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = typeof place === 'number' ? connect(place, '127.0.0.1') : connect(place)
    socket.setTimeout(1_000, () => socket.destroy())
    socket.once('connect', () => {
      resolve(true)
      socket.destroy()
    })
    socket.once('error', () => socket.destroy())
    socket.once('close', () => resolve(false))
  })
}
