import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { loopbackCertificate } from '../../real-parts/kubernetes.ts'
import { review, WEBHOOK_PATHS } from './webhooks.ts'

/** What an API server asks others for: logs of a kubelet, and Knative's webhooks what they say of an object. */
export class NodeAgent {
  readonly certificate: string
  readonly #server: Server
  readonly #logOf: (pod: string, query: URLSearchParams) => string

  private constructor(
    pem: { readonly cert: string; readonly private: string },
    logOf: (pod: string, query: URLSearchParams) => string,
  ) {
    this.certificate = pem.cert
    this.#logOf = logOf
    this.#server = createServer({ cert: pem.cert, key: pem.private }, (request, response) => {
      void this.#serve(request, response)
    })
  }

  /** @param logOf what a pod's container wrote; the query is that of the API */
  static async start(logOf: (pod: string, query: URLSearchParams) => string): Promise<NodeAgent> {
    const agent = new NodeAgent(await loopbackCertificate(), logOf)
    await new Promise<void>(resolve => agent.#server.listen(0, '127.0.0.1', resolve))
    return agent
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get origin(): string {
    return `https://127.0.0.1:${this.port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.origin)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    // From: the kubelet's server, "/containerLogs/{podNamespace}/{podID}/{containerName}"
    const [, pod] = /^\/containerLogs\/[^/]+\/([^/]+)\/[^/]+$/.exec(pathname) ?? []
    if (pod !== undefined) {
      response.writeHead(200, { 'content-type': 'text/plain' })
      response.end(this.#logOf(pod, searchParams))
      return
    }
    if (!Object.values<string>(WEBHOOK_PATHS).includes(pathname)) {
      response.writeHead(404).end()
      return
    }
    try {
      const answer = review(pathname, Buffer.concat(chunks).toString('utf8'))
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer))
    } catch (error) {
      response.writeHead(500, { 'content-type': 'text/plain' })
      response.end((error as Error).message)
    }
  }
}
