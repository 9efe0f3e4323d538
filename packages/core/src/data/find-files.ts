import type { BigIntStats, Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { fileError, fileTag } from '../piece/file-reader.ts'
import type { Place } from './address.ts'
import type { FoundObject } from './found-object.ts'
import { literalPrefix, matcher } from './glob.ts'

const STATS_AT_ONCE = 32

/** A file, the files below a folder, or those whose paths match a pattern, in the order of their paths. */
export async function* findFiles(
  place: Extract<Place, { kind: 'file' }>,
  signal: AbortSignal | undefined,
): AsyncGenerator<FoundObject, void, undefined> {
  const { path } = place
  if (place.isPattern) {
    const matches = await matcher(slashed(path))
    const prefix = literalPrefix(path)
    const folder = prefix.endsWith(sep) ? prefix : dirname(prefix)
    yield* filesBelow(folder, candidate => matches(slashed(candidate)), signal)
    return
  }
  const stats = await statOf(path)
  if (stats.isDirectory()) yield* filesBelow(path, () => true, signal)
  else yield found(path, stats)
}

/** Links to files are followed, links to folders are not: they may lead back. */
async function* filesBelow(
  folder: string,
  matches: (path: string) => boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<FoundObject, void, undefined> {
  signal?.throwIfAborted()
  const entries = await readFolder(folder)
  for (let at = 0; at < entries.length; ) {
    const entry = entries[at] as Dirent
    if (entry.isDirectory()) {
      yield* filesBelow(join(folder, entry.name), matches, signal)
      at++
      continue
    }
    const files: string[] = []
    for (; at < entries.length && files.length < STATS_AT_ONCE && !entries[at]?.isDirectory(); at++) {
      const path = join(folder, (entries[at] as Dirent).name)
      if (matches(path)) files.push(path)
    }
    const stats = await Promise.all(files.map(statIfThere))
    for (const [i, path] of files.entries()) {
      const one = stats[i]
      if (one?.isFile()) yield found(path, one)
    }
  }
}

async function readFolder(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    throw fileError(error, folder)
  }
}

async function statOf(path: string): Promise<BigIntStats> {
  try {
    return await stat(path, { bigint: true })
  } catch (error) {
    throw fileError(error, path)
  }
}

/** Undefined for what was removed meanwhile, and for links that lead nowhere. */
async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true })
  } catch {
    return undefined
  }
}

function found(path: string, stats: BigIntStats): FoundObject {
  const size = Number(stats.size)
  return {
    object: { kind: 'file', key: path, size, etag: fileTag(stats), part: 0, totalParts: 1 },
    hasRanges: true,
  }
}

function slashed(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/')
}
