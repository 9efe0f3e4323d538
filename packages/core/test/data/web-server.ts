import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How the test's web server behaves for a path. */
export interface WebFile {
  body: Buffer
  ranges?: boolean
  head?: boolean
  etag?: 'strong' | 'weak' | 'none'
  /** Cuts the connection in the middle of the body of every so many answers to GET. */
  cutEvery?: number
  /** Answers with this instead, the first so many times. */
  refuse?: { status: number; times: number; retryAfter?: string }
  /** Says nothing of its length. */
  chunked?: boolean
}

/** A web server on a free port, with as few or as many abilities as a test wants. */
export class WebServer {
  readonly files = new Map<string, WebFile>()
  readonly requests: string[] = []
  readonly #server: Server
  #answers = 0

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response))
  }

  static async start(): Promise<WebServer> {
    const server = new WebServer()
    await new Promise<void>(resolve => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url as string, 'http://x').pathname
    this.requests.push(`${request.method} ${path} ${request.headers.range ?? ''}`.trim())
    const file = this.files.get(path)
    if (file === undefined) return void response.writeHead(404).end()
    if (request.method === 'HEAD' && file.head === false) return void response.writeHead(405).end()
    if (file.refuse !== undefined && file.refuse.times > 0) {
      file.refuse.times--
      const { status, retryAfter } = file.refuse
      return void response
        .writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter })
        .end()
    }
    const { body, ranges = true } = file
    const hash = createHash('sha1').update(body).digest('hex').slice(0, 12)
    const etag = file.etag === 'none' ? undefined : file.etag === 'weak' ? `W/"${hash}"` : `"${hash}"`
    if (etag !== undefined) response.setHeader('etag', etag)
    if (ranges) response.setHeader('accept-ranges', 'bytes')
    const wanted = request.headers['if-match']
    if (wanted !== undefined && wanted !== etag) return void response.writeHead(412).end()
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
    const isPart = ranges && from !== undefined
    const start = isPart ? Number(from) : 0
    const end = isPart && to !== '' ? Math.min(body.length, Number(to) + 1) : body.length
    if (isPart && start >= body.length) {
      return void response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end()
    }
    const length = file.chunked ? {} : { 'content-length': end - start }
    response.writeHead(
      isPart ? 206 : 200,
      isPart ? { ...length, 'content-range': `bytes ${start}-${end - 1}/${body.length}` } : length,
    )
    if (request.method === 'HEAD') return void response.end()
    const bytes = body.subarray(start, end)
    if (file.cutEvery !== undefined && ++this.#answers % file.cutEvery === 0 && bytes.length > 1) {
      return void response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy())
    }
    response.end(bytes)
  }
}
