import type { ServerResponse } from 'node:http'
import { PROTOCOL_VERSION } from '@lithops/core/worker/constants'
import {
  type ActivationEnd,
  type ActivationError,
  ERROR_STATUS,
  FRAME_HEAD_BYTES,
  HttpFrame,
  WORKER_HEADER,
} from '../http-protocol.ts'

/** What a platform is told to wait before it sends the next request to a worker that ends. */
const RETRY_AFTER_SECONDS = '1'

const HEARTBEAT = frame(HttpFrame.heartbeat, new Uint8Array(0))

/** Answers with JSON, and closes the connection where the worker ends. */
export function answerJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value))
  response.writeHead(status, {
    [WORKER_HEADER]: PROTOCOL_VERSION,
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
    ...(status === ERROR_STATUS.ending ? { 'retry-after': RETRY_AFTER_SECONDS, connection: 'close' } : {}),
  })
  response.end(body)
}

/** The answer to one activation message: a head, frames as they come, a heartbeat after each silence, and the end. */
export class Reply {
  readonly #response: ServerResponse
  readonly #arrivedAt = performance.now()
  readonly #heartbeats: NodeJS.Timeout

  constructor(response: ServerResponse, heartbeatMs: number) {
    this.#response = response
    this.#heartbeats = setInterval(() => {
      this.begin()
      response.write(HEARTBEAT)
    }, heartbeatMs)
    response.once('close', () => clearInterval(this.#heartbeats))
  }

  /** The answer begins: from here on, what happens is told in its frames. */
  begin(): void {
    const response = this.#response
    if (response.headersSent) return
    response.writeHead(200, {
      [WORKER_HEADER]: PROTOCOL_VERSION,
      'content-type': 'application/octet-stream',
      'cache-control': 'no-store',
      // proxies of the nginx family keep answers back without it
      'x-accel-buffering': 'no',
    })
    // not at once: frames that come with it go in the same packet
    setImmediate(() => {
      if (!response.writableEnded) response.flushHeaders()
    })
  }

  write(frames: Uint8Array): void {
    this.begin()
    this.#heartbeats.refresh()
    this.#response.write(frames)
  }

  end(error?: ActivationError): void {
    clearInterval(this.#heartbeats)
    const response = this.#response
    if (response.writableEnded || response.destroyed) return
    const status = error === undefined ? undefined : ERROR_STATUS[error.kind]
    if (error !== undefined && status !== undefined && !error.mayHaveRun && !response.headersSent) {
      answerJson(response, status, error)
      return
    }
    this.begin()
    const ranMs = performance.now() - this.#arrivedAt
    const end: ActivationEnd = { ranMs, ...(error === undefined ? {} : { error }) }
    response.end(frame(HttpFrame.end, Buffer.from(JSON.stringify(end))))
  }
}

function frame(type: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES + payload.length)
  bytes[0] = type
  bytes.writeUInt32LE(payload.length, 1)
  bytes.set(payload, FRAME_HEAD_BYTES)
  return bytes
}
