import type { Client } from 'undici'
import { Exchange, type HttpAnswer, type HttpRequest, RequestBroken } from './exchange.ts'

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
  readonly #waiting: Exchange[] = []
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

  /** Sends a POST. Rejects with the cancellation's reason, or with RequestBroken. */
  post(request: HttpRequest): Promise<HttpAnswer> {
    const make = this.#make
    if (make === undefined) return this.#postLater(request)
    if (request.cancellation?.isRequested) return Promise.reject(request.cancellation.reason)
    if (this.#isClosed) return Promise.reject(closedError())
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(request, { free: this.#release, resolve, reject })
      const client = this.#acquire(make)
      if (client !== undefined) return exchange.sendOn(client)
      this.#waiting.push(exchange)
      this.#growSoon()
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#growth)
    const closed = new Error('the connections are closed')
    for (const exchange of this.#waiting.splice(this.#waitingHead)) exchange.refuse(closed)
    await Promise.all([...this.#all].map(client => client.destroy().catch(() => {})))
    this.#all.clear()
  }

  async #postLater(request: HttpRequest): Promise<HttpAnswer> {
    this.#making ??= this.#loadClient()
    this.#make = await this.#making
    return this.post(request)
  }

  #acquire(make: ClientMaker): Client | undefined {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#all.size >= this.#allowed) return undefined
    const client = make()
    this.#all.add(client)
    return client
  }

  readonly #release = (client: Client): void => {
    if (this.#isClosed) return
    const next = this.#takeWaiting()
    if (next === undefined) this.#free.push(client)
    else next.sendOn(client)
  }

  #takeWaiting(): Exchange | undefined {
    while (this.#waitingHead < this.#waiting.length) {
      const next = this.#waiting[this.#waitingHead++] as Exchange
      if (this.#waitingHead > 1024 && this.#waitingHead * 2 > this.#waiting.length) {
        this.#waiting.splice(0, this.#waitingHead)
        this.#waitingHead = 0
      }
      if (!next.isAborted) return next
    }
    return undefined
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
