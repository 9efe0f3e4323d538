import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { RuntimeMetadata } from '@lithops/core/driver'
import type { Route } from './ingress.ts'

/** A service that was ready, and the way to it. */
export interface KnownService {
  readonly metadata: RuntimeMetadata
  readonly route: Route
}

/** What an earlier program of this user has found out about one cluster and namespace. */
interface Facts {
  /** By name; names change with all that makes a service what it is. */
  readonly services?: Readonly<Record<string, KnownService>>
  /** Digests by image; tags of content stand for the same for ever. */
  readonly digests?: Readonly<Record<string, string>>
}

const KEPT = 50

/**
 * Facts that the next program need not ask for again, in a file that only this user may read. All of them are verified by
 * use: a service that is gone is noticed when it is invoked. A file that is damaged or cannot be written is none.
 */
export class KnownFacts {
  readonly #file: string
  #facts: Facts

  /** `scope` tells clusters, namespaces and ways to them apart; only its hash is kept. */
  constructor(scope: readonly unknown[]) {
    const hash = createHash('sha256').update(JSON.stringify(scope)).digest('hex').slice(0, 32)
    this.#file = join(cacheFolder(), `knative-${hash}.json`)
    this.#facts = read(this.#file)
  }

  serviceOf(name: string): KnownService | undefined {
    return this.#facts.services?.[name]
  }

  addService(name: string, service: KnownService): void {
    this.#change(facts => ({ services: added(facts.services, name, service) }))
  }

  forgetService(name: string): void {
    if (this.#facts.services?.[name] === undefined) return
    this.#change(({ services = {} }) => {
      const { [name]: _, ...others } = services
      return { services: others }
    })
  }

  digestOf(image: string): string | undefined {
    return this.#facts.digests?.[image]
  }

  addDigest(image: string, digest: string): void {
    this.#change(facts => ({ digests: added(facts.digests, image, digest) }))
  }

  /** The registry does not have it any more. */
  forgetDigest(image: string): void {
    this.#change(({ digests = {} }) => {
      const { [image]: _, ...others } = digests
      return { digests: others }
    })
  }

  #change(change: (facts: Facts) => Partial<Facts>): void {
    const now = read(this.#file)
    this.#facts = { ...now, ...change(now) }
    const temporary = `${this.#file}.${randomBytes(4).toString('hex')}`
    try {
      mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 })
      writeFileSync(temporary, JSON.stringify(this.#facts), { mode: 0o600 })
      renameSync(temporary, this.#file)
    } catch {
      rmSync(temporary, { force: true }) // the next program asks again
    }
  }
}

function added<T>(all: Readonly<Record<string, T>> = {}, name: string, value: T): Record<string, T> {
  const others = Object.entries(all).filter(([known]) => known !== name)
  return Object.fromEntries([...others, [name, value] as const].slice(-KEPT))
}

function read(file: string): Facts {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Facts
  } catch {
    return {}
  }
}

function cacheFolder(): string {
  return process.env.LITHOPS_CACHE_DIR ?? join(tmpdir(), `lithops-facts-${userInfo().uid}`)
}
