import { pause } from '@lithops/core/driver'
import type { BaseService, IamAuthenticator } from 'ibm-cloud-sdk-core'
import type { CodeEngineSettings } from './config.ts'
import { bareError, hasStatus, mayPass } from './vendor-errors.ts'

/** The version of the API that answers are read as; any date from 2021-03-31 on is taken. */
const API_VERSION = '2026-06-15'
/** A request that takes longer is not answered any more. */
const REQUEST_MS = 60_000
const JSON_TYPE = 'application/json'
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

export interface ApiRequest extends CallOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the URL of the service, such as '/projects'. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number>>
  readonly body?: object
  /** Of what is changed: refused (412) when somebody was faster. */
  readonly entityTag?: string | undefined
  /** Of another service that takes the same tokens. Default: the API of Code Engine. */
  readonly serviceUrl?: string
  /** Default: JSON. What is not JSON is given as text. */
  readonly accept?: string
}

interface Opened {
  readonly authenticator: IamAuthenticator
  readonly send: (parameters: object) => Promise<{ readonly result: unknown }>
}

export type ClientSettings = Pick<
  CodeEngineSettings,
  'apiKey' | 'endpoint' | 'iamEndpoint' | 'connectionRetries'
>

/**
 * Requests of the API over IBM's library, which is loaded when the first of them is made. A token that is refused (401) is
 * fetched anew once. What may pass (429, 5xx, a broken connection) is asked again here and not by the library: everything
 * that is made has a name that is given once, so that what comes twice is refused (409) and does no harm.
 */
export class CodeEngineClient {
  readonly #settings: ClientSettings
  #opening: Promise<Opened> | undefined

  constructor(settings: ClientSettings) {
    this.#settings = settings
  }

  /** Rejects with ApiError or ConnectionError, or the signal's reason. */
  async call<T>(request: ApiRequest): Promise<T> {
    const { signal } = request
    let hasRenewed = false
    for (let tries = 0; ; tries++) {
      signal?.throwIfAborted()
      const opening = this.#open()
      try {
        return (await this.#send(await opening, request)) as T
      } catch (error) {
        signal?.throwIfAborted()
        if (hasStatus(error, 401) && !hasRenewed) {
          hasRenewed = true
          // others may have noticed, and opened it anew
          if (this.#opening === opening) this.#opening = undefined
          continue
        }
        if (!mayPass(error) || tries >= this.#settings.connectionRetries) throw error
        const { retryAfterMs = 0 } = error as { readonly retryAfterMs?: number }
        const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries)
        await pause(Math.max(retryAfterMs, longest * (0.5 + Math.random() / 2)), signal)
      }
    }
  }

  async #send({ authenticator, send }: Opened, request: ApiRequest): Promise<unknown> {
    const { method, path, query = {}, body, entityTag, signal, serviceUrl, accept = JSON_TYPE } = request
    const limit = AbortSignal.timeout(REQUEST_MS)
    try {
      await authenticator.authenticate({ headers: {} })
    } catch (error) {
      throw bareError(error, true)
    }
    try {
      const { result } = await send({
        options: {
          url: path,
          method,
          qs: serviceUrl === undefined ? { version: API_VERSION, ...query } : query,
          ...(body === undefined ? {} : { body }),
        },
        defaultOptions: {
          serviceUrl: serviceUrl ?? this.#settings.endpoint,
          headers: {
            Accept: accept,
            'Content-Type': method === 'PATCH' ? 'application/merge-patch+json' : JSON_TYPE,
            ...(entityTag === undefined ? {} : { 'If-Match': entityTag }),
          },
          axiosOptions: { signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) },
        },
      })
      return result
    } catch (error) {
      throw bareError(error, false)
    }
  }

  #open(): Promise<Opened> {
    if (this.#opening === undefined) {
      const opening = open(this.#settings)
      this.#opening = opening
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined
      })
    }
    return this.#opening
  }
}

async function open({ apiKey, endpoint, iamEndpoint }: ClientSettings): Promise<Opened> {
  const { BaseService, IamAuthenticator } = await import('ibm-cloud-sdk-core')
  const authenticator = new IamAuthenticator({ apikey: apiKey, url: iamEndpoint })
  class Service extends BaseService {
    send(parameters: object): Promise<{ readonly result: unknown }> {
      return this.createRequest(parameters)
    }
  }
  const service: BaseService & { send: Opened['send'] } = new Service({ authenticator, serviceUrl: endpoint })
  return { authenticator, send: parameters => service.send(parameters) }
}
