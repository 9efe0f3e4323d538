import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectEntry, ObjectHead } from '../driver/storage-backend.ts'
import { compareKeys } from '../storage/key-order.ts'
import { segmentOfName } from './key-path.ts'
import { isAbsent } from './localhost-storage-errors.ts'

const STATS_AT_ONCE = 32

/**
 * Objects below a folder, in the order of their keys. `begin`: how the first segment of their keys begins. Folders
 * whose keys all come before `startAfter` are not read.
 */
export async function* listFolder(folder: {
  readonly path: string
  readonly keyPrefix: string
  readonly begin: string
  readonly startAfter: string | undefined
  readonly signal: AbortSignal | undefined
}): AsyncGenerator<ObjectEntry, void, undefined> {
  const { startAfter } = folder
  const all = await readFolder(folder.path, '', folder.begin)
  const entries =
    startAfter === undefined ? all : all.filter(entry => mayFollow(entry, folder.keyPrefix, startAfter))
  // `a-b` comes before `a/b` and that before `a0`: a folder stands in the order with its slash.
  entries.sort((a, b) => compareKeys(a.order, b.order))
  for (let i = 0; i < entries.length; ) {
    folder.signal?.throwIfAborted()
    const entry = entries[i] as FolderEntry
    if (entry.isFolder) {
      yield* listFolder({
        path: entry.path,
        keyPrefix: folder.keyPrefix + entry.order,
        begin: '',
        startAfter,
        signal: folder.signal,
      })
      i++
      continue
    }
    let last = i
    while (last < entries.length && last - i < STATS_AT_ONCE && !entries[last]?.isFolder) last++
    const files = entries.slice(i, last)
    const heads = await Promise.all(files.map(file => headIfThere(file.path)))
    for (const [n, file] of files.entries()) {
      const head = heads[n]
      if (head !== undefined) yield { key: folder.keyPrefix + file.order, ...head }
    }
    i = last
  }
}

/** The key of the file, or one below the folder, comes after `startAfter`. */
function mayFollow(entry: FolderEntry, keyPrefix: string, startAfter: string): boolean {
  const key = keyPrefix + entry.order
  return compareKeys(key, startAfter) > 0 || (entry.isFolder && startAfter.startsWith(key))
}

interface FolderEntry {
  readonly path: string
  readonly isFolder: boolean
  /** The segment; a folder's with the slash that follows it in keys. */
  readonly order: string
}

/** What one segment of keys can be, with the names of long segments put together. */
async function readFolder(path: string, longPrefix: string, begin: string): Promise<FolderEntry[]> {
  let found: Dirent[]
  try {
    found = await readdir(path, { withFileTypes: true })
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
  const entries: FolderEntry[] = []
  for (const item of found) {
    const isFolder = item.isDirectory()
    const read = segmentOfName(item.name, isFolder)
    if (read === undefined) continue
    const segment = longPrefix + read.segment
    const itemPath = join(path, item.name)
    if (read.continued) {
      if (segment.startsWith(begin) || begin.startsWith(segment)) {
        entries.push(...(await readFolder(itemPath, segment, begin)))
      }
    } else if (segment.startsWith(begin)) {
      entries.push({ path: itemPath, isFolder, order: isFolder ? `${segment}/` : segment })
    }
  }
  return entries
}

interface BigStats {
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ino: bigint
  readonly mtime: Date
}

export function headOf(stats: BigStats): Required<Omit<ObjectHead, 'contentType'>> {
  return { sizeBytes: Number(stats.size), etag: etagOf(stats), lastModified: stats.mtime }
}

export function etagOf(stats: BigStats): string {
  return [stats.mtimeNs, stats.size, stats.ino].map(number => number.toString(36)).join('-')
}

async function headIfThere(path: string): Promise<ObjectHead | undefined> {
  try {
    return headOf(await stat(path, { bigint: true }))
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}
