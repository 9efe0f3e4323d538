import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'

/** Enough for a program that reads many objects at once. */
const MAX_SOCKETS = 128
const IDLE_TIMEOUT_MS = 60_000

/**
 * Connections of one storage to its service, for SDKs that take agents of Node: kept open for the next request, cut when
 * they are silent for too long, which SDKs do not notice, and gone with `close()`.
 */
export class HttpAgents {
  readonly http: HttpAgent
  readonly https: HttpsAgent

  /** `idleTimeoutMs`: how long a connection may be silent before it counts as broken. Default: 60,000. */
  constructor(options: { readonly idleTimeoutMs?: number } = {}) {
    const { idleTimeoutMs = IDLE_TIMEOUT_MS } = options
    const settings = { keepAlive: true, maxSockets: MAX_SOCKETS, timeout: idleTimeoutMs }
    this.http = cuttingSilence(new HttpAgent(settings), idleTimeoutMs)
    this.https = cuttingSilence(new HttpsAgent(settings), idleTimeoutMs)
  }

  /** May be called twice. Requests under way are cut. */
  close(): void {
    this.http.destroy()
    this.https.destroy()
  }
}

interface Connecting {
  createConnection(...args: unknown[]): Socket
}

function cuttingSilence<A extends HttpAgent>(agent: A, idleTimeoutMs: number): A {
  const connecting = agent as unknown as Connecting
  const connect = connecting.createConnection.bind(agent)
  connecting.createConnection = (...args) => {
    const socket = connect(...args)
    socket.on('timeout', () => {
      // A service's Keep-Alive header says how long an idle connection lasts. Node leaves that time on the socket for the
      // next request too, where it says nothing; idle connections Node has closed by itself before this is asked.
      if (socket.timeout !== idleTimeoutMs) {
        socket.setTimeout(idleTimeoutMs)
        return
      }
      const error = new Error(`the connection was silent for ${idleTimeoutMs} ms`)
      socket.destroy(Object.assign(error, { code: 'ETIMEDOUT' }))
    })
    return socket
  }
  return agent
}
