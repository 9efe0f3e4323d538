import { createPublicKey, createVerify, generateKeyPairSync, randomUUID } from 'node:crypto'
import type { GcsPermission } from './permissions.ts'

/** A service account with a key. */
export interface GcsAccount {
  readonly email: string
  /** The key's file, as the console gives it. */
  readonly keyFile: string
  readonly privateKey: string
  readonly permissions: ReadonlySet<GcsPermission>
}

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** Google's addresses of one and the same endpoint. */
const AUDIENCES = new Set([
  'https://oauth2.googleapis.com/token',
  'https://www.googleapis.com/oauth2/v4/token',
])
const LEEWAY_S = 300
const LIFETIME_S = 3600

/**
 * Google's token endpoint for service accounts, and what it knows of them. From: "Using OAuth 2.0 for Server to Server
 * Applications": an assertion that the key has signed becomes a bearer token.
 */
export class ServiceAccounts {
  /** How many tokens were given. */
  tokenCount = 0
  /** How far the service's clock is from this machine's. */
  clockOffsetMs = 0
  readonly #accounts = new Map<string, GcsAccount>()
  readonly #tokens = new Map<string, GcsAccount>()

  create(permissions: readonly GcsPermission[], tokenUri: string): GcsAccount {
    const email = `worker-${this.#accounts.size}@project.iam.gserviceaccount.com`
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    const keyFile = JSON.stringify({
      type: 'service_account',
      project_id: 'project',
      private_key_id: randomUUID().replaceAll('-', ''),
      private_key: privateKey,
      client_email: email,
      client_id: '100000000000000000001',
      token_uri: tokenUri,
      universe_domain: 'googleapis.com',
    })
    const account = { email, keyFile, privateKey, permissions: new Set(permissions) }
    this.#accounts.set(email, account)
    return account
  }

  get(email: string): GcsAccount | undefined {
    return this.#accounts.get(email)
  }

  get nowMs(): number {
    return Date.now() + this.clockOffsetMs
  }

  /** Tokens that were given until now are no good any more. */
  revoke(): void {
    this.#tokens.clear()
  }

  /** Who has the token; undefined when nobody does. */
  owner(token: string): GcsAccount | undefined {
    return this.#tokens.get(token)
  }

  /** The answer to a request for a token. */
  give(form: URLSearchParams): { readonly status: number; readonly body: object } {
    const refuse = (error: string, error_description: string) => ({
      status: 400,
      body: { error, error_description },
    })
    if (form.get('grant_type') !== GRANT) return refuse('unsupported_grant_type', 'Invalid grant_type')
    const [head, payload, signature] = (form.get('assertion') ?? '').split('.')
    const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString() || '{}') as {
      readonly iss?: string
      readonly aud?: string
      readonly iat?: number
      readonly exp?: number
      readonly scope?: string | readonly string[]
    }
    const account = this.#accounts.get(claims.iss ?? '')
    if (account === undefined) return refuse('invalid_grant', 'Invalid grant: account not found')
    if (!isSignedBy(account, `${head}.${payload}`, Buffer.from(signature ?? '', 'base64url'))) {
      return refuse('invalid_grant', 'Invalid JWT Signature.')
    }
    if (!AUDIENCES.has(claims.aud ?? ''))
      return refuse('invalid_grant', 'Invalid JWT: Failed audience check.')
    const { iat = 0, exp = 0 } = claims
    const now = this.nowMs / 1000
    if (iat > now + LEEWAY_S || exp < now - LEEWAY_S || exp - iat > LIFETIME_S) {
      return refuse(
        'invalid_grant',
        'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
      )
    }
    if (claims.scope === undefined) return refuse('invalid_scope', 'Empty or missing scope not allowed.')
    this.tokenCount++
    const access_token = `ya29.${randomUUID()}`
    this.#tokens.set(access_token, account)
    return { status: 200, body: { access_token, expires_in: LIFETIME_S, token_type: 'Bearer' } }
  }
}

/** Whether the account's key has made the signature. */
export function isSignedBy({ privateKey }: GcsAccount, text: string, signature: Buffer): boolean {
  return createVerify('RSA-SHA256').update(text).verify(createPublicKey(privateKey), signature)
}
