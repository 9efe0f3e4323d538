import type { LogSink } from '../logs/log-store.ts'
import type { Outcome } from './outcome.ts'

/** What LogType Tail gives back. From: the Invoke operation of the Lambda API reference. */
const TAIL_BYTES = 4096

export interface InvocationReport {
  readonly outcome: Outcome
  readonly durationMs: number
  readonly billedMs: number
  /** Only of the call that a new environment was started for. */
  readonly initMs?: number
  readonly maxMemoryMB: number
  /** The last 4 KB of what was logged. */
  readonly tail: Buffer
}

/** What one call logs, between the lines that Lambda adds. */
export class InvocationLog {
  readonly #requestId: string
  readonly #memoryMB: number
  readonly #log: LogSink
  readonly #startedAt = performance.now()
  #tail = ''

  constructor(options: {
    readonly requestId: string
    readonly version: string
    readonly memoryMB: number
    readonly log: LogSink
  }) {
    this.#requestId = options.requestId
    this.#memoryMB = options.memoryMB
    this.#log = options.log
    this.write(`START RequestId: ${options.requestId} Version: ${options.version}\n`)
  }

  write(text: string): void {
    this.#log.write(text)
    // more than is given back, but not all of what a function may write
    this.#tail = (this.#tail + text).slice(-2 * TAIL_BYTES)
  }

  timedOut(timeoutS: number): void {
    const now = new Date().toISOString()
    this.write(`${now} ${this.#requestId} Task timed out after ${timeoutS.toFixed(2)} seconds\n\n`)
  }

  /** Writes the last lines. The initialization is billed since August 2025. */
  report(
    outcome: Outcome,
    { maxMemoryMB, initMs }: { readonly maxMemoryMB: number; readonly initMs?: number },
  ): InvocationReport {
    const durationMs = performance.now() - this.#startedAt
    const billedMs = Math.ceil(durationMs + (initMs ?? 0))
    this.write(`END RequestId: ${this.#requestId}\n`)
    const parts = [
      `REPORT RequestId: ${this.#requestId}`,
      `Duration: ${durationMs.toFixed(2)} ms`,
      `Billed Duration: ${billedMs} ms`,
      `Memory Size: ${this.#memoryMB} MB`,
      `Max Memory Used: ${maxMemoryMB} MB`,
      ...(initMs === undefined ? [] : [`Init Duration: ${initMs.toFixed(2)} ms`]),
      ...(outcome.status === undefined ? [] : [`Status: ${outcome.status}`]),
      ...(outcome.status === 'error' ? [`Error Type: ${outcome.errorType}`] : []),
    ]
    this.write(`${parts.join('\t')}\t\n`)
    const tail = Buffer.from(this.#tail).subarray(-TAIL_BYTES)
    return { outcome, durationMs, billedMs, maxMemoryMB, tail, ...(initMs !== undefined && { initMs }) }
  }
}
