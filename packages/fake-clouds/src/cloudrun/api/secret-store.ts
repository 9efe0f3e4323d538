import type { CloudRunTiming } from '../options.ts'
import { refusals } from './refusal.ts'

interface Policy {
  readonly bindings?: readonly { readonly role: string; readonly members?: readonly string[] }[]
  readonly etag?: string
}

interface StoredVersion {
  data: string
  createdMs: number
  state: 'ENABLED' | 'DESTROYED'
}

interface StoredSecret {
  readonly labels: Readonly<Record<string, string>>
  readonly versions: StoredVersion[]
  policy: Policy
  policyAtMs: number
}

const READER = 'roles/secretmanager.secretAccessor'

/** The secrets of Secret Manager, with versions and the policy of each. */
export class SecretStore {
  readonly #secrets = new Map<string, StoredSecret>()
  readonly #number: string
  readonly #timing: Pick<CloudRunTiming, 'policyMs'>

  /** @param number of the project: names have it in the place of the id */
  constructor(number: string, timing: Pick<CloudRunTiming, 'policyMs'>) {
    this.#number = number
    this.#timing = timing
  }

  get names(): readonly string[] {
    return [...this.#secrets.keys()]
  }

  /** What is placed, to search it. */
  get text(): string {
    return [...this.#secrets.values()]
      .flatMap(({ versions }) => versions.map(({ data }) => Buffer.from(data, 'base64').toString('utf8')))
      .join('\n')
  }

  /** Versions that can be read, of all secrets. */
  get enabledCount(): number {
    return [...this.#secrets.values()].flatMap(({ versions }) => versions.filter(isEnabled)).length
  }

  /** All that was placed until now has been there for so much longer. */
  age(ms: number): void {
    for (const { versions } of this.#secrets.values()) for (const version of versions) version.createdMs -= ms
  }

  create(name: string, labels: Readonly<Record<string, string>>): object {
    if (this.#secrets.has(name)) throw refusals.exists(`Secret [${this.#full(name)}]`)
    this.#secrets.set(name, { labels, versions: [], policy: { etag: 'ACAB' }, policyAtMs: 0 })
    return this.read(name)
  }

  read(name: string): object {
    const { labels } = this.#find(name)
    return { name: this.#full(name), labels, replication: { automatic: {} } }
  }

  list(pageToken: string): object {
    const start = Number(pageToken || '0')
    const names = this.names
    const end = start + 2
    return {
      secrets: names.slice(start, end).map(name => this.read(name)),
      ...(end < names.length ? { nextPageToken: String(end) } : {}),
    }
  }

  remove(name: string): object {
    this.#find(name)
    this.#secrets.delete(name)
    return {}
  }

  addVersion(name: string, data: string): object {
    const { versions } = this.#find(name)
    versions.push({ data, createdMs: Date.now(), state: 'ENABLED' })
    return { name: `${this.#full(name)}/versions/${versions.length}`, state: 'ENABLED' }
  }

  access(name: string, version: string): object {
    const { versions } = this.#find(name)
    const number = version === 'latest' ? versions.length : Number(version)
    const found = versions[number - 1]
    if (found === undefined)
      throw refusals.notFound(`Secret Version [${this.#full(name)}/versions/${version}]`)
    if (!isEnabled(found))
      throw refusals.failedPrecondition(
        `Secret Version [${this.#full(name)}/versions/${version}] is in ${found.state} state.`,
      )
    return { name: `${this.#full(name)}/versions/${number}`, payload: { data: found.data } }
  }

  /** The newest first. */
  listVersions(name: string, pageToken: string): object {
    const { versions } = this.#find(name)
    const all = versions.map((_, i) => this.#readVersion(name, i + 1)).reverse()
    const start = Number(pageToken || '0')
    const end = start + 2
    return {
      versions: all.slice(start, end),
      ...(end < all.length ? { nextPageToken: String(end) } : {}),
    }
  }

  destroy(name: string, version: string): object {
    const found = this.#find(name).versions[Number(version) - 1]
    if (found === undefined)
      throw refusals.notFound(`Secret Version [${this.#full(name)}/versions/${version}]`)
    Object.assign(found, { state: 'DESTROYED', data: '' })
    return this.#readVersion(name, Number(version))
  }

  policy(name: string): Policy {
    return this.#find(name).policy
  }

  setPolicy(name: string, policy: Policy): Policy {
    Object.assign(this.#find(name), { policy, policyAtMs: Date.now() + this.#timing.policyMs })
    return policy
  }

  /** What a worker with this account sees; undefined where it may not look, or there is nothing. */
  seenBy(serviceAccount: string, name: string, version: string): string | undefined {
    const secret = this.#secrets.get(name)
    const member = `serviceAccount:${serviceAccount}`
    if (secret === undefined || Date.now() < secret.policyAtMs) return undefined
    const may = secret.policy.bindings?.some(
      ({ role, members = [] }) => role === READER && members.includes(member),
    )
    const found = secret.versions[(version === 'latest' ? secret.versions.length : Number(version)) - 1]
    return may && isEnabled(found) ? Buffer.from(found.data, 'base64').toString('utf8') : undefined
  }

  #readVersion(name: string, number: number): object {
    const { createdMs = 0, state } = this.#find(name).versions[number - 1] ?? {}
    return {
      name: `${this.#full(name)}/versions/${number}`,
      createTime: new Date(createdMs).toISOString(),
      state,
    }
  }

  #find(name: string): StoredSecret {
    const found = this.#secrets.get(name)
    if (found === undefined) throw refusals.notFound(`Secret [${this.#full(name)}]`)
    return found
  }

  #full(name: string): string {
    return `projects/${this.#number}/secrets/${name}`
  }
}

function isEnabled(version: StoredVersion | undefined): version is StoredVersion & { state: 'ENABLED' } {
  return version?.state === 'ENABLED'
}
