import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { PROTOCOL_VERSION } from '@lithops/core/worker/constants'
import {
  type ActivationError,
  DEFAULT_HEARTBEAT_MS,
  DISCONNECT_HEADER,
  ERROR_STATUS,
  HEARTBEAT_HEADER,
  MAX_MESSAGE_BYTES,
  MIN_HEARTBEAT_MS,
  WORKER_HEADER,
  type WorkerState,
} from '../http-protocol.ts'
import { answerJson, Reply } from './reply.ts'
import type { WorkerSettings } from './settings.ts'
import type { WorkerPool } from './worker-pool.ts'

/**
 * Longer than proxies keep idle connections, so that they are never closed under a request. From: "Timeouts and retries" of
 * Google's load balancers, which keep them for 600 seconds; Envoy's default is one hour, and it closes first with `idle`.
 */
const KEEP_ALIVE_MS = 620_000
/** What the last answers have to leave the process. */
const LAST_ANSWERS_MS = 500
const HEALTH_PATHS = new Set(['/', '/healthz'])

/** A worker that listens. */
export interface HttpWorker {
  /** Resolves with the port when it listens; rejects when it cannot. */
  readonly listening: Promise<number>
  /** Takes nothing more, ends what runs within the grace, and closes. Resolves when everything is gone. */
  end(): Promise<void>
}

export interface HttpWorkerOptions {
  readonly settings: WorkerSettings
  readonly pool: WorkerPool
  /** Requests that it denies are answered with 401. */
  readonly mayEnter: (headers: IncomingHttpHeaders) => boolean
  /** An answer is out, and nothing is under way. */
  readonly onIdle: () => void
}

export function startHttpWorker({ settings, pool, mayEnter, onIdle }: HttpWorkerOptions): HttpWorker {
  const { workerProcesses, concurrency, graceMs, port } = settings
  let isEnding = false
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] as string
    if (!mayEnter(request.headers)) {
      response.writeHead(401, { [WORKER_HEADER]: PROTOCOL_VERSION, connection: 'close' })
      response.end()
    } else if (request.method === 'POST' && path === '/') void serve(request, response, pool, onIdle)
    else if ((request.method === 'GET' || request.method === 'HEAD') && HEALTH_PATHS.has(path)) {
      const state = isEnding ? 'ending' : pool.metadata === undefined ? 'starting' : 'ready'
      const facts = pool.metadata === undefined ? {} : { workerProcesses, concurrency }
      const body: WorkerState = {
        ...(JSON.parse(pool.metadata ?? '{}') as Partial<WorkerState>),
        ...facts,
        state,
        protocolVersion: PROTOCOL_VERSION,
      }
      answerJson(response, state === 'ready' ? 200 : 503, body)
    } else {
      response.writeHead(HEALTH_PATHS.has(path) ? 405 : 404, { [WORKER_HEADER]: PROTOCOL_VERSION })
      response.end()
    }
  })
  server.keepAliveTimeout = KEEP_ALIVE_MS
  // activations may take as long as the platform lets them
  server.requestTimeout = 0
  const listening = new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '0.0.0.0', () => resolve((server.address() as AddressInfo).port))
  })
  let ended: Promise<void> | undefined
  return {
    listening,
    end: () => {
      isEnding = true
      // it goes on listening for a while: a proxy that knows nothing of it gets an answer and not a refused connection
      ended ??= pool
        .drain(graceMs)
        .then(() => pool.close())
        .then(() => closed(server))
      return ended
    },
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  pool: WorkerPool,
  onIdle: () => void,
): Promise<void> {
  response.once('close', () => {
    if (pool.isIdle) onIdle()
  })
  const payload = await readBody(request)
  if (payload === 'cut') return
  if (payload === 'too large') {
    const message = `An activation message may have ${MAX_MESSAGE_BYTES} bytes. Name a storage in the config: large data goes there.`
    const error: ActivationError = { kind: 'too_large', message, mayHaveRun: false }
    answerJson(response, ERROR_STATUS.too_large, error)
    return
  }
  const asked = Number(request.headers[HEARTBEAT_HEADER] ?? DEFAULT_HEARTBEAT_MS)
  const reply = new Reply(response, Math.max(MIN_HEARTBEAT_MS, asked || DEFAULT_HEARTBEAT_MS))
  const activation = pool.run(payload, {
    accepted: () => reply.begin(),
    frames: frames => reply.write(frames),
    ended: error => reply.end(error),
  })
  const goesOn = request.headers[DISCONNECT_HEADER] === 'finish'
  const leave = () => {
    if (response.writableFinished) return
    if (goesOn) activation.unheard()
    else activation.cancel()
  }
  // the client may have left while its message was being read: nobody says so again
  if (response.destroyed) leave()
  else response.once('close', leave)
}

/** What is over the limit is read and dropped, so that the sender comes to read the answer. */
function readBody(request: IncomingMessage): Promise<Uint8Array | 'cut' | 'too large'> {
  return new Promise(resolve => {
    let chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= MAX_MESSAGE_BYTES) {
        chunks.push(chunk)
        return
      }
      chunks = []
      resolve('too large')
    })
    request.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
    request.once('error', () => resolve('cut'))
    request.once('close', () => resolve('cut'))
  })
}

/** Resolves when the last answers are out. */
async function closed(server: Server): Promise<void> {
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, LAST_ANSWERS_MS)
    server.close(() => {
      clearTimeout(timer)
      resolve()
    })
    server.closeIdleConnections()
  })
  server.closeAllConnections()
}
