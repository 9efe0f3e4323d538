import type { CloudRunTiming } from '../options.ts'
import { refusals } from './refusal.ts'

interface Policy {
  readonly bindings?: readonly { readonly role: string; readonly members?: readonly string[] }[]
  readonly etag?: string
}

interface StoredSecret {
  readonly labels: Readonly<Record<string, string>>
  readonly versions: string[]
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
      .flatMap(({ versions }) => versions.map(data => Buffer.from(data, 'base64').toString('utf8')))
      .join('\n')
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
    versions.push(data)
    return { name: `${this.#full(name)}/versions/${versions.length}`, state: 'ENABLED' }
  }

  access(name: string, version: string): object {
    const { versions } = this.#find(name)
    const number = version === 'latest' ? versions.length : Number(version)
    const data = versions[number - 1]
    if (data === undefined)
      throw refusals.notFound(`Secret Version [${this.#full(name)}/versions/${version}]`)
    return { name: `${this.#full(name)}/versions/${number}`, payload: { data } }
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
    const data = secret.versions[(version === 'latest' ? secret.versions.length : Number(version)) - 1]
    return may && data !== undefined ? Buffer.from(data, 'base64').toString('utf8') : undefined
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
