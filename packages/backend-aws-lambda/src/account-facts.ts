import { KnownFacts, type RuntimeMetadata } from '@lithops/core/driver'
import type { Identity } from './clients.ts'

interface Facts {
  readonly identity: Identity
  readonly limit: { readonly concurrency: number; readonly atMs: number }
  /** By name; names change with all that makes a function what it is. */
  readonly functions: RuntimeMetadata
}

/** Quotas are raised now and then. */
const LIMIT_AGE_MS = 60 * 60 * 1000
/** There is one of it for each account. */
const OWN = 'own'

/** What an earlier program of this user has found out about one account and region, as those keys see it. */
export class AccountFacts {
  readonly #facts: KnownFacts<Facts>

  /** `scope` tells accounts, regions, endpoints and keys apart. */
  constructor(scope: readonly string[]) {
    this.#facts = new KnownFacts('aws-lambda', scope)
  }

  get identity(): Identity | undefined {
    return this.#facts.find('identity', OWN)
  }

  set identity(identity: Identity) {
    this.#facts.add('identity', OWN, identity)
  }

  /** Concurrent executions of the account; undefined when it was not asked for lately. */
  get concurrency(): number | undefined {
    const limit = this.#facts.find('limit', OWN)
    return limit !== undefined && Date.now() - limit.atMs < LIMIT_AGE_MS ? limit.concurrency : undefined
  }

  set concurrency(concurrency: number) {
    this.#facts.add('limit', OWN, { concurrency, atMs: Date.now() })
  }

  functionOf(name: string): RuntimeMetadata | undefined {
    return this.#facts.find('functions', name)
  }

  addFunction(name: string, metadata: RuntimeMetadata): void {
    this.#facts.add('functions', name, metadata)
  }

  forgetFunction(name: string): void {
    this.#facts.forget('functions', name)
  }
}
