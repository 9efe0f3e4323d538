import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ApiRefusal, refusals } from './api-error.ts'
import type { CodeEngineFault, InjectedCodeEngineFault } from './faults.ts'

/** A request of the API, and how it was answered. */
export interface SeenApiRequest {
  /** Such as 'POST job_runs', 'GET job_runs/NAME', 'GET projects'. */
  readonly action: string
  readonly status: number
  readonly body: string
}

export interface ApiCall {
  readonly method: string
  /** Below '/v2', without the slash at its beginning. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly body: Readonly<Record<string, unknown>>
  /** If-Match */
  readonly entityTag: string | undefined
}

export interface ApiServerOptions {
  readonly accepts: (authorization: string | undefined) => boolean
  /** Rejects with ApiRefusal. */
  readonly answer: (call: ApiCall) => Promise<{ readonly status: number; readonly body?: unknown }>
  readonly faults: readonly InjectedCodeEngineFault[]
}

const OLDEST_VERSION = '2021-03-31'
const NEWEST_VERSION = '2026-06-15'

/** The API's door: tokens, versions, JSON, errors in its form, and what faults do to requests. */
export class ApiServer {
  readonly requests: SeenApiRequest[] = []
  readonly #options: ApiServerOptions
  readonly #server: Server

  private constructor(options: ApiServerOptions) {
    this.#options = options
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  static async start(options: ApiServerOptions): Promise<ApiServer> {
    const server = new ApiServer(options)
    await new Promise<void>(resolve => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v2`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    try {
      for await (const piece of request) text += piece
    } catch {
      return // the client has left
    }
    const { method = '' } = request
    const url = new URL(request.url ?? '/', 'http://localhost')
    const path = url.pathname
      .split('/')
      .filter(part => part !== '')
      .slice(1)
    const [, , kind, name] = path
    const action =
      kind === undefined ? `${method} projects` : `${method} ${kind}${name === undefined ? '' : '/NAME'}`
    const write = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
      this.requests.push({ action, status, body: text })
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(status === 204 ? undefined : typeof body === 'string' ? body : JSON.stringify(body ?? {}))
    }
    const fault = this.#options.faults.find(one => one.meets(action))?.fault
    if (fault?.kind === 'answer') return write(fault.status, fault.body, fault.headers)
    if (fault?.kind === 'refuse') {
      response.destroy()
      return
    }
    if (fault?.kind === 'delay') await new Promise(done => setTimeout(done, fault.ms))
    try {
      const { status, body } = await this.#answer(request, url, path, text)
      if (isLost(fault)) response.destroy()
      else write(status, body)
    } catch (error) {
      const { status, code, message, headers } = error instanceof ApiRefusal ? error : standInBroken(error)
      const trace = `codeengine-api-${randomUUID().replaceAll('-', '')}`
      write(status, { errors: [{ code, message }], trace, status_code: status }, headers)
    }
  }

  #answer({ method = '', headers }: IncomingMessage, url: URL, path: readonly string[], text: string) {
    const { accepts, answer } = this.#options
    if (!accepts(headers.authorization)) throw refusals.unauthorized()
    const version = url.searchParams.get('version') ?? ''
    if (version < OLDEST_VERSION || version > NEWEST_VERSION)
      throw refusals.invalid(`The version '${version}' is not supported.`)
    if (method === 'PATCH' && headers['content-type'] !== 'application/merge-patch+json')
      throw new ApiRefusal(415, 'unsupported_media_type', 'application/merge-patch+json is expected.')
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
    const tag = headers['if-match']
    return answer({ method, path, query: url.searchParams, body, entityTag: tag })
  }
}

/** A mistake of this stand-in is seen by the test, and does not leave it waiting. */
function standInBroken(error: unknown): ApiRefusal {
  return new ApiRefusal(501, 'stand_in_broken', error instanceof Error ? String(error.stack) : String(error))
}

function isLost(fault: CodeEngineFault | undefined): boolean {
  return fault?.kind === 'loseAnswer'
}
