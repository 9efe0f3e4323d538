import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Gate, s3Error } from '../fault-proxy/index.ts'

/**
 * IBM's IAM as far as storage needs it: API keys become bearer tokens that expire. From: "IAM Identity Services" of the
 * IBM Cloud API docs, `POST /identity/token`.
 */
export class FakeIam implements AsyncDisposable {
  readonly url: string
  /** How many tokens were given. */
  tokenCount = 0
  /** How long the next token is said to be valid. */
  lifetimeS = 3600
  readonly #server: Server
  readonly #apiKey: string
  readonly #tokens = new Set<string>()

  private constructor(server: Server, apiKey: string) {
    this.#server = server
    this.#apiKey = apiKey
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async start(options: { readonly apiKey: string }): Promise<FakeIam> {
    let iam: FakeIam | undefined
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const piece of request) body += piece
      const answer = iam?.answer(String(request.method), String(request.url), new URLSearchParams(body))
      response.writeHead(answer?.status ?? 500, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer?.body))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    iam = new FakeIam(server, options.apiKey)
    return iam
  }

  /** @internal */
  answer(
    method: string,
    url: string,
    form: URLSearchParams,
  ): { readonly status: number; readonly body: object } {
    if (method !== 'POST' || url !== '/identity/token')
      return { status: 404, body: { errorCode: 'BXNIM0120E' } }
    const isGrant = form.get('grant_type') === 'urn:ibm:params:oauth:grant-type:apikey'
    if (!isGrant || form.get('apikey') !== this.#apiKey) {
      const body = { errorCode: 'BXNIM0415E', errorMessage: 'Provided API key could not be found.' }
      return { status: 400, body }
    }
    this.tokenCount++
    const expiration = Math.floor(Date.now() / 1000) + this.lifetimeS
    const access_token = jwt({ exp: expiration, iat: expiration - this.lifetimeS, jti: randomUUID() })
    this.#tokens.add(access_token)
    const body = {
      access_token,
      refresh_token: 'not_supported',
      token_type: 'Bearer',
      expires_in: this.lifetimeS,
      expiration,
      scope: 'ibm openid',
    }
    return { status: 200, body }
  }

  /** Tokens that were given until now are no good any more. */
  revoke(): void {
    this.#tokens.clear()
  }

  /** Whether a header is that of a token that was given and is good still. */
  accepts(authorization: string | undefined): boolean {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1]
    return token !== undefined && this.#tokens.has(token)
  }

  /** Lets requests with a good token through to a storage; buckets are made only with the id of an instance. */
  gate(instanceId: string): Gate {
    return ({ method, url, headers }) => {
      const token = /^Bearer (.+)$/.exec(String(headers.authorization))?.[1]
      if (token === undefined) return s3Error(403, 'AccessDenied', 'Access Denied')
      if (!this.#tokens.has(token)) return s3Error(401, 'ExpiredToken', 'The provided token has expired.')
      const isNewBucket = method === 'PUT' && /^\/[^/?]+\/?$/.test(url)
      if (isNewBucket && headers['ibm-service-instance-id'] !== instanceId) {
        return s3Error(400, 'InvalidArgument', 'A service instance id is needed.')
      }
      return undefined
    }
  }

  /** May be called twice. */
  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Unsigned: nobody here checks it. */
function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part(claims)}.none`
}
