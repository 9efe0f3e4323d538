import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

const HASH_CHARACTERS = 32
const KEPT = 50

type Table = Readonly<Record<string, unknown>>

/**
 * Facts that the next program of this user need not ask a platform for again, in a file that only this user may read, below
 * LITHOPS_CACHE_DIR or the folder of temporary files. They must be such as are verified by use: a service that is gone is
 * noticed when it is invoked. A file that is damaged or cannot be written is none; of each table the last 50 facts are kept.
 *
 * @typeParam Facts the tables, each by its name, with the type of its facts; plain JSON
 */
export class KnownFacts<Facts extends object> {
  readonly #file: string
  #tables: Readonly<Record<string, Table>>

  /**
   * @param prefix what the name of the file begins with, such as 'knative'
   * @param scope tells accounts, regions, clusters, keys and ways to them apart; plain JSON, of which only the hash is kept
   */
  constructor(prefix: string, scope: readonly unknown[]) {
    const hash = createHash('sha256').update(JSON.stringify(scope)).digest('hex').slice(0, HASH_CHARACTERS)
    this.#file = join(cacheFolder(), `${prefix}-${hash}.json`)
    this.#tables = read(this.#file)
  }

  /** Undefined for what is not known. */
  find<Name extends keyof Facts & string>(table: Name, key: string): Facts[Name] | undefined {
    return this.#tables[table]?.[key] as Facts[Name] | undefined
  }

  /** In the place of what was known by that key. */
  add<Name extends keyof Facts & string>(table: Name, key: string, fact: Facts[Name]): void {
    this.#change(table, facts => {
      const others = Object.entries(facts).filter(([known]) => known !== key)
      return Object.fromEntries([...others, [key, fact] as const].slice(-KEPT))
    })
  }

  /** It turned out to be so no longer. What is not known is no error. */
  forget(table: keyof Facts & string, key: string): void {
    // what is here may be older than the file, to which others add
    if (this.#tables[table]?.[key] === undefined && read(this.#file)[table]?.[key] === undefined) return
    this.#change(table, ({ [key]: _, ...others }) => others)
  }

  #change(table: string, change: (facts: Table) => Table): void {
    const now = read(this.#file)
    this.#tables = { ...now, [table]: change(now[table] ?? {}) }
    try {
      write(this.#file, JSON.stringify(this.#tables))
    } catch {
      // the next program asks again
    }
  }
}

/** Whole, or not at all. */
function write(file: string, text: string): void {
  const temporary = `${file}.${randomBytes(4).toString('hex')}`
  mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(temporary, text, { mode: 0o600 })
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

function read(file: string): Readonly<Record<string, Table>> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, Table>>
  } catch {
    return {}
  }
}

function cacheFolder(): string {
  return process.env.LITHOPS_CACHE_DIR ?? join(tmpdir(), `lithops-facts-${userInfo().uid}`)
}
