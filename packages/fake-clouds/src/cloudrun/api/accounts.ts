import {
  createHmac,
  createPublicKey,
  createVerify,
  generateKeyPairSync,
  randomBytes,
  randomUUID,
} from 'node:crypto'

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const AUDIENCES = new Set([
  'https://oauth2.googleapis.com/token',
  'https://www.googleapis.com/oauth2/v4/token',
])

interface Token {
  readonly endsAtMs: number
  /** Of ID tokens. */
  readonly audience?: string
}

/**
 * One service account with a key, and Google's token endpoint for it. From: "Using OAuth 2.0 for Server to Server Applications": an
 * assertion that the key has signed becomes an access token, or an ID token for the audience that it names.
 */
export class Accounts {
  readonly email = 'deployer@project-of-tests.iam.gserviceaccount.com'
  readonly project = 'project-of-tests'
  readonly number = '123456789012'
  /** The account that workers have when none is named. */
  readonly defaultWorker = '123456789012-compute@developer.gserviceaccount.com'
  /** How many tokens were given. */
  readonly given = { access: 0, id: 0 }
  #permissions: ReadonlySet<string> | undefined
  readonly #privateKey: string
  readonly #secret = randomBytes(32)
  readonly #tokenMs: number
  /** A token of the platform's own, with which it pulls images. */
  readonly agentToken = `ya29.agent-${randomUUID()}`
  #tokens = new Map<string, Token>()

  constructor(options: {
    readonly permissions: readonly string[] | undefined
    readonly tokenMs: number
  }) {
    this.permit(options.permissions)
    this.#tokenMs = options.tokenMs
    this.#privateKey = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey
  }

  /** The file, as the console gives it. */
  keyFile(tokenUri: string): string {
    return JSON.stringify({
      type: 'service_account',
      project_id: this.project,
      private_key_id: randomUUID().replaceAll('-', ''),
      private_key: this.#privateKey,
      client_email: this.email,
      client_id: '100000000000000000001',
      token_uri: tokenUri,
      universe_domain: 'googleapis.com',
    })
  }

  /** Tokens that were given until now are no good any more. */
  expire(): void {
    this.#tokens = new Map()
  }

  /** Whether it is a live access token, or a text that the key has signed, which APIs take in its place. */
  isAccess(token: string): boolean {
    const found = this.#tokens.get(token)
    if (token === this.agentToken) return true
    if (found === undefined) return this.#isOwnSignature(token)
    return found.audience === undefined && found.endsAtMs > Date.now()
  }

  /** Whether it is a live ID token for this audience. */
  isFor(token: string, audience: string): boolean {
    const found = this.#tokens.get(token)
    return found?.audience === audience && found.endsAtMs > Date.now()
  }

  /** What it may do from now on; undefined: everything. */
  permit(permissions: readonly string[] | undefined): void {
    this.#permissions = permissions === undefined ? undefined : new Set(permissions)
  }

  may(permission: string): boolean {
    return this.#permissions?.has(permission) ?? true
  }

  /** The answer to a request for a token. */
  give(form: URLSearchParams): { readonly status: number; readonly body: object } {
    const refuse = (error: string, error_description: string) => ({
      status: 400,
      body: { error, error_description },
    })
    if (form.get('grant_type') !== GRANT) return refuse('unsupported_grant_type', 'Invalid grant_type')
    const assertion = form.get('assertion') ?? ''
    const claims = claimsOf(assertion)
    const isSigned = this.#isSigned(assertion)
    if (claims.iss !== this.email) return refuse('invalid_grant', 'Invalid grant: account not found')
    if (!isSigned) return refuse('invalid_grant', 'Invalid JWT Signature.')
    if (!AUDIENCES.has(claims.aud ?? ''))
      return refuse('invalid_grant', 'Invalid JWT: Failed audience check.')
    const { target_audience: audience } = claims
    if (audience !== undefined) return { status: 200, body: { id_token: this.#giveId(audience) } }
    if (claims.scope === undefined) return refuse('invalid_scope', 'Empty or missing scope not allowed.')
    return { status: 200, body: this.#giveAccess() }
  }

  /**
   * The answer of the metadata server of Google's machines, on which a program needs no key; undefined for what it does not have.
   * From: "About VM metadata".
   */
  metadata(path: string, query: URLSearchParams): string | undefined {
    const account = '/computeMetadata/v1/instance/service-accounts/default'
    switch (path) {
      case '/':
      case '/computeMetadata/v1/instance':
        return 'service-accounts/\n'
      case '/computeMetadata/v1/project/project-id':
        return this.project
      case '/computeMetadata/v1/universe/universe-domain':
        return 'googleapis.com'
      case `${account}/email`:
        return this.email
      case `${account}/token`:
        return JSON.stringify(this.#giveAccess())
      case `${account}/identity`:
        return this.#giveId(query.get('audience') ?? '')
      default:
        return undefined
    }
  }

  #giveId(audience: string): string {
    this.given.id++
    const endsAtMs = Date.now() + this.#tokenMs
    const token = this.#idToken(audience, endsAtMs)
    this.#tokens.set(token, { endsAtMs, audience })
    return token
  }

  #giveAccess() {
    this.given.access++
    const access_token = `ya29.${randomUUID()}`
    this.#tokens.set(access_token, { endsAtMs: Date.now() + this.#tokenMs })
    return { access_token, expires_in: Math.ceil(this.#tokenMs / 1000), token_type: 'Bearer' }
  }

  /** From: AIP-4111, "Self-signed JWT". */
  #isOwnSignature(token: string): boolean {
    const { iss, exp = 0, aud, scope } = claimsOf(token)
    const isForApis = scope !== undefined || /^https:\/\/[a-z]+\.googleapis\.com\/$/.test(aud ?? '')
    return iss === this.email && isForApis && exp * 1000 > Date.now() && this.#isSigned(token)
  }

  #isSigned(token: string): boolean {
    const [head, payload, signature] = token.split('.')
    return createVerify('RSA-SHA256')
      .update(`${head}.${payload}`)
      .verify(createPublicKey(this.#privateKey), Buffer.from(signature ?? '', 'base64url'))
  }

  #idToken(audience: string, endsAtMs: number): string {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { iss: 'https://accounts.google.com', aud: audience, email: this.email, jti: randomUUID() }
    const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ ...claims, exp: Math.floor(endsAtMs / 1000) })}`
    return `${text}.${createHmac('sha256', this.#secret).update(text).digest('base64url')}`
  }
}

interface Claims {
  readonly iss?: string
  readonly aud?: string
  readonly exp?: number
  readonly scope?: string
  readonly target_audience?: string
}

function claimsOf(token: string): Claims {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() || '{}') as Claims
  } catch {
    return {}
  }
}
