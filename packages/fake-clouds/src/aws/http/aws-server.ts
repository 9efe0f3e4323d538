import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AwsFault, InjectedAwsFault } from '../faults.ts'
import { AwsError } from './aws-error.ts'
import type { AwsAnswer, AwsRequest, AwsService } from './aws-service.ts'
import type { Credentials, Identity } from './credentials.ts'
import { credentialScope, SignatureError, verifySignature } from './signature.ts'
import { errorAnswer, signatureFailure } from './wire-errors.ts'

/** A request that came by, for assertions. */
export interface SeenAwsRequest {
  /** Service and operation, e.g. 'lambda:Invoke'; 'lambda:?' when there is no such operation. */
  readonly action: string
  readonly requestId: string
  readonly method: string
  /** Path and query as sent. */
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bodyBytes: number
  /** Only with `keepBodies`. */
  readonly body?: Buffer
  /** Undefined until there is one; 0 when the connection was cut. */
  status?: number
}

export interface AwsServerOptions {
  readonly services: readonly AwsService[]
  readonly credentials: Credentials
  readonly regions: readonly string[]
  readonly keepBodies: boolean
  /** The fault that strikes this request, if any. */
  readonly faultFor: (operation: string, functionName: string | undefined) => InjectedAwsFault | undefined
  /** Throws when the caller may not do it. */
  readonly authorize: (caller: Identity, action: string, resource: string, request: AwsRequest) => void
  /** Files that anybody may get, by path: the code that GetFunction points to. */
  readonly openFile: (path: string) => Uint8Array | undefined
}

/** What a service is told of the fault that strikes a request of its own. */
const struck = new WeakMap<AwsRequest, AwsFault>()

export function faultOf(request: AwsRequest): AwsFault | undefined {
  return struck.get(request)
}

/** The endpoint of all services: which one is meant stands in the signature. */
export class AwsServer {
  readonly url: string
  readonly requests: SeenAwsRequest[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #options: AwsServerOptions

  private constructor(server: Server, options: AwsServerOptions) {
    this.#server = server
    this.#options = options
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.on('request', (incoming, response) => void this.#handle(incoming, response))
  }

  static async start(options: AwsServerOptions): Promise<AwsServer> {
    const server = createServer()
    server.requestTimeout = 0
    server.keepAliveTimeout = 20_000
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve)
    })
    return new AwsServer(server, options)
  }

  /** May be called twice. */
  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readAll(incoming)
      await this.#answer(incoming, response, body)
    } catch {
      // the client is gone, or this cloud failed: the client must notice either way
      response.socket?.destroy()
    }
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming
    const [path = '/', query = ''] = url.split(/\?(.*)/s)
    const file = headers.authorization === undefined ? this.#options.openFile(path) : undefined
    if (file !== undefined) return void response.writeHead(200).end(file)

    const requestId = randomUUID()
    const service = this.#serviceOf(headers)
    const unsigned = { method, path, query: new URLSearchParams(query), headers, body, requestId }
    const operation = service.operationOf(unsigned)
    const seen: SeenAwsRequest = {
      action: `${service.name}:${operation ?? '?'}`,
      requestId,
      method,
      url,
      headers,
      bodyBytes: body.length,
      ...(this.#options.keepBodies && { body }),
    }
    this.requests.push(seen)
    const functionName = /\/functions\/([^/]+)/.exec(path)?.[1]
    const fault =
      operation === undefined
        ? undefined
        : this.#options.faultFor(operation, functionName && decodeURIComponent(functionName))?.fault
    if (fault?.kind === 'refuse') return cut(response, seen)
    if (fault?.kind === 'delay') await sleep(fault.ms)
    const answer = await this.#serve(service, operation, url, unsigned, fault).catch((error: unknown) => {
      return errorAnswer(error instanceof AwsError ? error : ownFailure(error), service, requestId)
    })
    if (fault?.kind === 'loseReply') return cut(response, seen)
    seen.status = answer.status
    const idHeader = service.protocol === 'query' ? 'x-amzn-requestid' : 'x-amzn-RequestId'
    response.writeHead(answer.status, {
      'content-length': Buffer.byteLength(answer.body ?? ''),
      [idHeader]: requestId,
      ...answer.headers,
    })
    response.end(answer.body)
  }

  async #serve(
    service: AwsService,
    operation: string | undefined,
    url: string,
    unsigned: Omit<AwsRequest, 'caller'>,
    fault: AwsFault | undefined,
  ): Promise<AwsAnswer> {
    if (operation === undefined) {
      throw new AwsError(404, 'UnknownOperationException', 'This cloud does not know that operation.')
    }
    const limitBytes = service.bodyLimitBytes()
    if (unsigned.body.length > limitBytes) {
      throw new AwsError(
        413,
        'RequestEntityTooLargeException',
        `Request must be smaller than ${limitBytes} bytes for the ${operation} operation`,
      )
    }
    const request = { ...unsigned, caller: this.#callerOf(service, url, unsigned) }
    this.#options.authorize(
      request.caller,
      `${service.name}:${operation}`,
      service.resourceOf(operation, request),
      request,
    )
    if (fault?.kind === 'error') {
      throw new AwsError(fault.status, fault.code, fault.message, {
        ...(fault.fields !== undefined && { fields: fault.fields }),
        ...(fault.headers !== undefined && { headers: fault.headers }),
      })
    }
    if (fault !== undefined) struck.set(request, fault)
    return service.answer(operation, request)
  }

  #callerOf(service: AwsService, url: string, request: Omit<AwsRequest, 'caller'>): Identity {
    const { credentials, regions } = this.#options
    try {
      const { method, headers, body } = request
      return verifySignature({ method, url, headers, body }, { credentials, regions, nowMs: Date.now() })
        .identity
    } catch (error) {
      if (error instanceof SignatureError) throw signatureFailure(error, service.protocol)
      throw error
    }
  }

  /** Without a signature it is taken for one of Lambda. */
  #serviceOf(headers: IncomingMessage['headers']): AwsService {
    const name = credentialScope(headers)?.service ?? 'lambda'
    const service = this.#options.services.find(candidate => candidate.name === name)
    return service ?? (this.#options.services[0] as AwsService)
  }
}

/** What is wrong with this cloud, or with how a test set it up, and not with the request. */
function ownFailure(error: unknown): AwsError {
  const message = `The stand-in for AWS failed: ${error instanceof Error ? error.message : String(error)}`
  return new AwsError(500, 'ServiceException', message, { fields: { Type: 'Service' } })
}

function cut(response: ServerResponse, seen: SeenAwsRequest): void {
  seen.status = 0
  response.socket?.resetAndDestroy()
}

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}
