import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('invoke-stub-main.mjs', import.meta.url))

export interface InvokeStubOptions {
  /** From the last byte of a request until its answer. Default: 50. */
  readonly delayMs?: number
  /** Module that exports `reply(body, headers)`, which returns the body of an answer. Default: '{}' is answered. */
  readonly reply?: URL
}

export interface InvokeStubStats {
  readonly requests: number
  /** Connections that were opened. */
  readonly connections: number
  readonly peakConcurrency: number
  readonly bodyBytes: number
  /** From the first request to the last one. */
  readonly arrivalSpanMs: number
  /** Of the stub itself. */
  readonly cpuMs: number
}

/**
 * Answers Lambda's Invoke after a fixed time, in a process of its own, over TLS with HTTP/1.1: for measuring what a client
 * costs. Nothing is checked and nothing is run.
 */
export class InvokeStub implements AsyncDisposable {
  /** Endpoint over TLS. */
  readonly url: string
  /** Endpoint without. */
  readonly httpUrl: string
  /** Of the TLS endpoint, made at the start; PEM, to be trusted as it is. */
  readonly certificate: string
  readonly #child: ChildProcess

  private constructor(
    child: ChildProcess,
    ready: { readonly https: number; readonly http: number; readonly certificate: string },
  ) {
    this.#child = child
    this.url = `https://127.0.0.1:${ready.https}`
    this.httpUrl = `http://127.0.0.1:${ready.http}`
    this.certificate = ready.certificate
  }

  static async start(options: InvokeStubOptions = {}): Promise<InvokeStub> {
    const { delayMs = 50, reply } = options
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify({ delayMs, reply: reply?.href })], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })
    const line = once(lines, 'line').then(([text]: string[]) => String(text))
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`the Invoke stub ended with ${code}`)
    })
    // after the start it may end as it likes
    exited.catch(() => {})
    return new InvokeStub(child, JSON.parse(await Promise.race([line, exited])))
  }

  /** Counters since the start or the last time that they were taken. */
  async takeStats(): Promise<InvokeStubStats> {
    return (await (await fetch(`${this.httpUrl}/stats`)).json()) as InvokeStubStats
  }

  /** May be called twice. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.stdin?.end()
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
