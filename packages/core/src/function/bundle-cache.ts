import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** What a build read, so that a later process can tell whether the bundle is still right. */
export interface BundleInput {
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedMs: number
  readonly hash: string
}

/** What is kept of a build beside the module itself. */
export interface BundleRecord {
  readonly hash: string
  readonly sourceMapHash: string
  readonly sizeBytes: number
  readonly inputs: readonly BundleInput[]
  readonly externalPackages: readonly { readonly name: string; readonly version: string }[]
}

/** Hex characters of the hashes in file names. */
const HASH_LENGTH = 32

export function contentHash(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex').slice(0, HASH_LENGTH)
}

/**
 * Bundles on this machine's disk, by content: `<hash>.mjs`, its source map `<hash>.map`, and for each build
 * `<key>.json`, which says what it read. Files are written under another name and renamed, so that several processes
 * may use one cache; what is damaged is built again.
 */
export class BundleCache {
  #directory: Promise<string> | undefined

  /** Path of a module with this hash. */
  async fileOf(hash: string): Promise<string> {
    return join(await this.#folder(), `${hash}.mjs`)
  }

  /** Puts a module there, and its source map, unless they lie there already, whole. */
  async putModule(hash: string, text: string, sourceMap?: string): Promise<string> {
    if (sourceMap !== undefined) await this.#put(`${hash}.map`, sourceMap)
    await this.#put(`${hash}.mjs`, text)
    return this.fileOf(hash)
  }

  async sourceMapOf(hash: string): Promise<string | undefined> {
    return readOrNothing(join(await this.#folder(), `${hash}.map`))
  }

  /** The record of an earlier build, if its module and source map are there, undamaged, and all it read is unchanged. */
  async find(key: string): Promise<BundleRecord | undefined> {
    const folder = await this.#folder()
    const text = await readOrNothing(join(folder, `${key}.json`))
    if (text === undefined) return undefined
    const record = parseRecord(text)
    if (record === undefined) return undefined
    const [module, sourceMap] = await Promise.all([
      readOrNothing(join(folder, `${record.hash}.mjs`)),
      this.sourceMapOf(record.hash),
    ])
    if (module === undefined || contentHash(module) !== record.hash) return undefined
    if (sourceMap === undefined || contentHash(sourceMap) !== record.sourceMapHash) return undefined
    const areSame = await Promise.all(record.inputs.map(isUnchanged))
    return areSame.every(Boolean) ? record : undefined
  }

  async remember(key: string, record: BundleRecord): Promise<void> {
    await this.#write(`${key}.json`, JSON.stringify(record))
  }

  async #put(name: string, text: string): Promise<void> {
    const there = await readOrNothing(join(await this.#folder(), name))
    if (there !== text) await this.#write(name, text)
  }

  async #write(name: string, text: string): Promise<void> {
    const folder = await this.#folder()
    const temporary = join(folder, `.${name}.${randomBytes(6).toString('hex')}`)
    await writeFile(temporary, text)
    await rename(temporary, join(folder, name))
  }

  /** LITHOPS_CACHE_DIR, else a folder of this user below the temporary one; a fresh folder when that cannot be written. */
  #folder(): Promise<string> {
    this.#directory ??= makeFolder()
    return this.#directory
  }
}

async function makeFolder(): Promise<string> {
  const folder =
    process.env.LITHOPS_CACHE_DIR ?? join(tmpdir(), `lithops-${userName()}`, 'cache', 'functions')
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const probe = join(folder, `.probe.${randomBytes(6).toString('hex')}`)
    await writeFile(probe, '')
    await rename(probe, join(folder, '.writable'))
    return folder
  } catch {
    return mkdtempSync(join(tmpdir(), 'lithops-cache-'))
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'user')
  }
}

async function readOrNothing(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return undefined
  }
}

function parseRecord(text: string): BundleRecord | undefined {
  try {
    const record = JSON.parse(text) as BundleRecord
    return typeof record.hash === 'string' && Array.isArray(record.inputs) ? record : undefined
  } catch {
    return undefined
  }
}

/** What a file is like now, to be compared later. */
export async function inputOf(path: string): Promise<BundleInput> {
  const [content, { size, mtimeMs }] = await Promise.all([readFile(path), stat(path)])
  return { path, sizeBytes: size, modifiedMs: mtimeMs, hash: contentHash(content) }
}

async function isUnchanged(input: BundleInput): Promise<boolean> {
  try {
    const { size, mtimeMs } = await stat(input.path)
    if (size !== input.sizeBytes) return false
    return mtimeMs === input.modifiedMs || contentHash(await readFile(input.path)) === input.hash
  } catch {
    return false
  }
}
