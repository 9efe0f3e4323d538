import type { ObjectEntry } from '../driver/storage-backend.ts'
import { ObjectNotFoundError } from '../errors/index.ts'
import type { PieceDescriptor } from '../piece/index.ts'
import { JOBS_PREFIX } from '../storage/internal-storage.ts'
import type { Storage } from '../storage/storage.ts'
import type { Place } from './address.ts'
import type { Found, FoundObject } from './found-object.ts'
import { literalPrefix, matcher } from './glob.ts'

export type StoragePlace = Extract<Place, { kind: 'object' }>

/** The object of that very key; undefined when there is none. */
export async function findKey(
  place: StoragePlace,
  storage: Storage,
  signal: AbortSignal | undefined,
): Promise<FoundObject | undefined> {
  try {
    const head = await storage.head(place.key, {
      bucket: place.bucket,
      ...(signal === undefined ? {} : { signal }),
    })
    return foundIn(place, { key: place.key, ...head })
  } catch (error) {
    if (ObjectNotFoundError.isInstance(error)) return undefined
    throw error
  }
}

/** The objects below a prefix, or whose keys match a pattern, in the order of their keys, as they are listed. */
export async function findBelow(
  place: StoragePlace,
  storage: Storage,
  signal: AbortSignal | undefined,
): Promise<Found<ObjectEntry>> {
  const prefix =
    place.select === 'pattern'
      ? literalPrefix(place.key)
      : place.select === 'key-or-folder'
        ? `${place.key}/`
        : place.key
  const matches = place.select === 'pattern' ? await matcher(place.key) : undefined
  // what jobs keep in their bucket is nobody's data, unless it is asked for
  const hidesJobs = !prefix.startsWith(JOBS_PREFIX)
  return {
    entries: storage.list(prefix, { bucket: place.bucket, ...(signal === undefined ? {} : { signal }) }),
    objectOf: entry => {
      const { key } = entry
      if (matches !== undefined && !matches(key)) return undefined
      if (hidesJobs && key.startsWith(JOBS_PREFIX)) return undefined
      // consoles make folders of empty objects whose keys end with a slash
      if (entry.sizeBytes === 0 && key.endsWith('/')) return undefined
      return foundIn(place, entry)
    },
  }
}

/** Runs once for every key of a listing, so it makes no objects on the way. */
function foundIn(place: StoragePlace, { key, sizeBytes, etag }: ObjectEntry): FoundObject {
  const { bucket, scheme, storage } = place
  const object: { -readonly [Field in keyof PieceDescriptor]: PieceDescriptor[Field] } = {
    kind: 'object',
    bucket,
    key,
    size: sizeBytes,
    part: 0,
    totalParts: 1,
  }
  if (etag !== undefined) object.etag = etag
  if (storage !== undefined) object.storage = storage
  if (scheme !== '') object.name = `${scheme}${bucket}/${key}`
  return { object, hasRanges: true }
}
