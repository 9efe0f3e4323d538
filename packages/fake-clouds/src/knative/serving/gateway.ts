import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { faultFor, type KnativeFaults } from '../faults.ts'
import type { Controller } from './controller.ts'

/** Namespace and name of the gateways of networking layers, as their installations have them. */
export const GATEWAYS = {
  kourier: ['kourier-system', 'kourier'],
  istio: ['istio-system', 'istio-ingressgateway'],
  contour: ['contour-external', 'envoy'],
} as const

/** A request to a service, and how it was answered. */
export interface SeenServiceRequest {
  readonly host: string
  readonly method: string
  readonly status: number
  readonly body: Buffer
}

/** The gateway before all services: tells them apart by the header Host. */
export class Gateway {
  readonly requests: SeenServiceRequest[] = []
  readonly #controller: Controller
  readonly #faults: KnativeFaults
  readonly #server: Server

  private constructor(controller: Controller, faults: KnativeFaults) {
    this.#controller = controller
    this.#faults = faults
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.requestTimeout = 0
  }

  static async start(controller: Controller, faults: KnativeFaults): Promise<Gateway> {
    const gateway = new Gateway(controller, faults)
    await new Promise<void>(resolve => gateway.#server.listen(0, '127.0.0.1', resolve))
    return gateway
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
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
    const host = (request.headers.host ?? '').replace(/:\d+$/, '')
    const { method = '' } = request
    response.once('close', () =>
      this.requests.push({ host, method, status: response.headersSent ? response.statusCode : 0, body }),
    )
    const fault =
      method === 'POST' ? faultFor(this.#faults, { place: 'service', action: method, name: host }) : undefined
    if (fault?.kind === 'refuse') {
      response.destroy()
      return
    }
    if (fault?.kind === 'delay') await new Promise(done => setTimeout(done, fault.ms))
    if (fault?.kind === 'answer') {
      response.writeHead(fault.status, { server: 'envoy', 'content-type': 'text/plain' })
      response.end(fault.body)
      return
    }
    const revision = this.#controller.routeOf(host)
    if (revision === undefined) {
      response.writeHead(404, { server: 'envoy' })
      response.end()
      return
    }
    await revision.serve(request, body, response, fault)
  }
}
