import { randomBytes } from 'node:crypto'

/** Who signed a request. */
export interface Identity {
  readonly arn: string
  readonly userId: string
  readonly accountId: string
  /** Policies that bound what it may do; without any it may do everything. */
  readonly policies?: readonly object[]
}

export interface AccessKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiresAtMs?: number
  readonly identity: Identity
}

/** The access keys that this cloud knows: of users, and of sessions that end. */
export class Credentials {
  readonly #keys = new Map<string, AccessKey>()
  readonly #expired = new Set<AccessKey>()

  add(key: AccessKey): AccessKey {
    this.#keys.set(key.accessKeyId, key)
    return key
  }

  find(accessKeyId: string): AccessKey | undefined {
    return this.#keys.get(accessKeyId)
  }

  addUser(identity: Identity): AccessKey {
    return this.add({ accessKeyId: `AKIA${identifier(16)}`, secretAccessKey: secret(30), identity })
  }

  /** Keys of a session, as AssumeRole gives them. */
  addSession(identity: Identity, lifetimeS: number): AccessKey & { readonly sessionToken: string } {
    const session = {
      accessKeyId: `ASIA${identifier(16)}`,
      secretAccessKey: secret(30),
      sessionToken: secret(180),
      expiresAtMs: Date.now() + lifetimeS * 1000,
      identity,
    }
    this.add(session)
    return session
  }

  isExpired(key: AccessKey): boolean {
    if (key.expiresAtMs === undefined) return false
    return key.expiresAtMs <= Date.now() || this.#expired.has(key)
  }

  /** Sessions that were given until now are over. */
  expireSessions(): void {
    for (const key of this.#keys.values()) if (key.expiresAtMs !== undefined) this.#expired.add(key)
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Letters and digits as in AWS's identifiers. */
export function identifier(length: number): string {
  return Array.from(randomBytes(length), byte => ALPHABET[byte % ALPHABET.length]).join('')
}

function secret(bytes: number): string {
  return randomBytes(bytes).toString('base64')
}
