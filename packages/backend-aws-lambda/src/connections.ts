import type { Client } from 'undici'

/** Connections that are opened at once, and how many more after each pause while requests wait. */
const FIRST_CONNECTIONS = 64
const MORE_CONNECTIONS = 64
const GROWTH_PAUSE_MS = 10
/** Handshakes cost the client about a millisecond each: beyond this, only requests that take long are worth more. */
const QUICK_CONNECTIONS = 256
const SLOW_GROWTH_PAUSE_MS = 40
/** An idle connection is closed before the other side may do so, which would lose a request. */
const IDLE_MS = 20_000
const CONNECT_TIMEOUT_MS = 10_000
/** A NAT forgets connections that are silent for some minutes (that of AWS after 350 s), while a function runs. */
const KEEP_ALIVE_AFTER_MS = 60_000

export interface HttpRequest {
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string
  /** Milliseconds until the head of the answer must be there. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
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

type ClientMaker = () => Client

/**
 * HTTP/1.1 connections to one origin, one request at a time on each, the last one used first. There are as many as are
 * needed: few for quick requests, up to the most for those that take long. Nothing is sent a second time.
 */
export class Connections {
  readonly #origin: URL
  readonly #most: number
  readonly #free: Client[] = []
  readonly #all = new Set<Client>()
  readonly #waiting: {
    readonly resolve: (client: Client) => void
    readonly reject: (error: Error) => void
  }[] = []
  #waitingHead = 0
  #allowed: number
  #growth: NodeJS.Timeout | undefined
  #make: ClientMaker | undefined
  #making: Promise<ClientMaker> | undefined
  #isClosed = false

  constructor(origin: URL, most: number) {
    this.#origin = origin
    this.#most = most
    this.#allowed = Math.min(most, FIRST_CONNECTIONS)
  }

  /** Connections that are there. */
  get size(): number {
    return this.#all.size
  }

  /** Sends a POST. Rejects with the signal's reason, or with RequestBroken. */
  async post(request: HttpRequest): Promise<HttpAnswer> {
    if (this.#make === undefined) {
      this.#making ??= this.#loadClient()
      this.#make = await this.#making
    }
    request.signal?.throwIfAborted()
    if (this.#isClosed) throw closedError()
    const client = this.#acquire(this.#make) ?? (await this.#turn())
    try {
      request.signal?.throwIfAborted()
      return await send(client, request)
    } finally {
      this.#release(client)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#growth)
    for (const { reject } of this.#waiting.splice(this.#waitingHead)) reject(closedError())
    await Promise.all([...this.#all].map(client => client.destroy().catch(() => {})))
    this.#all.clear()
  }

  #acquire(make: ClientMaker): Client | undefined {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#all.size >= this.#allowed) return undefined
    const client = make()
    this.#all.add(client)
    return client
  }

  #turn(): Promise<Client> {
    this.#growSoon()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  #release(client: Client): void {
    const next = this.#waiting[this.#waitingHead]
    if (next === undefined) {
      this.#free.push(client)
      return
    }
    this.#waitingHead++
    if (this.#waitingHead > 1024 && this.#waitingHead * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#waitingHead)
      this.#waitingHead = 0
    }
    next.resolve(client)
  }

  #growSoon(): void {
    if (this.#growth !== undefined || this.#allowed >= this.#most || this.#isClosed) return
    const pause = this.#allowed < QUICK_CONNECTIONS ? GROWTH_PAUSE_MS : SLOW_GROWTH_PAUSE_MS
    this.#growth = setTimeout(() => {
      this.#growth = undefined
      if (this.#waitingHead >= this.#waiting.length || this.#make === undefined) return
      this.#allowed = Math.min(this.#most, this.#allowed + MORE_CONNECTIONS)
      while (this.#waitingHead < this.#waiting.length) {
        const client = this.#acquire(this.#make)
        if (client === undefined) break
        this.#release(client)
      }
      if (this.#waitingHead < this.#waiting.length) this.#growSoon()
    }, pause)
  }

  async #loadClient(): Promise<ClientMaker> {
    const { buildConnector, Client } = await import('undici')
    // one for all, so that later connections resume the TLS session of the first
    const connect = buildConnector({
      timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
      allowH2: false,
    })
    return () =>
      new Client(this.#origin, {
        connect,
        pipelining: 1,
        keepAliveTimeout: IDLE_MS,
        keepAliveMaxTimeout: IDLE_MS,
        // each request has its own
        headersTimeout: 0,
        bodyTimeout: 60_000,
      })
  }
}

function closedError(): RequestBroken {
  return new RequestBroken(new Error('the connections are closed'), false)
}

function send(client: Client, { path, headers, body, timeoutMs, signal }: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let wasSent = false
    let status = 0
    let head: HttpAnswer['headers'] = {}
    let first: Buffer | undefined
    let rest: Buffer[] | undefined
    let stop: ((reason: Error) => void) | undefined
    const onAbort = () => {
      const reason = signal?.reason instanceof Error ? signal.reason : new Error('aborted')
      stop?.(reason)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    client.dispatch(
      { method: 'POST', path, headers, body, headersTimeout: timeoutMs },
      {
        onRequestStart(controller) {
          wasSent = true
          stop = reason => controller.abort(reason)
          if (signal?.aborted) controller.abort(signal.reason)
        },
        onResponseStart(_controller, statusCode, responseHeaders) {
          status = statusCode
          head = responseHeaders
        },
        onResponseData(_controller, chunk) {
          if (first === undefined) first = chunk
          else if (rest === undefined) rest = [first, chunk]
          else rest.push(chunk)
        },
        onResponseEnd() {
          signal?.removeEventListener('abort', onAbort)
          resolve({
            status,
            headers: head,
            body: rest === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(rest),
          })
        },
        onResponseError(_controller, error) {
          signal?.removeEventListener('abort', onAbort)
          reject(signal?.aborted ? signal.reason : new RequestBroken(error, wasSent))
        },
      },
    )
  })
}
