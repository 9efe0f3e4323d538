import type { Cancellation } from '@lithops/core/driver'
import type { Client, Dispatcher } from 'undici'

export interface HttpRequest {
  readonly path: string
  /** Names and values one after the other. */
  readonly headers: string[]
  readonly body: Buffer
  /** Milliseconds until the head of the answer must be there. */
  readonly timeoutMs: number
  readonly cancellation?: Cancellation | undefined
}

export interface HttpAnswer {
  readonly status: number
  /** By lower-case name; of answers that are no refusals, those that are asked for. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

/** A request that got no answer. */
export class RequestBroken extends Error {
  /** It was being sent, or was sent. */
  readonly wasSent: boolean

  constructor(cause: Error, wasSent: boolean) {
    super(cause.message, { cause })
    this.name = 'RequestBroken'
    this.wasSent = wasSent
  }
}

/** What becomes of an exchange. */
export interface ExchangeEnd {
  /** Its connection is free; asked in the middle of undici's own work after an answer, so that the next is sent at once. */
  readonly free: (client: Client) => void
  readonly resolve: (answer: HttpAnswer) => void
  readonly reject: (error: unknown) => void
}

const NOTHING = Buffer.alloc(0)
const FIRST_REFUSAL = 300
const WANTED = ['x-amzn-requestid', 'x-amz-request-id', 'x-amz-log-result', 'x-amz-function-error'] as const
/** Turns a capital letter of ASCII into a small one, and leaves small ones and hyphens. */
const SMALL_LETTER = 0x20

/** One request and its answer, in one object with undici's handler, since there are many. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest
  readonly #end: ExchangeEnd
  #client: Client | undefined
  /** Set once the request is being sent. */
  #abortSent: ((reason?: Error) => void) | undefined
  #status = 0
  #headers: HttpAnswer['headers'] = {}
  #first: Buffer | undefined
  #rest: Buffer[] | undefined
  #isAborted = false

  constructor(request: HttpRequest, end: ExchangeEnd) {
    this.#request = request
    this.#end = end
    if (request.cancellation !== undefined) request.cancellation.listener = reason => this.#abort(reason)
  }

  /** Nobody waits for it any more. */
  get isAborted(): boolean {
    return this.#isAborted
  }

  sendOn(client: Client): void {
    const { path, headers, body, timeoutMs } = this.#request
    this.#client = client
    // each connection has one request at a time: none blocks another
    client.dispatch({ method: 'POST', path, headers, body, headersTimeout: timeoutMs, blocking: false }, this)
  }

  /** It will not be sent. */
  refuse(error: Error): void {
    this.#unfollow()
    if (!this.#isAborted) this.#end.reject(new RequestBroken(error, false))
  }

  #abort(reason: unknown): void {
    this.#isAborted = true
    this.#abortSent?.(asError(reason))
    this.#end.reject(reason)
  }

  // undici's own form of a handler, which its newer one is wrapped into: that takes three objects more for each request,
  // and reads all headers of an answer, of which three are wanted.

  onConnect(abort: (reason?: Error) => void): void {
    this.#abortSent = abort
    if (this.#isAborted) abort(asError(this.#request.cancellation?.reason))
  }

  onHeaders(status: number, headers: readonly Buffer[]): boolean {
    this.#status = status
    this.#headers = status < FIRST_REFUSAL ? wantedHeaders(headers) : allHeaders(headers)
    return true
  }

  onData(chunk: Buffer): boolean {
    if (this.#first === undefined) this.#first = chunk
    else if (this.#rest === undefined) this.#rest = [this.#first, chunk]
    else this.#rest.push(chunk)
    return true
  }

  onComplete(): void {
    this.#unfollow()
    const body = this.#rest === undefined ? (this.#first ?? NOTHING) : Buffer.concat(this.#rest)
    this.#end.resolve({ status: this.#status, headers: this.#headers, body })
    this.#end.free(this.#client as Client)
  }

  onError(error: Error): void {
    this.#unfollow()
    if (!this.#isAborted) this.#end.reject(new RequestBroken(error, this.#abortSent !== undefined))
    // not in the middle of undici's work on a connection that is no more
    queueMicrotask(() => this.#end.free(this.#client as Client))
  }

  #unfollow(): void {
    if (this.#request.cancellation !== undefined) this.#request.cancellation.listener = undefined
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted')
}

/** Names and values one after the other. Of the others nothing is decoded. */
function wantedHeaders(raw: readonly Buffer[]): HttpAnswer['headers'] {
  const headers: Record<string, string> = {}
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = WANTED.find(wanted => isName(raw[i] as Buffer, wanted))
    if (name !== undefined) headers[name] ??= latin1(raw[i + 1] as Buffer)
  }
  return headers
}

/** The first one of several. */
function allHeaders(raw: readonly Buffer[]): HttpAnswer['headers'] {
  const headers: Record<string, string> = {}
  for (let i = 0; i + 1 < raw.length; i += 2)
    headers[latin1(raw[i] as Buffer).toLowerCase()] ??= latin1(raw[i + 1] as Buffer)
  return headers
}

function isName(bytes: Buffer, name: string): boolean {
  if (bytes.length !== name.length) return false
  for (let i = 0; i < name.length; i++)
    if (((bytes[i] as number) | SMALL_LETTER) !== name.charCodeAt(i)) return false
  return true
}

function latin1(bytes: Buffer): string {
  return bytes.toString('latin1')
}
