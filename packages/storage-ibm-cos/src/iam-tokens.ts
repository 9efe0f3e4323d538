import { IamTokenManager } from 'ibm-cloud-sdk-core'

const TIMEOUT_MS = 30_000
/** A token that is refused so soon after it was fetched is not refused for its age. */
const MIN_RENEWAL_MS = 60_000

/** Bearer tokens for an API key. They are kept, and renewed before they expire, by IBM's library. */
export class IamTokens {
  readonly #open: () => IamTokenManager
  readonly #now: () => number
  #manager: IamTokenManager
  #renewedAt = Number.NEGATIVE_INFINITY

  constructor(options: { readonly apiKey: string; readonly url: string; readonly now?: () => number }) {
    this.#open = () =>
      new IamTokenManager({ apikey: options.apiKey, url: options.url, timeout: TIMEOUT_MS } as never)
    this.#manager = this.#open()
    this.#now = options.now ?? Date.now
  }

  /** A token that is valid now. Errors have names that the storage knows: keys that are refused, or a service that is not there. */
  async get(): Promise<string> {
    try {
      return await this.#manager.getToken()
    } catch (error) {
      const {
        status,
        statusCode = status,
        message,
      } = error as {
        readonly status?: number
        readonly statusCode?: number
        readonly message: string
      }
      const isRefused =
        statusCode !== undefined && statusCode >= 400 && statusCode < 500 && statusCode !== 429
      // the library's error holds the request, and that the API key
      throw Object.assign(new Error(`IAM gives no token for the API key: ${message}`), {
        name: isRefused ? 'TokenProviderError' : 'InternalError',
        $metadata: { httpStatusCode: statusCode },
      })
    }
  }

  /** The service has refused the token: the next one is fetched. False when that has just been done. */
  renew(): boolean {
    if (this.#now() - this.#renewedAt < MIN_RENEWAL_MS) return false
    this.#renewedAt = this.#now()
    this.#manager = this.#open()
    return true
  }
}
