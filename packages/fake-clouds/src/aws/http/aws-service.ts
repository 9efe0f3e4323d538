import type { IncomingHttpHeaders } from 'node:http'
import type { Identity } from './credentials.ts'

/** A request whose signature was checked. */
export interface AwsRequest {
  readonly method: string
  /** Path as sent, percent-encoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly requestId: string
  readonly caller: Identity
}

export interface AwsAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** How a service's requests and errors look on the wire. */
export type Protocol = 'rest-json' | 'json' | 'query'

export interface AwsService {
  /** As in the credential scope of a signature, e.g. 'lambda'. */
  readonly name: string
  readonly protocol: Protocol
  /** Largest body of a request; the front end refuses more before it looks at anything else. */
  bodyLimitBytes(): number
  /** Name of the operation as in the SDK, without 'Command'; undefined when there is none such. */
  operationOf(request: Omit<AwsRequest, 'caller'>): string | undefined
  /** The resource that a policy names for this request, as ARN; '*' when the operation has none. */
  resourceOf(operation: string, request: AwsRequest): string
  answer(operation: string, request: AwsRequest): Promise<AwsAnswer> | AwsAnswer
}

export const jsonAnswer = (body: object, status = 200): AwsAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
