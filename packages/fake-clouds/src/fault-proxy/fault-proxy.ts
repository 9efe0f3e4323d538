import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, FaultScope } from './faults.ts'
import { InjectedFault } from './injected-fault.ts'
import { passBody } from './pass-body.ts'

/** A request that came by, for assertions. */
export interface SeenRequest {
  readonly method: string
  /** Path and query as sent. */
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Undefined until there is one; 0 when the connection was cut before an answer. */
  status?: number
  /** Bytes of the body that were passed on to the service. */
  sentBytes: number
}

/** What to do with a request; undefined lets it pass. */
export type Gate = (request: Readonly<SeenRequest>) => Fault | undefined

/** Headers that belong to one connection. `Expect` is answered here, so that the service never waits for it. */
const OWN_HEADERS = new Set(['connection', 'keep-alive', 'proxy-connection', 'expect'])

/**
 * An HTTP proxy before a real service that breaks what passes when it is told to. Head and body are passed on as they
 * come, `Host` included, so that signatures stay valid.
 */
export class FaultProxy implements AsyncDisposable {
  /** What clients are given instead of the service's endpoint; no slash at the end. */
  readonly url: string
  /** All requests since the start or the last `clear()`, oldest first. */
  readonly requests: SeenRequest[] = []
  readonly #target: URL
  readonly #server: Server
  readonly #sockets: Set<Socket>
  readonly #agent = new Agent({ keepAlive: true })
  readonly #gate: Gate
  #faults: InjectedFault[] = []

  private constructor(target: URL, server: Server, sockets: Set<Socket>, gate: Gate) {
    this.#gate = gate
    this.#target = target
    this.#server = server
    this.#sockets = sockets
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /**
   * Starts on a free port of the loopback. `target` is the service's endpoint, plain http. `gate` may answer a request
   * that no injected fault was for, e.g. one without a right.
   */
  static async start(options: { readonly target: string; readonly gate?: Gate }): Promise<FaultProxy> {
    const target = new URL(options.target)
    if (target.protocol !== 'http:') throw new TypeError(`FaultProxy speaks http, not ${target.protocol}`)
    const sockets = new Set<Socket>()
    let proxy: FaultProxy | undefined
    const server = createServer((incoming, response) => void proxy?.pass(incoming, response))
    server.on('connection', socket => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    server.requestTimeout = 0
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    proxy = new FaultProxy(target, server, sockets, options.gate ?? (() => undefined))
    return proxy
  }

  /** Connections of clients that are open now, idle ones included. */
  get openConnections(): number {
    return this.#sockets.size
  }

  /** The first injected fault that fits a request strikes it. Returns the fault, which counts its strikes. */
  inject(fault: Fault, scope: FaultScope = {}): InjectedFault {
    const injected = new InjectedFault(fault, scope)
    this.#faults.push(injected)
    return injected
  }

  /** Takes all faults away and forgets the requests. */
  clear(): void {
    this.#faults = []
    this.requests.length = 0
  }

  /** Cuts every connection that is open now. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** May be called twice. */
  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    this.#agent.destroy()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal */
  async pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = incoming
    const seen: SeenRequest = { method, url, headers: incoming.headers, sentBytes: 0 }
    this.requests.push(seen)
    const injected = this.#faults.find(fault => fault.meets(method, url))
    const fault = injected?.fault ?? this.#gate(seen)
    try {
      await this.#serve(incoming, response, seen, fault)
    } catch {
      // one side is gone: the other must notice it too
      cut(response)
    }
    seen.status ??= 0
  }

  async #serve(
    incoming: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    fault: Fault | undefined,
  ): Promise<void> {
    if (fault?.kind === 'refuse') return cut(response)
    if (fault?.kind === 'answer') {
      for await (const _ of incoming);
      seen.status = fault.status
      response.writeHead(fault.status, { ...fault.headers }).end(seen.method === 'HEAD' ? '' : fault.body)
      return
    }
    if (fault?.kind === 'delay') await sleep(fault.ms)
    const answered = await this.#forward(incoming, response, seen, fault)
    if (answered === undefined || fault?.kind === 'loseAnswer') {
      answered?.destroy()
      return cut(response)
    }
    seen.status = answered.statusCode ?? 0
    const changed = fault?.kind === 'changeAnswer' ? fault.headers : {}
    response.sendDate = false
    response.writeHead(seen.status, answered.statusMessage, changeHeaders(answered.rawHeaders, changed))
    response.flushHeaders()
    const limit = fault?.kind === 'cutResponse' || fault?.kind === 'stall' ? fault.afterBytes : undefined
    const isWhole = await passBody(answered, response, { limit })
    if (isWhole) response.end()
    else {
      answered.destroy()
      // not a reset: that would take away what was passed and not yet read
      if (fault?.kind === 'cutResponse') response.destroy()
    }
  }

  /** The service's answer, or undefined when the fault cut the request. */
  async #forward(
    incoming: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    fault: Fault | undefined,
  ): Promise<IncomingMessage | undefined> {
    const outgoing = request({
      host: this.#target.hostname,
      port: this.#target.port,
      method: seen.method,
      path: seen.url,
      headers: changeHeaders(incoming.rawHeaders, {}),
      agent: this.#agent,
    })
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve)
      outgoing.on('error', reject)
    })
    answered.catch(() => {})
    response.once('close', () => {
      if (!response.writableFinished) outgoing.destroy()
    })
    const limit = fault?.kind === 'cutRequest' ? fault.afterBytes : undefined
    const passing = passBody(incoming, outgoing, { limit, onBytes: count => (seen.sentBytes += count) })
    // a service may refuse before it has read everything
    const isWhole = await Promise.race([passing, answered.then(() => true)])
    passing.then(isAll => isAll && outgoing.end()).catch(() => {})
    if (isWhole) return answered
    outgoing.destroy()
    return undefined
  }
}

function cut(response: ServerResponse): void {
  response.socket?.resetAndDestroy()
}

/** Raw headers without those of the connection, with some replaced. */
function changeHeaders(raw: readonly string[], changed: Readonly<Record<string, string>>): string[] {
  const headers: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    if (OWN_HEADERS.has(name) || name in changed) continue
    headers.push(raw[i] as string, raw[i + 1] as string)
  }
  return [...headers, ...Object.entries(changed).flat()]
}
