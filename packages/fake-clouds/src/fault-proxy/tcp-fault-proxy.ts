import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Where bytes go: from the client to the service, or back. */
export type Direction = 'toService' | 'toClient'

/** Passes so many bytes in a direction, counted over all connections from now on, and then cuts or stalls that connection. */
export interface TcpFault {
  readonly kind: 'cut' | 'stall'
  readonly direction: Direction
  readonly afterBytes: number
}

/** A proxy for protocols that are not HTTP: bytes are passed as they come until a fault strikes. */
export class TcpFaultProxy implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly port: number
  /** How many faults have struck. */
  strikes = 0
  readonly #server: Server
  readonly #target: { readonly host: string; readonly port: number }
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  readonly #silent = new WeakSet<readonly [Socket, Socket]>()
  #faults: { readonly fault: TcpFault; left: number }[] = []
  #isRefusing = false

  private constructor(server: Server, target: { readonly host: string; readonly port: number }) {
    this.#server = server
    this.#target = target
    this.port = (server.address() as AddressInfo).port
    server.on('connection', client => this.#connect(client))
  }

  static async start(options: { readonly host?: string; readonly port: number }): Promise<TcpFaultProxy> {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return new TcpFaultProxy(server, { host: '127.0.0.1', ...options })
  }

  get openConnections(): number {
    return this.#pairs.size
  }

  inject(fault: TcpFault): void {
    this.#faults.push({ fault, left: fault.afterBytes })
  }

  /** New connections are cut at once, until it is told otherwise. */
  refuse(isRefusing = true): void {
    this.#isRefusing = isRefusing
  }

  clear(): void {
    this.#faults = []
    this.#isRefusing = false
    this.strikes = 0
  }

  /** Cuts every connection that is open now. */
  cutAll(): void {
    for (const pair of this.#pairs) cutPair(pair)
  }

  /**
   * Passes nothing more on the connections that are open now, and tells neither side when the other leaves: as networks do that
   * forget a connection.
   */
  silenceAll(): void {
    for (const pair of this.#pairs) this.#silent.add(pair)
  }

  /** May be called twice. */
  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    this.cutAll()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #connect(client: Socket): void {
    if (this.#isRefusing) {
      client.resetAndDestroy()
      return
    }
    const service = connect(this.#target)
    const pair = [client, service] as const
    this.#pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => {
        if (!this.#silent.has(pair)) cutPair(pair)
      })
      socket.on('close', () => {
        if (this.#silent.has(pair) && !pair.every(({ closed }) => closed)) return
        this.#pairs.delete(pair)
        for (const other of pair) other.destroy()
      })
    }
    client.on('data', bytes => this.#pass(bytes, pair, 'toService'))
    service.on('data', bytes => this.#pass(bytes, pair, 'toClient'))
    client.on('end', () => !this.#silent.has(pair) && service.end())
    service.on('end', () => !this.#silent.has(pair) && client.end())
  }

  #pass(bytes: Buffer, pair: readonly [Socket, Socket], direction: Direction): void {
    const [client, service] = pair
    if (this.#silent.has(pair)) return
    const [from, to] = direction === 'toService' ? [client, service] : [service, client]
    const armed = this.#faults.find(({ fault }) => fault.direction === direction)
    if (armed !== undefined && bytes.length >= armed.left) {
      this.#faults = this.#faults.filter(other => other !== armed)
      this.strikes++
      from.pause()
      to.write(bytes.subarray(0, armed.left), () => armed.fault.kind === 'cut' && cutPair(pair))
      return
    }
    if (armed !== undefined) armed.left -= bytes.length
    if (!to.write(bytes)) {
      from.pause()
      to.once('drain', () => from.resume())
    }
  }
}

/** Without a reset, which would take away what was passed and not yet read. */
function cutPair(pair: readonly [Socket, Socket]): void {
  for (const socket of pair) socket.destroy()
}
