import type { ObjectEntry, StorageBackend } from '../driver/storage-backend.ts'
import { compareKeys } from './key-order.ts'

/** One name in a folder. */
export interface StorageEntry {
  readonly name: string
  /** From the top of the bucket. */
  readonly path: string
  /** Some key goes on after the name with a slash. A name may be a folder and a file, as two entries. */
  readonly isFolder: boolean
  /** Of files only. */
  readonly sizeBytes?: number
  readonly lastModified?: Date
}

/** A folder of `walk` with what is directly in it. */
export interface WalkedFolder {
  readonly path: string
  readonly folders: readonly string[]
  readonly files: readonly string[]
}

interface Place {
  readonly backend: StorageBackend
  readonly bucket: string
  readonly signal?: AbortSignal
}

/** A path as a key: '.', '..', double and outer slashes are resolved. Throws TypeError when it leads above the top. */
export function keyOfPath(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment !== '..') segments.push(segment)
    else if (segments.pop() === undefined) throw new TypeError(`The path '${path}' leads above the bucket`)
  }
  return segments.join('/')
}

/** The key of a file. Throws TypeError for the top of the bucket and for a path that says that it is a folder. */
export function keyOfFilePath(path: string): string {
  const key = keyOfPath(path)
  if (key === '' || /(^|\/)\.{0,2}$/.test(path))
    throw new TypeError(`'${path}' is the path of a folder, not of a file`)
  return key
}

export function folderPrefix(path: string): string {
  const key = keyOfPath(path)
  return key === '' ? '' : `${key}/`
}

/** After so many keys of one folder, what is left of it is skipped where the storage can begin a listing anywhere. */
const SKIP_AFTER_KEYS = 1000

/** What is directly in a folder, in the order of names; nothing where there is no such folder. */
export async function listFolder(place: Place, path: string): Promise<StorageEntry[]> {
  const { backend, bucket, signal } = place
  const prefix = folderPrefix(path)
  const entries = new Map<string, StorageEntry>()
  let startAfter: string | undefined
  for (let goesOn = true; goesOn; ) {
    goesOn = false
    const options = {
      ...(signal === undefined ? {} : { signal }),
      ...(startAfter === undefined ? {} : { startAfter }),
    }
    let keysOfFolder = 0
    for await (const object of backend.listObjects(bucket, prefix, options)) {
      const entry = entryOf(object, prefix)
      if (entry === undefined) continue
      const id = entry.isFolder ? `${entry.name}/` : entry.name
      if (!entries.has(id)) keysOfFolder = 0
      entries.set(id, entry)
      if (entry.isFolder && ++keysOfFolder >= SKIP_AFTER_KEYS && backend.capabilities.startsListings) {
        // no key of the folder comes after this one, and no other key before it
        startAfter = `${prefix}${entry.name}/\u{10ffff}`
        goesOn = true
        break
      }
    }
  }
  return [...entries.values()].sort((a, b) => compareKeys(a.name, b.name))
}

function entryOf(object: ObjectEntry, prefix: string): StorageEntry | undefined {
  const rest = object.key.slice(prefix.length)
  const slash = rest.indexOf('/')
  if (rest === '') return undefined // the folder's own marker
  const name = slash < 0 ? rest : rest.slice(0, slash)
  const path = prefix + name
  if (slash >= 0) return { name, path, isFolder: true }
  const { sizeBytes, lastModified } = object
  return { name, path, isFolder: false, sizeBytes, ...(lastModified === undefined ? {} : { lastModified }) }
}

/** The folder and all below it, each before its own folders. */
export async function* walk(place: Place, path: string): AsyncGenerator<WalkedFolder, void, undefined> {
  const entries = await listFolder(place, path)
  const folders = entries.filter(entry => entry.isFolder && entry.name !== '').map(entry => entry.name)
  const key = keyOfPath(path)
  yield { path: key, folders, files: entries.filter(entry => !entry.isFolder).map(entry => entry.name) }
  for (const folder of folders) {
    // names that a path cannot say ('.' and '..') would lead elsewhere
    if (folder !== '.' && folder !== '..') yield* walk(place, key === '' ? folder : `${key}/${folder}`)
  }
}
