import { ObjectNotFoundError, StorageAccessError, StorageError } from '../errors/index.ts'
import type { ByteRange, KeyLimits } from './storage-backend.ts'

/** What an error message says about where it happened. */
export interface StoragePlace {
  readonly operation: string
  readonly bucket: string
  readonly key?: string
  /** Region, account or server, where the driver knows it. */
  readonly region?: string
}

/** E.g. "get 'a/b' in bucket 'data' (eu-west-1)". */
export function describePlace(place: StoragePlace): string {
  const what =
    place.key === undefined ? `bucket '${place.bucket}'` : `'${place.key}' in bucket '${place.bucket}'`
  return `${place.operation} ${what}${place.region === undefined ? '' : ` (${place.region})`}`
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

/** The service refused the credentials, or they lack a right; `advice` says what to do about it. */
export function accessRefused(place: StoragePlace, advice: string, cause?: unknown): StorageAccessError {
  return new StorageAccessError(`${describePlace(place)}: ${advice}`, { details: { ...place }, cause })
}

/** Any other failure. `retryAfterMs` is what the service asked to wait; it stands in `details`. */
export function storageFailed(
  place: StoragePlace,
  reason: string,
  options: {
    readonly isRetryable: boolean
    readonly retryAfterMs?: number
    readonly cause?: unknown
  },
): StorageError {
  const { isRetryable, retryAfterMs, cause } = options
  const details = retryAfterMs === undefined ? { ...place } : { ...place, retryAfterMs }
  return new StorageError(`${describePlace(place)}: ${reason}`, { isRetryable, details, cause })
}

const KEPT_FIELDS = ['code', 'statusCode', 'status', 'errno', 'syscall', 'requestId'] as const

/**
 * An error of a vendor's SDK for use as `cause`: name, message, stack and codes, without the requests, responses and
 * clients that hang on it, as these hold credentials.
 */
export function bareCause(error: unknown, depth = 3): unknown {
  if (!(error instanceof Error)) return undefined
  const inner = depth > 0 ? bareCause(error.cause, depth - 1) : undefined
  const bare = new Error(error.message, inner === undefined ? undefined : { cause: inner })
  const fields: Record<string, unknown> = { name: error.name, stack: error.stack }
  for (const [name, value] of Object.entries(fields)) {
    Object.defineProperty(bare, name, { value, enumerable: false, configurable: true, writable: true })
  }
  for (const name of KEPT_FIELDS) {
    const value = (error as unknown as Record<string, unknown>)[name]
    if (typeof value === 'string' || typeof value === 'number') Object.assign(bare, { [name]: value })
  }
  return bare
}

/**
 * What a `Retry-After` header asks to wait, in milliseconds: it has seconds or a date. Undefined when it has neither.
 */
export function retryAfterMs(header: string | null | undefined, now = Date.now()): number | undefined {
  if (header === null || header === undefined || header.trim() === '') return undefined
  const seconds = Number(header)
  const ms = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1000
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

/** Refuses keys that no storage can hold, or not this one. */
export function checkKey(
  place: StoragePlace & { readonly key: string },
  maxKeyBytes: number,
  limits?: KeyLimits,
): void {
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
  const flaw = flawOfKey(key, limits)
  if (flaw !== undefined) refuse(flaw)
}

/**
 * Which of the limits a key breaks, in words; undefined when it breaks none. A key that a service cannot have is not
 * there: reads of it find nothing, and it needs no removing.
 */
export function flawOfKey(key: string, limits: KeyLimits = {}): string | undefined {
  const { maxCharacters = Infinity, maxSegments = Infinity, forbidden = [] } = limits
  if (key.length > maxCharacters)
    return `the key has ${key.length} characters, more than the ${maxCharacters} that are possible`
  const segments = key.split('/').length
  if (segments > maxSegments)
    return `the key has ${segments} segments between slashes, more than the ${maxSegments} that are possible`
  const found = forbidden.find(({ pattern }) => pattern.test(key))
  return found === undefined ? undefined : `a key must not have ${found.what} here`
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
