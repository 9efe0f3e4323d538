import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Duplex, Readable } from 'node:stream'
import { type CallError, CallOutOfMemoryError, CallTimeoutError, WorkerLostError } from '../errors/index.ts'
import { SlotMessage, SlotMessageReader, slotMessageHead } from './slot-channel.ts'

/** A call gets this much more than its timeout before its process is killed: the worker itself may end it in order. */
const KILL_GRACE_MS = 250
/** How often the memory of a worker is looked at: to hold it to its limit, or only to tell of it if the worker dies. */
const MEMORY_SAMPLE_MS = { limited: 50, unlimited: 250 }
/** Node's own code, stacks and young generation, which a limit of the worker's memory does not count. */
const NODE_OVERHEAD_MIB = 128
/** Kept of what native code and V8 write to the worker's own streams. */
const OUTPUT_TAIL_BYTES = 16 * 1024

export interface WorkerProcessOptions {
  /** Node binary. */
  readonly execPath: string
  /** The built worker, dist/localhost/slot-main.cjs. */
  readonly mainFile: string
  /** Heap limit in MiB; undefined leaves it to Node. */
  readonly memoryMiB: number | undefined
  readonly environment: NodeJS.ProcessEnv
  /** The process has ended; it is not usable from now on. */
  readonly onExit: (worker: WorkerProcess) => void
}

/** What one activation in a worker process tells. Exactly one of `done` and `lost` is called, once. */
export interface ActivationEvents {
  frames(frames: Uint8Array): void
  done(): void
  /** `isBegun` is false where nothing of the activation has run: the worker died idle, or of the one before it. */
  lost(error: CallError, isBegun: boolean): void
}

interface GivenActivation {
  readonly events: ActivationEvents
  readonly callTimeoutMs: number
  /** The worker has told something of it. */
  isBegun: boolean
  /** Nobody waits for its end. */
  isAbandoned: boolean
}

/** The client's half of one worker process: one activation at a time, and one more that waits for its end. */
export class WorkerProcess {
  readonly memoryMiB: number | undefined
  readonly #child: ChildProcess
  readonly #pipe: Duplex
  readonly #onExit: (worker: WorkerProcess) => void
  #running: GivenActivation | undefined
  /** Sent already, so that the worker goes on with it at once. */
  #next: GivenActivation | undefined
  #progressAt = 0
  #timeoutTimer: NodeJS.Timeout | undefined
  #memoryTimer: NodeJS.Timeout | undefined
  #peakMemoryKib = 0
  #sampledAt = Number.NEGATIVE_INFINITY
  #outputTail = ''
  #killedBecause: 'timeout' | 'memory' | 'closed' | undefined
  #exitedWith: number | undefined
  #hasExited = false
  #hasServed = false
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>

  constructor(options: WorkerProcessOptions) {
    this.memoryMiB = options.memoryMiB
    this.#onExit = options.onExit
    const heap = options.memoryMiB === undefined ? [] : [`--max-old-space-size=${options.memoryMiB}`]
    this.#child = spawn(options.execPath, [...heap, options.mainFile], {
      // on Windows both ends must read and write at once without waiting for each other; elsewhere this is 'pipe'
      stdio: ['ignore', 'pipe', 'pipe', 'overlapped'],
      env: options.environment,
      windowsHide: true,
    })
    this.#pipe = this.#child.stdio[3] as Duplex
    const reader = new SlotMessageReader((kind, payload) => this.#onMessage(kind, payload))
    this.#pipe.on('data', (chunk: Buffer) => reader.push(chunk))
    this.#pipe.on('error', () => {}) // a write to a process that has just died; 'close' tells the rest
    for (const stream of [this.#child.stdout, this.#child.stderr] as Readable[]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#outputTail = (this.#outputTail + text).slice(-OUTPUT_TAIL_BYTES)
      })
    }
    this.exited = new Promise(resolve => {
      let startError: Error | undefined
      this.#child.once('error', error => {
        startError = error
        if (this.#child.pid === undefined) end(null, null)
      })
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        if (this.#hasExited) return
        this.#hasExited = true
        this.#stopTimers()
        const running = this.#running
        const next = this.#next
        this.#running = undefined
        this.#next = undefined
        this.#onExit(this)
        const isBegun = running?.isBegun !== false || !this.#hasServed || this.#killedBecause !== undefined
        const error = this.#lostError(code, signal, startError)
        running?.events.lost(error, isBegun)
        next?.events.lost(error, false)
        resolve()
      }
      this.#child.once('close', end)
    })
    this.#unref()
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get isIdle(): boolean {
    return this.#running === undefined && !this.#hasExited && this.#killedBecause === undefined
  }

  /** Runs something, and nothing waits for its end yet. */
  get takesNext(): boolean {
    return this.#running !== undefined && this.#next === undefined && this.#killedBecause === undefined
  }

  /** Starts an activation, or has it wait for the end of the one that runs. Only while `isIdle` or `takesNext`. */
  activate(payload: Uint8Array, callTimeoutMs: number, events: ActivationEvents): void {
    const given: GivenActivation = { events, callTimeoutMs, isBegun: false, isAbandoned: false }
    this.#pipe.cork()
    this.#pipe.write(slotMessageHead(SlotMessage.activate, payload.length))
    this.#pipe.write(payload)
    this.#pipe.uncork()
    if (this.#running !== undefined) {
      this.#next = given
      return
    }
    this.#running = given
    this.#progressAt = performance.now()
    this.#ref()
    this.#watch()
  }

  /** Nobody waits any more for what it was given with these events: it is lost, and its process with it. */
  abandon(events: ActivationEvents): void {
    if (this.#next?.events === events) this.#next.isAbandoned = true
    else this.kill('closed')
  }

  /** Tells the worker what `encodeSecrets` made, for the activations that come after. */
  giveSecrets(encoded: string): void {
    const payload = Buffer.from(encoded)
    this.#pipe.write(slotMessageHead(SlotMessage.secrets, payload.length))
    this.#pipe.write(payload)
  }

  /** Ends the process at once. What runs in it is lost with the reason given. */
  kill(reason: 'timeout' | 'memory' | 'closed'): void {
    if (this.#hasExited) return
    this.#killedBecause ??= reason
    this.#ref() // the program may wait for the end of an idle worker
    this.#child.kill('SIGKILL')
  }

  #onMessage(kind: number, payload: Buffer): void {
    if (kind !== SlotMessage.log) this.#progressAt = performance.now()
    const running = this.#running
    if (running !== undefined) running.isBegun = true
    switch (kind) {
      case SlotMessage.frames:
      case SlotMessage.log:
        running?.events.frames(payload)
        break
      case SlotMessage.poisoned:
        // the activation ends in order with the message that follows; the process must not be used again
        this.#killedBecause = 'closed'
        break
      case SlotMessage.done:
        this.#hasServed = true
        this.#running = undefined
        this.#goOn()
        running?.events.done()
        break
      case SlotMessage.exiting:
        this.#exitedWith = payload[0]
        break
    }
  }

  /** After the end of an activation. */
  #goOn(): void {
    if (this.#next?.isAbandoned) this.#killedBecause ??= 'closed'
    if (this.#killedBecause !== undefined || this.#next === undefined) {
      this.#stopTimers()
      if (this.#killedBecause === undefined) this.#unref()
      else this.#child.kill('SIGKILL')
      return
    }
    this.#running = this.#next
    this.#next = undefined
    this.#watch()
  }

  #watch(): void {
    const { callTimeoutMs } = this.#running as GivenActivation
    if (this.#timeoutTimer === undefined && Number.isFinite(callTimeoutMs)) this.#armTimeout(callTimeoutMs)
    if (this.#memoryTimer === undefined && process.platform === 'linux') {
      // a worker that dies within its first moments has a peak to tell of too
      const everyMs = MEMORY_SAMPLE_MS[this.memoryMiB === undefined ? 'unlimited' : 'limited']
      if (performance.now() - this.#sampledAt > everyMs) this.#sampleMemory()
      this.#memoryTimer = setInterval(() => this.#sampleMemory(), everyMs)
      this.#memoryTimer.unref()
    }
  }

  #armTimeout(callTimeoutMs: number): void {
    const left = this.#progressAt + callTimeoutMs + KILL_GRACE_MS - performance.now()
    this.#timeoutTimer = setTimeout(
      () => {
        this.#timeoutTimer = undefined
        const running = this.#running
        if (running === undefined) return
        if (performance.now() - this.#progressAt >= running.callTimeoutMs + KILL_GRACE_MS)
          this.kill('timeout')
        else this.#armTimeout(running.callTimeoutMs)
      },
      Math.min(Math.max(left, 1), 2 ** 31 - 1),
    )
    this.#timeoutTimer.unref()
  }

  /**
   * V8 holds the heap to the limit; buffers and native memory are held to it here, on Linux, where looking is cheap.
   */
  #sampleMemory(): void {
    this.#sampledAt = performance.now()
    let status: string
    try {
      status = readFileSync(`/proc/${this.#child.pid}/status`, 'latin1')
    } catch {
      return // the process has just ended
    }
    this.#peakMemoryKib = kibOf(status, 'VmHWM') ?? this.#peakMemoryKib
    const nowKib = kibOf(status, 'VmRSS') ?? 0
    if (this.memoryMiB !== undefined && nowKib / 1024 > this.memoryMiB + NODE_OVERHEAD_MIB)
      this.kill('memory')
  }

  #stopTimers(): void {
    clearTimeout(this.#timeoutTimer)
    clearInterval(this.#memoryTimer)
    this.#timeoutTimer = undefined
    this.#memoryTimer = undefined
  }

  #lostError(code: number | null, signal: NodeJS.Signals | null, startError: Error | undefined): CallError {
    const tail = tellingLines(this.#outputTail)
    const details = {
      pid: this.#child.pid,
      exitCode: code ?? this.#exitedWith,
      signal: signal ?? undefined,
      peakMemoryMiB: this.#peakMemoryMib(),
      output: tail === '' ? undefined : tail,
    }
    const memory =
      details.peakMemoryMiB === undefined ? '' : ` Its peak memory was ${details.peakMemoryMiB} MiB.`
    if (startError !== undefined) {
      return new WorkerLostError(`The worker process could not be started: ${startError.message}`, {
        cause: startError,
        isRetryable: false,
      })
    }
    if (this.#killedBecause === 'timeout') {
      return new CallTimeoutError(`The function did not return within its timeout and was killed.${memory}`, {
        details,
      })
    }
    const isHeap = /heap out of memory|Reached heap limit/.test(this.#outputTail)
    if (isHeap || this.#killedBecause === 'memory') {
      const limit = this.memoryMiB === undefined ? '' : ` of ${this.memoryMiB} MiB`
      const what = isHeap ? 'its heap reached the limit' : 'with its buffers it went over the limit'
      return new CallOutOfMemoryError(
        `The worker ran out of memory: ${what}${limit}.${memory} Give it more with the option runtimeMemoryMiB.`,
        { details, isRetryable: true },
      )
    }
    const exitCode = details.exitCode
    const how =
      signal === null
        ? `exited with code ${exitCode}${this.#exitedWith === undefined ? '' : ' because the function called process.exit'}`
        : signal === 'SIGKILL'
          ? 'was killed by SIGKILL (by somebody, or by the kernel for want of memory)'
          : `crashed with ${signal}`
    return new WorkerLostError(`The worker process ${how} during the call.${memory}`, { details })
  }

  #peakMemoryMib(): number | undefined {
    // V8 prints the heap of the last collections when it gives up: "… 4033.5 (4130.4) -> …"
    let heapMib = 0
    for (const match of this.#outputTail.matchAll(/ms: [\w-]+(?: \([^)]*\))? ([\d.]+) \(/g)) {
      heapMib = Math.max(heapMib, Number(match[1]))
    }
    const peak = Math.max(this.#peakMemoryKib / 1024, heapMib)
    return peak === 0 ? undefined : Math.round(peak)
  }

  // An idle worker does not keep the program alive; one with an activation, or one whose end is awaited, does.
  #ref(): void {
    this.#child.ref()
    for (const stream of this.#streams()) stream.ref?.()
  }

  #unref(): void {
    this.#child.unref()
    for (const stream of this.#streams()) stream.unref?.()
  }

  #streams(): { ref?(): void; unref?(): void }[] {
    return [this.#pipe, this.#child.stdout, this.#child.stderr] as { ref?(): void; unref?(): void }[]
  }
}

/** A line of /proc/<pid>/status, such as "VmHWM:  51234 kB". */
function kibOf(status: string, name: string): number | undefined {
  const line = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)
  return line === null ? undefined : Number(line[1])
}

/** What was written to the process's own streams, without V8's native frames and collection log. */
function tellingLines(output: string): string {
  return output
    .split('\n')
    .filter(line => line.trim() !== '' && !/^\s*\d+: 0x|^\[\d+:0x|^-----|^<---|^\s*\d+: .*\(/.test(line))
    .join('\n')
}
