import { ConfigError, RuntimeDeployError } from '@lithops/core/driver'
import type { AuthClient, GoogleAuth } from 'google-auth-library'
import type { CloudRunSettings } from './config.ts'
import { type GivenCredentials, readCredentials } from './credentials.ts'

/** Rights are given to the identity, not to the token. From: Google Cloud, "OAuth 2.0 scopes". */
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const GOOGLE = /(^|\.)(googleapis|google)\.com$/
/** Tokens live for an hour: a new one is fetched so long before the end. A service looks at them when a request comes. */
const RENEW_BEFORE_MS = 5 * 60 * 1000
/** One that has less left, as the platform's own may, is used for so long all the same, and not fetched for each request. */
const LEAST_USE_MS = 30_000

type AccountSettings = Pick<CloudRunSettings, 'credentials' | 'credentialsPath' | 'project'>

interface IdToken {
  readonly token: string
  readonly renewAtMs: number
}

/** A client of Google's library that can make ID tokens: service accounts, the platform's identity, impersonation. */
interface IdTokenSource {
  fetchIdToken(audience: string): Promise<string>
}

/**
 * Who the program is at Google: access tokens for APIs and the registry, ID tokens for services. Google's library is loaded
 * when the first of them is needed.
 */
export class GoogleAccount {
  readonly given: GivenCredentials | undefined
  readonly #settings: AccountSettings
  #auth: Promise<GoogleAuth<AuthClient>> | undefined
  #project: Promise<string> | undefined
  readonly #idTokens = new Map<string, Promise<IdToken>>()

  /** Reads the file of credentials. Throws ConfigError for one that is none. */
  constructor(settings: AccountSettings) {
    this.#settings = settings
    this.given = readCredentials(settings)
  }

  /** The id of the project. Throws ConfigError where neither the config nor the credentials name one. */
  project(): Promise<string> {
    this.#project ??= this.#findProject()
    return this.#project
  }

  /** For the official clients: one copy of the library, so that it is the class that they know. */
  auth(): Promise<GoogleAuth<AuthClient>> {
    this.#auth ??= this.#open()
    return this.#auth
  }

  /** For APIs, and as a password of Google's registries. Throws RuntimeDeployError. */
  async accessToken(): Promise<string> {
    try {
      const token = await (await this.auth()).getAccessToken()
      if (typeof token === 'string' && token !== '') return token
    } catch (error) {
      throw noToken('an access token', error)
    }
    throw noToken('an access token', new Error('the answer has none'))
  }

  /** The access token was refused: the next one is another. */
  async refuseAccessToken(): Promise<void> {
    const client = await (await this.auth()).getClient()
    // what is beside it says how to get another
    client.credentials = { ...client.credentials, access_token: null, expiry_date: 1 }
  }

  /**
   * For calls of a service; kept until shortly before its end.
   *
   * @param audience URL of the service
   * @throws RuntimeDeployError where this identity has none
   */
  async idToken(audience: string): Promise<string> {
    const known = this.#idTokens.get(audience)
    if (known !== undefined) {
      const { token, renewAtMs } = await known
      if (Date.now() < renewAtMs) return token
      this.#forget(audience, known)
    }
    let fetching = this.#idTokens.get(audience)
    if (fetching === undefined) {
      const fetched = this.#fetchIdToken(audience)
      fetching = fetched
      this.#idTokens.set(audience, fetched)
      fetched.catch(() => this.#forget(audience, fetched))
    }
    return (await fetching).token
  }

  /** A service has refused this token: the next one is another. */
  async refuseIdToken(audience: string, token: string): Promise<void> {
    const known = this.#idTokens.get(audience)
    if (known === undefined) return
    const current = await known.catch(() => undefined)
    if (current?.token === token) this.#forget(audience, known)
  }

  /** Only where nobody has put another in its place. */
  #forget(audience: string, known: Promise<IdToken>): void {
    if (this.#idTokens.get(audience) === known) this.#idTokens.delete(audience)
  }

  async #fetchIdToken(audience: string): Promise<IdToken> {
    let token: string
    try {
      const client = await (await this.auth()).getClient()
      if (!('fetchIdToken' in client)) throw new Error('these credentials cannot make ID tokens')
      token = await (client as AuthClient & IdTokenSource).fetchIdToken(audience)
    } catch (error) {
      throw noToken(`an ID token for ${audience}`, error)
    }
    return { token, renewAtMs: Math.max(expiryOf(token) - RENEW_BEFORE_MS, Date.now() + LEAST_USE_MS) }
  }

  async #findProject(): Promise<string> {
    const named = this.#settings.project ?? this.given?.content.project_id
    if (named !== undefined) return named
    try {
      return await (await this.auth()).getProjectId()
    } catch {
      throw new ConfigError(
        'The project is not known: give gcp_cloudrun.project_name, or credentials that name theirs (credentials_path, GOOGLE_APPLICATION_CREDENTIALS).',
      )
    }
  }

  async #open(): Promise<GoogleAuth<AuthClient>> {
    const library = await import('google-auth-library')
    const { content } = this.given ?? {}
    const project = this.#settings.project === undefined ? {} : { projectId: this.#settings.project }
    const address = addressOfTokens(content)
    return new library.GoogleAuth<AuthClient>({
      ...project,
      scopes: [SCOPE],
      ...(content === undefined ? {} : { credentials: content as object }),
      clientOptions: {
        transporterOptions: {
          adapter: (options, send) => send({ ...options, url: new URL(address(String(options.url))) }),
        },
      },
    })
  }
}

/** Tokens come from where the key says. The library has Google's own address, which means the same. */
function addressOfTokens(credentials: GivenCredentials['content'] | undefined): (url: string) => string {
  const { token_uri: uri } = credentials ?? {}
  if (uri === undefined || !URL.canParse(uri) || GOOGLE.test(new URL(uri).hostname)) return url => url
  return url => (/^https:\/\/(www|oauth2)\.googleapis\.com\/(oauth2\/v4\/)?token$/.test(url) ? uri : url)
}

/** Milliseconds since 1970; now for what is no JSON Web Token. */
function expiryOf(token: string): number {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      readonly exp?: number
    }
    return (exp ?? 0) * 1000
  } catch {
    return 0
  }
}

function noToken(what: string, error: unknown): RuntimeDeployError {
  const { message, code, response } = error as Error & {
    readonly code?: unknown
    readonly response?: { readonly status?: number; readonly data?: unknown }
  }
  const said = saidIn(response?.data) ?? message
  const status = response?.status
  const isPassing = status === undefined ? /^(E[A-Z]+|ETIMEDOUT)$/.test(String(code)) : status >= 500
  const advice = /could not load the default credentials/i.test(message)
    ? ' Give gcp_cloudrun.credentials_path, or log in with `gcloud auth application-default login`.'
    : /cannot make ID tokens|cannot fetch ID token/i.test(message)
      ? ' Use the key of a service account, or impersonate one: `gcloud auth application-default login --impersonate-service-account=NAME@PROJECT.iam.gserviceaccount.com`.'
      : isPassing
        ? ''
        : ' Check the credentials, and the clock of this machine.'
  // the library's own error has the whole request in it
  return new RuntimeDeployError(`Google gave no token, ${what}: ${said}.${advice}`, {
    isRetryable: isPassing,
    details: { status },
    cause: new Error(said),
  })
}

/** From: RFC 6749, "Error Response". */
function saidIn(data: unknown): string | undefined {
  const { error, error_description: description } = (
    typeof data === 'object' && data !== null ? data : {}
  ) as { readonly error?: unknown; readonly error_description?: unknown }
  if (typeof error !== 'string') return undefined
  return typeof description === 'string' ? `${error}: ${description}` : error
}
