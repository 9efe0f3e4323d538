import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { sha256Hex, uniqueDigits } from '../builtins.ts'
import type { NativePackage } from '../driver/compute-backend.ts'

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
  readonly externalPackages: readonly NativePackage[]
}

/** Hex characters of the hashes in file names. */
const HASH_LENGTH = 32

export function contentHash(...parts: (string | Uint8Array)[]): string {
  return sha256Hex(...parts.flatMap(part => [part, '\0'])).slice(0, HASH_LENGTH)
}

/** Bytes that the cache may take; beyond that, what was used least recently is removed. */
const MAX_BYTES = 512 * 1024 * 1024
/** What nobody has used for so long is removed, whatever the size. */
const MAX_AGE_MS = 30 * 24 * 60 * 60 * 1000
/** What was used within this time is kept: a job somewhere may be under way with it. */
const MIN_AGE_MS = 24 * 60 * 60 * 1000

export interface BundleCacheOptions {
  /** Default: LITHOPS_CACHE_DIR, else a folder of this user below the temporary one. */
  readonly directory?: string
  readonly maxBytes?: number
}

/**
 * Bundles on this machine's disk, by content: `<hash>.mjs`, its source map `<hash>.map`, and for each build
 * `<key>.json`, which says what it read. Files are written under another name and renamed, so that several processes
 * may use one cache; what is damaged is built again. The time of a file is that of its last use. A process that writes
 * looks once for what is too old or too much, and removes it.
 */
export class BundleCache {
  readonly #wanted: string | undefined
  readonly #maxBytes: number
  #directory: Promise<string> | undefined
  #isTidied = false

  constructor({ directory, maxBytes = MAX_BYTES }: BundleCacheOptions = {}) {
    this.#wanted = directory
    this.#maxBytes = maxBytes
  }

  /**
   * Puts a module there, and its source map, unless they lie there already, whole. Returns the path of the module, or
   * undefined when the disk does not take it: then there is no cache.
   */
  async putModule(hash: string, text: string, sourceMap?: string): Promise<string | undefined> {
    try {
      return await this.#putModule(hash, text, sourceMap)
    } catch {
      // full, or made read-only in the meantime: another disk may have room
      this.#directory = Promise.resolve(ownFolder(await this.#folder()))
    }
    return this.#putModule(hash, text, sourceMap).catch(() => undefined)
  }

  async #putModule(hash: string, text: string, sourceMap: string | undefined): Promise<string> {
    if (sourceMap !== undefined) await this.#put(`${hash}.map`, sourceMap)
    return this.#put(`${hash}.mjs`, text)
  }

  async #sourceMapOf(hash: string): Promise<string | undefined> {
    return readOrNothing(join(await this.#folder(), `${hash}.map`))
  }

  /**
   * The record of an earlier build, with its module, if module and source map are there, undamaged, and all
   * it read is unchanged.
   */
  async find(
    key: string,
  ): Promise<(BundleRecord & { readonly file: string; readonly code: string }) | undefined> {
    const folder = await this.#folder()
    const text = await readOrNothing(join(folder, `${key}.json`))
    const record = text === undefined ? undefined : parseRecord(text)
    if (record === undefined) return undefined
    const file = join(folder, `${record.hash}.mjs`)
    const [module, sourceMap] = await Promise.all([readOrNothing(file), this.#sourceMapOf(record.hash)])
    if (module === undefined || contentHash(module) !== record.hash) return undefined
    if (sourceMap === undefined || contentHash(sourceMap) !== record.sourceMapHash) return undefined
    const areSame = await Promise.all(record.inputs.map(isUnchanged))
    if (!areSame.every(Boolean)) return undefined
    await Promise.all([touch(join(folder, `${key}.json`)), this.touch(record.hash)])
    return { ...record, file, code: module }
  }

  /** Notes that a module is used. Returns whether it is still there. */
  async touch(hash: string): Promise<boolean> {
    const folder = await this.#folder()
    await touch(join(folder, `${hash}.map`))
    return touch(join(folder, `${hash}.mjs`))
  }

  /** Without the record, the next process builds again: no reason for an error. */
  async remember(key: string, record: BundleRecord): Promise<void> {
    await this.#write(`${key}.json`, JSON.stringify(record)).catch(() => {})
  }

  async #put(name: string, text: string): Promise<string> {
    const file = join(await this.#folder(), name)
    const there = await readOrNothing(file)
    if (there === text) await touch(file)
    else await this.#write(name, text)
    return file
  }

  async #write(name: string, text: string): Promise<void> {
    const folder = await this.#folder()
    const temporary = join(folder, `.${name}.${uniqueDigits()}`)
    try {
      await writeFile(temporary, text)
      await rename(temporary, join(folder, name))
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
    if (this.#isTidied) return
    this.#isTidied = true
    this.tidy().catch(() => {}) // nobody waits for it, and another process may tidy up as well
  }

  /** Removes what is too old, and what was used least recently until the rest is small enough. */
  async tidy(nowMs = Date.now()): Promise<void> {
    const folder = await this.#folder()
    const files = await filesOf(folder)
    let bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    for (const { file, sizeBytes, usedMs } of files.sort((a, b) => a.usedMs - b.usedMs)) {
      const ageMs = nowMs - usedMs
      if (ageMs < MIN_AGE_MS || (ageMs < MAX_AGE_MS && bytes <= this.#maxBytes)) continue
      await rm(file, { force: true })
      bytes -= sizeBytes
    }
  }

  #folder(): Promise<string> {
    this.#directory ??= writableFolder(this.#wanted ?? defaultDirectory())
    return this.#directory
  }
}

function defaultDirectory(): string {
  return process.env.LITHOPS_CACHE_DIR ?? join(tmpdir(), `lithops-${userName()}`, 'cache', 'functions')
}

/** The folder, or one of this process when it cannot be written. */
async function writableFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const probe = join(folder, `.probe.${uniqueDigits()}`)
    await writeFile(probe, '')
    await rename(probe, join(folder, '.writable'))
    return folder
  } catch {
    return ownFolder(folder)
  }
}

/** A folder that goes with this process. Where there is none to be had, the one that was wanted: writing to it fails. */
function ownFolder(wanted: string): string {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'lithops-cache-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    return folder
  } catch {
    return wanted
  }
}

interface CachedFile {
  readonly file: string
  readonly sizeBytes: number
  readonly usedMs: number
}

/** The cache's own files, those included that a process did not finish to write. */
async function filesOf(folder: string): Promise<CachedFile[]> {
  const names = await readdir(folder)
  const found = await Promise.all(
    names.map(async (name): Promise<CachedFile[]> => {
      if (!/^\.?[0-9a-f]{32}\.(mjs|map|json)(\.[0-9a-f]{12})?$/.test(name)) return []
      const file = join(folder, name)
      try {
        const { size, mtimeMs } = await stat(file)
        return [{ file, sizeBytes: size, usedMs: mtimeMs }]
      } catch {
        return [] // another process has removed it
      }
    }),
  )
  return found.flat()
}

/** Sets a file's time to now; tells whether the file is there. */
async function touch(file: string): Promise<boolean> {
  const now = new Date()
  try {
    await utimes(file, now, now)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT' // read-only, for instance
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
