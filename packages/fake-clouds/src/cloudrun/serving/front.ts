import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { faultFor, type KnativeFaults } from '../../knative/faults.ts'
import type { Accounts } from '../api/accounts.ts'
import { refuse } from './forward.ts'
import type { Revision } from './revision.ts'

/** A request to a service, and how it was answered. */
export interface SeenServiceRequest {
  readonly service: string
  readonly method: string
  readonly status: number
  readonly body: Buffer
}

/** Largest request over HTTP/1. */
const MOST_BYTES = 32 * 1024 * 1024

/** The front end before one service, at a URL of its own: lets in who has an ID token for it. */
export class Front {
  readonly #server: Server
  readonly #service: string
  readonly #accounts: Accounts
  readonly #faults: KnativeFaults
  readonly #seen: (request: SeenServiceRequest) => void
  /** Undefined: not yet, or not any more. */
  revision: Revision | undefined

  private constructor(options: FrontOptions) {
    this.#service = options.service
    this.#accounts = options.accounts
    this.#faults = options.faults
    this.#seen = options.seen
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.requestTimeout = 0
  }

  static async start(options: FrontOptions): Promise<Front> {
    const front = new Front(options)
    await new Promise<void>(resolve => front.#server.listen(0, '127.0.0.1', resolve))
    return front
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return // the client has left
    }
    const body = Buffer.concat(chunks)
    const { method = '', url, headers } = request
    response.once('close', () =>
      this.#seen({
        service: this.#service,
        method,
        status: response.headersSent ? response.statusCode : 0,
        body,
      }),
    )
    const faulted = { place: 'service', action: method, name: this.#service } as const
    const fault = method === 'POST' ? faultFor(this.#faults, faulted) : undefined
    if (fault?.kind === 'refuse') {
      response.destroy()
      return
    }
    if (fault?.kind === 'delay') await new Promise(done => setTimeout(done, fault.ms))
    if (fault?.kind === 'answer') {
      refuse(response, fault.status, fault.body)
      return
    }
    if (this.revision === undefined) {
      refuse(response, 404, 'The requested URL was not found on this server.')
      return
    }
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
    if (token !== undefined && !this.#accounts.isFor(token, this.url)) {
      refuse(response, 401, `Your client does not have permission to the requested URL ${url}.`)
      return
    }
    if (token === undefined || !this.#accounts.may('run.routes.invoke')) {
      refuse(response, 403, `Your client does not have permission to get URL ${url} from this server.`)
      return
    }
    if (body.length > MOST_BYTES) {
      refuse(response, 413, 'Your client issued a request that was too large.')
      return
    }
    await this.revision.serve({ method, url, headers, body }, response, fault)
  }
}

export interface FrontOptions {
  readonly service: string
  readonly accounts: Accounts
  readonly faults: KnativeFaults
  readonly seen: (request: SeenServiceRequest) => void
}
