import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Largest reply of a function that is called synchronously. From: the message of Function.ResponseSizeTooLarge. */
export const RESPONSE_LIMIT_BYTES = 6_291_556

/** An event on its way to a function. */
export interface Invocation {
  readonly requestId: string
  readonly body: Buffer
  readonly deadlineMs: number
  readonly functionArn: string
  readonly traceId: string
  readonly clientContext?: string
}

/** What a runtime says. */
export type RuntimeMessage =
  | { readonly kind: 'next' }
  | { readonly kind: 'response'; readonly body: Buffer }
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'error'; readonly body: Buffer; readonly type: string }
  | { readonly kind: 'initError'; readonly body: Buffer; readonly type: string }

/**
 * The side of Lambda that a runtime talks to, for one environment. From: "Using the Lambda runtime API for custom
 * runtimes" of the Lambda developer guide.
 */
export class RuntimeApi {
  /** Host and port, as AWS_LAMBDA_RUNTIME_API has them. */
  readonly address: string
  readonly #server: Server
  #onMessage: (message: RuntimeMessage) => void = () => {}
  #waiting: ServerResponse | undefined
  #current: string | undefined

  private constructor(server: Server) {
    this.#server = server
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (request, response) => {
      // a runtime that was killed in the middle is no error of this server
      this.#handle(request, response).catch(() => response.destroy())
    })
  }

  static async start(): Promise<RuntimeApi> {
    const server = createServer()
    server.requestTimeout = 0
    server.keepAliveTimeout = 0
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    return new RuntimeApi(server)
  }

  listen(onMessage: (message: RuntimeMessage) => void): void {
    this.#onMessage = onMessage
  }

  /** Gives the runtime, which waits for it, its next event. */
  send(invocation: Invocation): void {
    const response = this.#waiting
    if (response === undefined) throw new Error('the runtime does not wait for an event')
    this.#waiting = undefined
    this.#current = invocation.requestId
    response.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': invocation.requestId,
      'lambda-runtime-deadline-ms': String(invocation.deadlineMs),
      'lambda-runtime-invoked-function-arn': invocation.functionArn,
      'lambda-runtime-trace-id': invocation.traceId,
      ...(invocation.clientContext !== undefined && {
        'lambda-runtime-client-context': invocation.clientContext,
      }),
      'content-length': invocation.body.length,
    })
    response.end(invocation.body)
  }

  /** Forgets a runtime whose process has ended. */
  reset(): void {
    this.#waiting?.destroy()
    this.#waiting = undefined
    this.#current = undefined
    this.#server.closeAllConnections()
  }

  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '' } = request
    const [, what = ''] = /^\/2018-06-01\/runtime\/(.*)$/.exec(url) ?? []
    if (method === 'GET' && what === 'invocation/next') {
      this.#waiting = response
      return this.#onMessage({ kind: 'next' })
    }
    const body = await readBody(request)
    const type = String(request.headers['lambda-runtime-function-error-type'] ?? 'Unhandled')
    if (method === 'POST' && what === 'init/error') {
      accept(response)
      return this.#onMessage({ kind: 'initError', body, type })
    }
    const [, requestId, outcome] = /^invocation\/([^/]+)\/(response|error)$/.exec(what) ?? []
    if (method !== 'POST' || outcome === undefined) return refuse(response, 404, 'NotFound', 'no such path')
    if (requestId !== this.#current) {
      return refuse(response, 400, 'InvalidRequestID', 'Invalid request ID')
    }
    this.#current = undefined
    if (outcome === 'error') {
      accept(response)
      return this.#onMessage({ kind: 'error', body, type })
    }
    if (body.length > RESPONSE_LIMIT_BYTES) {
      const message = `Exceeded maximum allowed payload size (${RESPONSE_LIMIT_BYTES} bytes).`
      refuse(response, 413, 'RequestEntityTooLarge', message)
      return this.#onMessage({ kind: 'tooLarge' })
    }
    accept(response)
    this.#onMessage({ kind: 'response', body })
  }
}

function accept(response: ServerResponse): void {
  response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}\n')
}

function refuse(response: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ errorMessage, errorType }))
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}
