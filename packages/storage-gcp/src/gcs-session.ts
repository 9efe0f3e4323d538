import type { Readable } from 'node:stream'
import { HttpAgents } from '@lithops/core/driver'
import { type AuthClient, GoogleAuth, gaxios, PassThroughClient } from 'google-auth-library'
import type { CredentialsFile, GivenCredentials } from './credentials.ts'
import { failureOfAnswer, failureOfConnection, failureOfToken, type Headers } from './gcs-failure.ts'
import { type Adapter, nodeAdapter } from './node-adapter.ts'

/** Rights are given to the identity, not to the token. From: Google Cloud, "OAuth 2.0 scopes". */
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const GOOGLE = /(^|\.)(googleapis|google)\.com$/

export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly signal?: AbortSignal | undefined
  /** Statuses that are answers and no errors, besides those of success. */
  readonly accepts?: readonly number[]
}

export interface GcsAnswer<T> {
  readonly status: number
  readonly headers: Headers
  readonly data: T
}

/**
 * Requests to the service, each made once, over connections that are this storage's own. They go past the SDK's own
 * methods: these take no signal, share their connections with the whole process and never close them. Credentials and
 * tokens are the business of Google's library. Whatever fails is a GcsFailure.
 */
export class GcsSession {
  readonly auth: GoogleAuth<AuthClient>
  readonly #http = new gaxios.Gaxios()
  readonly #agents: HttpAgents
  readonly #adapter: Adapter
  readonly #isAnonymous: boolean

  constructor(
    credentials: GivenCredentials | 'none' | undefined,
    options: { readonly idleTimeoutMs?: number; readonly projectId?: string | undefined } = {},
  ) {
    this.#agents = new HttpAgents(options)
    this.#isAnonymous = credentials === 'none'
    const project = options.projectId === undefined ? {} : { projectId: options.projectId }
    const given = typeof credentials === 'object' ? credentials.content : undefined
    this.#adapter = nodeAdapter(this.#agents)
    const transporterOptions = { adapter: nodeAdapter(this.#agents, addressOfTokens(given)) }
    this.auth = new GoogleAuth<AuthClient>(
      credentials === 'none'
        ? { ...project, authClient: new PassThroughClient() }
        : {
            ...project,
            scopes: [SCOPE],
            clientOptions: { transporterOptions },
            ...(given === undefined ? {} : { credentials: given as object }),
          },
    )
  }

  /** The answer's JSON, or text where it is none. */
  async ask<T>(request: GcsRequest): Promise<GcsAnswer<T>> {
    const answer = await this.#send<string>(request, 'text')
    return { ...answer, data: (answer.data === '' ? {} : JSON.parse(answer.data)) as T }
  }

  /** The answer's bytes as they are stored, as a stream that is read to the end or destroyed. */
  async open(request: GcsRequest): Promise<GcsAnswer<Readable>> {
    // without this the service unpacks what was stored with `Content-Encoding: gzip`
    const headers = { ...request.headers, 'accept-encoding': 'gzip' }
    return this.#send<Readable>({ ...request, headers }, 'stream')
  }

  /** May be called twice. Requests under way are cut. */
  close(): void {
    this.#agents.close()
  }

  async #send<T>(request: GcsRequest, as: 'text' | 'stream', isSecondTry = false): Promise<GcsAnswer<T>> {
    const { method, url, body, signal, accepts = [] } = request
    const headers = { ...(await this.#authorization(url)), ...request.headers }
    signal?.throwIfAborted()
    let answer: GcsAnswer<T>
    try {
      answer = await this.#http.request<T>({
        method,
        url,
        headers,
        ...(body === undefined ? {} : { data: bufferOf(body) }),
        ...(signal === undefined ? {} : { signal }),
        responseType: as,
        validateStatus: () => true,
        retry: false,
        adapter: this.#adapter,
      })
    } catch (error) {
      throw failureOfConnection(error)
    }
    if ((answer.status >= 200 && answer.status < 300) || accepts.includes(answer.status)) return answer
    const text = await textOf(answer.data)
    if (answer.status === 401 && !this.#isAnonymous && !isSecondTry) {
      // it may have been withdrawn before its time
      this.auth.cachedCredential = null
      return this.#send(request, as, true)
    }
    throw failureOfAnswer(answer.status, answer.headers, text)
  }

  async #authorization(url: string): Promise<Record<string, string>> {
    try {
      return await this.auth.getRequestHeaders(url)
    } catch (error) {
      throw failureOfToken(error)
    }
  }
}

/** Tokens come from where the key says. The library has Google's own address of old, which means the same. */
function addressOfTokens(credentials: CredentialsFile | undefined): (url: string) => string {
  const { token_uri: uri } = credentials ?? {}
  if (uri === undefined || !URL.canParse(uri) || GOOGLE.test(new URL(uri).hostname)) return url => url
  return url => (/\/oauth2\/v4\/token$/.test(url) ? uri : url)
}

async function textOf(data: unknown): Promise<string> {
  if (typeof data === 'string') return data
  const pieces: Buffer[] = []
  try {
    for await (const piece of data as Readable) pieces.push(piece as Buffer)
  } catch (error) {
    throw failureOfConnection(error)
  }
  return Buffer.concat(pieces).toString()
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
