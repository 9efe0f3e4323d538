import { writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { TIMEOUT_MARK } from '../driver/worker-marks.ts'

/** Ends a process by default, and no program listens to it: the platform's report tells it from a crash or a kill. */
const TIMEOUT_SIGNAL = 'SIGALRM'
/** A call gets this much more than its timeout: the worker itself may end it in order. */
const GRACE_MS = 250
/** Node itself needs more than 4 to start a thread. */
const THREAD_HEAP_MIB = 16

/** Words of the shared memory: [0] counts changes, [1] the call's id; then two numbers: deadline and timeout in ms. */
const SHARED_BYTES = 24

/** Runs in a thread of its own: it must not need the event loop that may be blocked. */
const WATCHER = `
const { workerData: { buffer, mark, signal } } = require('node:worker_threads')
const { writeSync } = require('node:fs')
const words = new Int32Array(buffer, 0, 2), times = new Float64Array(buffer, 8, 2)
for (;;) {
  const seen = Atomics.load(words, 0), deadline = times[0]
  const left = deadline === 0 ? Infinity : deadline - Number(process.hrtime.bigint() / 1000000n)
  if (left > 0) { Atomics.wait(words, 0, seen, left); continue }
  if (Atomics.load(words, 0) !== seen) continue
  try { writeSync(2, mark + ' of ' + times[1] + ' ms: call ' + words[1] + ' never let go\\n') } catch {}
  process.kill(process.pid, signal)
  Atomics.wait(words, 0, seen, 100)
  process.kill(process.pid, 'SIGKILL')
}`

/** Ends this process when a call that blocks the event loop is over its timeout. */
export class BusyWatch {
  readonly #buffer = new SharedArrayBuffer(SHARED_BYTES)
  readonly #words = new Int32Array(this.#buffer, 0, 2)
  readonly #times = new Float64Array(this.#buffer, 8, 2)
  #thread: Worker | undefined

  /** A call begins that may take so long. The first one starts the thread. */
  begin(callId: number, timeoutMs: number): void {
    this.#words[1] = callId
    this.#times[1] = timeoutMs
    this.#set(Number(process.hrtime.bigint() / 1_000_000n) + timeoutMs + GRACE_MS)
    this.#thread ??= this.#start()
  }

  /** It has ended. */
  end(): void {
    if (this.#times[0] !== 0) this.#set(0)
  }

  async close(): Promise<void> {
    this.end()
    await this.#thread?.terminate()
    this.#thread = undefined
  }

  #set(deadlineMs: number): void {
    this.#times[0] = deadlineMs
    Atomics.add(this.#words, 0, 1)
    Atomics.notify(this.#words, 0)
  }

  #start(): Worker {
    const thread = new Worker(WATCHER, {
      eval: true,
      env: {},
      execArgv: [],
      workerData: { buffer: this.#buffer, mark: TIMEOUT_MARK, signal: TIMEOUT_SIGNAL },
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MIB },
    })
    thread.on('error', () => {}) // without it, the platform's own time limit ends such calls
    thread.unref()
    return thread
  }
}

/** Ends this process because a function did not stop at its timeout and may still be running. */
export function endAtTimeout(callId: number, timeoutMs: number | undefined): void {
  try {
    writeSync(2, `${TIMEOUT_MARK} of ${timeoutMs} ms: call ${callId} did not stop\n`)
  } catch {
    // the signal says the same
  }
  process.kill(process.pid, TIMEOUT_SIGNAL)
}
