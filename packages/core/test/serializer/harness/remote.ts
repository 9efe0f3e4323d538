import { type ChildProcess, fork } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CapturedFunction } from '../../../src/function/captured-function.ts'
import { captureFunction, decodeError, decodeValue, encodeValue } from './product.ts'
import type { WorkerAnswer, WorkerRequest } from './protocol.ts'

/** The worker itself failed: nothing a function can throw. */
export class WorkerBrokenError extends Error {}

const text = (value: Uint8Array) => Buffer.from(value).toString('base64')

export interface RemoteOptions {
  readonly workerNode?: string
  readonly timeoutMs?: number
}

/** One worker process in an empty folder of its own. */
export class Remote {
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'lithops-worker-'))
  readonly #child: ChildProcess
  readonly #pending = new Map<number, (answer: WorkerAnswer) => void>()
  readonly #sent = new Set<string>()
  readonly #timeoutMs: number
  #nextId = 0

  constructor({ workerNode = process.env.LITHOPS_TEST_WORKER_NODE, timeoutMs = 10_000 }: RemoteOptions = {}) {
    this.#timeoutMs = timeoutMs
    // A copy, so that nothing of the repository is on the way up from the worker's files.
    const main = path.join(this.#directory, 'worker.mjs')
    copyFileSync(fileURLToPath(new URL('./worker.mjs', import.meta.url)), main)
    this.#child = fork(main, [], {
      cwd: this.#directory,
      execPath: workerNode || process.execPath,
      execArgv: [],
      env: { PATH: process.env.PATH, LITHOPS_CORPUS_WORKER: 'yes' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (answer: WorkerAnswer) => this.#pending.get(answer.id)?.(answer))
    this.#child.on('exit', code => {
      for (const [id, settle] of this.#pending) {
        settle({ id, kind: 'broken', text: `the worker process ended with exit code ${code}` })
      }
    })
  }

  get isAlive(): boolean {
    return this.#child.connected
  }

  async call(captured: CapturedFunction, args: readonly unknown[]): Promise<unknown> {
    const bundle = await captured.bundle()
    const id = this.#nextId++
    const request: WorkerRequest = {
      id,
      hash: bundle.hash,
      code: this.#sent.has(bundle.hash) ? undefined : text(await bundle.read()),
      env: text(captured.env),
      args: text(encodeValue([...args], captured.classes)),
    }
    this.#sent.add(bundle.hash)
    const answer = await new Promise<WorkerAnswer>(resolve => {
      const timer = setTimeout(() => {
        this.#child.kill('SIGKILL')
        resolve({ id, kind: 'broken', text: `no answer within ${this.#timeoutMs} ms` })
      }, this.#timeoutMs)
      this.#pending.set(id, value => {
        clearTimeout(timer)
        this.#pending.delete(id)
        resolve(value)
      })
      this.#child.send(request)
    })
    if (answer.kind === 'value') return decodeValue(Buffer.from(answer.bytes, 'base64'), captured.classes)
    if (answer.kind === 'thrown') throw decodeError(Buffer.from(answer.bytes, 'base64'), captured.classes)
    throw new WorkerBrokenError(answer.kind === 'broken' ? answer.text : answer.kind)
  }

  close(): void {
    this.#child.removeAllListeners('exit')
    this.#child.kill()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

let shared: Remote | undefined

/** Captures here, runs in the shared worker process, returns what the function returns. */
export async function ship<R>(fn: (...args: any[]) => R, ...args: unknown[]): Promise<Awaited<R>> {
  const captured = captureFunction(fn)
  if (!shared?.isAlive) shared = new Remote()
  return (await shared.call(captured, args)) as Awaited<R>
}

export function stop(): void {
  shared?.close()
  shared = undefined
}
