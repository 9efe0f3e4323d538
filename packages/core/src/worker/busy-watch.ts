import { writeSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { nodeThreads } from '../builtins.ts'
import { TIMEOUT_MARK } from '../driver/worker-marks.ts'

/** Ends a process by default, and no program listens to it: the platform's report tells it from a crash or a kill. */
const TIMEOUT_SIGNAL = 'SIGALRM'
/** A call gets this much more than its timeout: the worker itself may end it in order. */
const GRACE_MS = 250
/** Node itself needs more than 4 to start a thread. */
const THREAD_HEAP_MIB = 16

/** Words of the shared memory: [0] counts changes, [1] the call's id, [2] its mark; then deadline and timeout in ms. */
const SHARED_BYTES = 32

/** Runs in a thread of its own: it must not need the event loop that may be blocked. */
const WATCHER = `
const { workerData: { buffer, mark, signal } } = require('node:worker_threads')
const { writeSync } = require('node:fs')
const words = new Int32Array(buffer, 0, 3), times = new Float64Array(buffer, 16, 2)
for (;;) {
  const seen = Atomics.load(words, 0), deadline = times[0]
  const left = deadline === 0 ? Infinity : deadline - Number(process.hrtime.bigint() / 1000000n)
  if (left > 0) { Atomics.wait(words, 0, seen, left); continue }
  if (Atomics.load(words, 0) !== seen) continue
  const which = words[2] === 0 ? '' : ' (activation ' + words[2] + ')'
  try { writeSync(2, mark + ' of ' + times[1] + ' ms: call ' + words[1] + ' never let go' + which + '\\n') } catch {}
  process.kill(process.pid, signal)
  Atomics.wait(words, 0, seen, 100)
  process.kill(process.pid, 'SIGKILL')
}`

interface WatchedCall {
  readonly callId: number
  readonly timeoutMs: number
  readonly deadlineMs: number
  readonly activation: number
}

/** Ends this process when a call that blocks the event loop is over its timeout, or keeps another from ending at its own. */
export class BusyWatch {
  readonly #buffer = new SharedArrayBuffer(SHARED_BYTES)
  readonly #words = new Int32Array(this.#buffer, 0, 3)
  readonly #times = new Float64Array(this.#buffer, 16, 2)
  readonly #calls = new Map<object, WatchedCall>()
  #thread: Worker | undefined

  /**
   * A call begins that may take so long. The first one starts the thread. `activation`, when it is not 0, is said with the
   * call's id where several run at once.
   */
  begin(call: { readonly callId: number }, timeoutMs: number, activation = 0): void {
    const deadlineMs = Number(process.hrtime.bigint() / 1_000_000n) + timeoutMs + GRACE_MS
    this.#calls.set(call, { callId: call.callId, timeoutMs, deadlineMs, activation })
    this.#watchFirst()
    this.#thread ??= this.#start()
  }

  /** It has ended. */
  end(call: object): void {
    if (this.#calls.delete(call)) this.#watchFirst()
  }

  async close(): Promise<void> {
    this.#calls.clear()
    this.#watchFirst()
    await this.#thread?.terminate()
    this.#thread = undefined
  }

  /** Of all calls, the one whose time is up first. */
  #watchFirst(): void {
    let first: WatchedCall | undefined
    for (const call of this.#calls.values())
      if (first === undefined || call.deadlineMs < first.deadlineMs) first = call
    this.#words[1] = first?.callId ?? 0
    this.#words[2] = first?.activation ?? 0
    this.#times[1] = first?.timeoutMs ?? 0
    this.#times[0] = first?.deadlineMs ?? 0
    Atomics.add(this.#words, 0, 1)
    Atomics.notify(this.#words, 0)
  }

  #start(): Worker {
    const thread = new (nodeThreads().Worker)(WATCHER, {
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
