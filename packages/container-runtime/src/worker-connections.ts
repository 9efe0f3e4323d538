import { setTimeout as sleep } from 'node:timers/promises'
import { InvocationError, ProtocolError, type RuntimeMetadata } from '@lithops/core/driver'
import type { Pool } from 'undici'
import { FrameSplitter } from './frame-splitter.ts'
import {
  type ActivationEnd,
  DEFAULT_HEARTBEAT_MS,
  DISCONNECT_HEADER,
  HEARTBEAT_HEADER,
  WORKER_HEADER,
  type WorkerState,
} from './http-protocol.ts'
import {
  activationError,
  connectionBroken,
  replyCut,
  type WorkerRefusal,
  workerRefused,
} from './worker-answers.ts'

export interface WorkerConnectionsOptions {
  /** Where to connect: the worker, or the ingress before it; `https://host:port`. */
  readonly origin: string | URL
  /** What the Host header says, where a shared ingress tells services apart by it. Default: the origin's. */
  readonly host?: string
  /** Connections at the same time, each of which carries one activation at a time. Default: as many as are needed. */
  readonly mostConnections?: number
  /** Certificates, in PEM, of the authorities that are believed besides Node's own. */
  readonly ca?: string
}

export interface WorkerRequest {
  /** `Activation.payload`. */
  readonly payload: Uint8Array
  /** Further headers, such as Authorization. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Milliseconds until the answer must have begun. Platforms hold requests back while containers start, and workers while
   * all their places are taken. Default: 300,000.
   */
  readonly startTimeoutMs?: number
  /** Longest silence of the answer in milliseconds: shorter than what proxies on the way put up with. Default: 10,000. */
  readonly heartbeatMs?: number
  /** The calls go on when the connection is closed: their results go another way (`Activation.repliesElsewhere`). Default: false. */
  readonly goesOnAlone?: boolean
  readonly signal?: AbortSignal | undefined
  /** Takes whole reply frames as they come. */
  readonly onReply: (frames: Uint8Array) => void
  /**
   * Says what an answer means that is not a worker's, in the words of the platform; undefined leaves it to the table of
   * `workerRefused`.
   */
  readonly explain?: (refusal: WorkerRefusal) => Error | undefined
}

export interface WorkerReport {
  /** Milliseconds in the worker, from the arrival of the message. */
  readonly ranMs: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

const START_TIMEOUT_MS = 300_000
const CONNECT_TIMEOUT_MS = 10_000
/** So many heartbeats may be late together before the worker counts as lost. */
const LATE_HEARTBEATS = 4
/** An idle connection is closed before a proxy may do so, which would lose an activation: nginx and Istio keep them longer. */
const IDLE_MS = 20_000
/** A NAT forgets connections that are silent for some minutes. */
const KEEP_ALIVE_AFTER_MS = 60_000
const STATE_TIMEOUT_MS = 30_000
const STARTING_PAUSE_MS = 50
/** Of an answer that is not a reply. */
const MAX_REFUSAL_BYTES = 64 * 1024

/**
 * The client's half of workers that answer HTTP ("Over HTTP" of docs/protocol.md): connections to one origin, each request
 * sent once, with the Host header as it was given.
 */
export class WorkerConnections {
  readonly #options: WorkerConnectionsOptions
  readonly #origin: URL
  #pool: Promise<Pool> | undefined

  constructor(options: WorkerConnectionsOptions) {
    this.#options = options
    this.#origin = new URL(options.origin)
  }

  /**
   * Runs one activation. Resolves when it has ended in order. Rejects with
   * - CallTimeoutError, CallOutOfMemoryError or WorkerLostError when the worker broke during a call,
   * - ProtocolError when the worker cannot read the message,
   * - InvocationError when it was refused (`mayHaveRun` false) or its answer was cut (`mayHaveRun` true),
   * - the signal's reason, after which the worker cancels the calls.
   */
  async run(request: WorkerRequest): Promise<WorkerReport> {
    const pool = await this.#open()
    request.signal?.throwIfAborted()
    const { heartbeatMs = DEFAULT_HEARTBEAT_MS } = request
    const headers = {
      'content-type': 'application/octet-stream',
      'accept-encoding': 'identity',
      host: this.#host,
      [HEARTBEAT_HEADER]: `${heartbeatMs}`,
      [DISCONNECT_HEADER]: request.goesOnAlone === true ? 'finish' : 'cancel',
      ...request.headers,
    }
    return new Promise((resolve, reject) => {
      let wasSent = false
      let status = 0
      let answer: Headers = {}
      let end: ActivationEnd | undefined
      const refusal: Buffer[] = []
      let refusalBytes = 0
      let stop: ((reason: Error) => void) | undefined
      const splitter = new FrameSplitter({
        reply: frames => request.onReply(frames),
        end: payload => {
          end = JSON.parse(Buffer.from(payload).toString('utf8')) as ActivationEnd
        },
      })
      const onAbort = () => {
        const reason: unknown = request.signal?.reason
        stop?.(reason instanceof Error ? reason : new Error('aborted'))
        reject(reason)
      }
      request.signal?.addEventListener('abort', onAbort, { once: true })
      const settled = () => request.signal?.removeEventListener('abort', onAbort)
      const isReply = () => status === 200 && answer[WORKER_HEADER] !== undefined
      pool.dispatch(
        {
          method: 'POST',
          path: this.#path,
          headers,
          body: request.payload,
          headersTimeout: request.startTimeoutMs ?? START_TIMEOUT_MS,
          bodyTimeout: heartbeatMs * LATE_HEARTBEATS,
        },
        {
          onRequestStart(controller) {
            wasSent = true
            stop = reason => controller.abort(reason)
            if (request.signal?.aborted) controller.abort(request.signal.reason)
          },
          onResponseStart(_controller, statusCode, responseHeaders) {
            status = statusCode
            answer = responseHeaders
          },
          onResponseData(controller, chunk) {
            if (!isReply()) {
              refusalBytes += chunk.length
              if (refusalBytes <= MAX_REFUSAL_BYTES) refusal.push(chunk)
              return
            }
            try {
              splitter.push(chunk)
            } catch (error) {
              controller.abort(error as Error)
            }
          },
          onResponseEnd: () => {
            settled()
            if (!isReply()) {
              const refused = {
                status,
                headers: answer,
                body: Buffer.concat(refusal),
                origin: this.#origin.origin,
              }
              reject(workerRefused(refused, request.explain))
            } else if (end === undefined) reject(replyCut(this.#origin.origin))
            else if (end.error !== undefined) reject(activationError(end.error))
            else resolve({ ranMs: end.ranMs, headers: answer })
          },
          onResponseError: (_controller, error) => {
            settled()
            if (request.signal?.aborted) reject(request.signal.reason)
            // what was told is told: the end has come, and only the connection did not close in order
            else if (end !== undefined && end.error === undefined)
              resolve({ ranMs: end.ranMs, headers: answer })
            else if (end?.error !== undefined) reject(activationError(end.error))
            else if (isReply()) reject(replyCut(this.#origin.origin, error))
            else reject(connectionBroken(error, this.#origin.origin, wasSent))
          },
        },
      )
    })
  }

  /**
   * What the worker says of itself; waits while it starts, for `startTimeoutMs` (300,000) at most. Rejects with InvocationError
   * when it is not there or ends, and with ProtocolError when something else answers.
   */
  async metadata(
    options: Pick<WorkerRequest, 'headers' | 'startTimeoutMs' | 'signal' | 'explain'> = {},
  ): Promise<RuntimeMetadata> {
    const { startTimeoutMs = START_TIMEOUT_MS, signal } = options
    const end = performance.now() + startTimeoutMs
    for (;;) {
      const { state, ...facts } = await this.#state(options, end - performance.now())
      const { lithopsVersion, protocolVersion, nodeVersion, platform, arch, functions } = facts
      if (state === 'ending')
        throw new InvocationError(`The worker behind ${this.#origin.origin} is being ended.`)
      if (state === 'ready' && lithopsVersion && nodeVersion && platform && arch)
        return {
          lithopsVersion,
          protocolVersion,
          nodeVersion,
          platform,
          arch,
          ...(functions === undefined ? {} : { functions }),
        }
      if (state !== 'starting')
        throw new ProtocolError(`The worker behind ${this.#origin.origin} does not say what it is.`)
      if (performance.now() > end)
        throw new InvocationError(
          `The worker behind ${this.#origin.origin} was not ready in ${startTimeoutMs / 1000} s.`,
        )
      await sleep(STARTING_PAUSE_MS, undefined, signal === undefined ? {} : { signal })
    }
  }

  async #state(
    { headers, signal, explain }: Pick<WorkerRequest, 'headers' | 'signal' | 'explain'>,
    timeoutMs: number,
  ): Promise<WorkerState> {
    const pool = await this.#open()
    signal?.throwIfAborted()
    let status: number
    let answer: Headers
    let body: Buffer
    try {
      const response = await pool.request({
        method: 'GET',
        path: this.#path,
        headers: { host: this.#host, 'accept-encoding': 'identity', ...headers },
        headersTimeout: Math.max(1, timeoutMs),
        bodyTimeout: STATE_TIMEOUT_MS,
        signal: signal ?? null,
      })
      status = response.statusCode
      answer = response.headers
      body = Buffer.from(await response.body.arrayBuffer())
    } catch (error) {
      signal?.throwIfAborted()
      throw connectionBroken(error as Error, this.#origin.origin, false)
    }
    const state = answer[WORKER_HEADER] === undefined ? undefined : stateIn(body)
    if (state === undefined)
      throw workerRefused({ status, headers: answer, body, origin: this.#origin.origin }, explain)
    return state
  }

  /** Breaks what is under way, and closes the connections. May be called twice. */
  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined)
    await pool?.destroy()
  }

  get #host(): string {
    return this.#options.host ?? this.#origin.host
  }

  get #path(): string {
    return this.#origin.pathname
  }

  #open(): Promise<Pool> {
    this.#pool ??= this.#connect()
    return this.#pool
  }

  async #connect(): Promise<Pool> {
    const { Pool } = await import('undici')
    const { ca, mostConnections } = this.#options
    return new Pool(this.#origin.origin, {
      connections: mostConnections ?? null,
      pipelining: 1,
      allowH2: false,
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
        ...(ca === undefined ? {} : { ca }),
      },
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      // each request has its own
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }
}

function stateIn(body: Buffer): WorkerState | undefined {
  try {
    return JSON.parse(body.toString('utf8')) as WorkerState
  } catch {
    return undefined
  }
}
