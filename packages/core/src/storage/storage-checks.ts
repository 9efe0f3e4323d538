import type { ByteRange } from '../driver/storage-backend.ts'
import { ObjectNotFoundError, StorageError } from '../errors/index.ts'

/** What an error message says about where it happened. */
export interface StoragePlace {
  readonly operation: string
  readonly bucket: string
  readonly key?: string
}

export function describePlace(place: StoragePlace): string {
  const what =
    place.key === undefined ? `bucket '${place.bucket}'` : `'${place.key}' in bucket '${place.bucket}'`
  return `${place.operation} ${what}`
}

export function objectNotFound(place: StoragePlace, cause?: unknown): ObjectNotFoundError {
  return new ObjectNotFoundError(`${describePlace(place)}: there is no such object`, {
    details: { ...place },
    cause,
  })
}

export function bucketNotFound(place: StoragePlace, cause?: unknown): ObjectNotFoundError {
  return new ObjectNotFoundError(
    `${describePlace(place)}: there is no bucket '${place.bucket}'; create it with createBucket`,
    { details: { ...place }, cause },
  )
}

export function objectChanged(place: StoragePlace): StorageError {
  return new StorageError(`${describePlace(place)}: the object is another than the one expected`, {
    code: 'LITHOPS_OBJECT_CHANGED',
    details: { ...place },
  })
}

export function storageClosed(place: StoragePlace): StorageError {
  return new StorageError(`${describePlace(place)}: the storage is closed`, {
    code: 'LITHOPS_CLOSED',
    details: { ...place },
  })
}

/** Refuses keys that no storage can hold. */
export function checkKey(place: StoragePlace & { readonly key: string }, maxKeyBytes: number): void {
  const { key } = place
  const refuse = (why: string) => {
    throw new StorageError(`${describePlace({ ...place, key: shorten(key) })}: ${why}`, {
      code: 'LITHOPS_STORAGE_KEY',
      details: { ...place, key: shorten(key) },
    })
  }
  if (key === '') refuse('a key must not be empty')
  if (key.includes('\0')) refuse('a key must not have NUL characters')
  if (!isWellFormed(key)) refuse('a key must be well-formed Unicode; it has half of a surrogate pair')
  const bytes = Buffer.byteLength(key)
  if (bytes > maxKeyBytes)
    refuse(`the key has ${bytes} bytes, more than the ${maxKeyBytes} that are possible`)
}

/** Half of a surrogate pair has no UTF-8 form: two such names would become one. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}

function shorten(key: string): string {
  return key.length > 100 ? `${key.slice(0, 100)}…` : key
}

/** First and last-plus-one byte of a range within an object of that size. */
export function resolveRange(
  range: ByteRange | undefined,
  sizeBytes: number,
): { start: number; end: number } {
  const start = range?.start ?? 0
  const wanted = range?.end ?? sizeBytes
  for (const [name, value] of [
    ['start', start],
    ['end', wanted],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new TypeError(`range.${name} must be a whole number of bytes from 0 on, not ${value}`)
    }
  }
  const end = Math.min(wanted, sizeBytes)
  return start >= end ? { start: 0, end: 0 } : { start, end }
}
