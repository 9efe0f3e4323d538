import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { RuntimeMetadata } from '@lithops/core/driver'
import type { Identity } from './clients.ts'

/** What an earlier program of this user has found out about one account and region, as those keys see it. */
interface Facts {
  readonly identity?: Identity
  readonly limit?: { readonly concurrency: number; readonly atMs: number }
  /** By name; names change with all that makes a function what it is. */
  readonly functions?: Readonly<Record<string, RuntimeMetadata>>
}

/** Quotas are raised now and then. */
const LIMIT_AGE_MS = 60 * 60 * 1000
const KEPT_FUNCTIONS = 50

/**
 * Facts that the next program need not ask for again, in a file that only this user may read. All of them are verified by
 * use: a function that is gone is noticed when it is invoked. A file that is damaged or cannot be written is none.
 */
export class KnownFacts {
  readonly #file: string
  #facts: Facts

  /** `scope` tells accounts, regions, endpoints and keys apart; only its hash is kept. */
  constructor(scope: readonly string[]) {
    const hash = createHash('sha256').update(JSON.stringify(scope)).digest('hex').slice(0, 32)
    this.#file = join(cacheFolder(), `aws-lambda-${hash}.json`)
    this.#facts = read(this.#file)
  }

  get identity(): Identity | undefined {
    return this.#facts.identity
  }

  set identity(identity: Identity) {
    this.#change({ identity })
  }

  /** Concurrent executions of the account; undefined when it was not asked for lately. */
  get concurrency(): number | undefined {
    const { limit } = this.#facts
    return limit !== undefined && Date.now() - limit.atMs < LIMIT_AGE_MS ? limit.concurrency : undefined
  }

  set concurrency(concurrency: number) {
    this.#change({ limit: { concurrency, atMs: Date.now() } })
  }

  functionOf(name: string): RuntimeMetadata | undefined {
    return this.#facts.functions?.[name]
  }

  addFunction(name: string, metadata: RuntimeMetadata): void {
    const others = Object.entries(this.#facts.functions ?? {}).filter(([known]) => known !== name)
    this.#change({ functions: Object.fromEntries([...others, [name, metadata]].slice(-KEPT_FUNCTIONS)) })
  }

  forgetFunction(name: string): void {
    const { [name]: gone, ...functions } = this.#facts.functions ?? {}
    if (gone !== undefined) this.#change({ functions })
  }

  #change(changed: Partial<Facts>): void {
    this.#facts = { ...read(this.#file), ...changed }
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
