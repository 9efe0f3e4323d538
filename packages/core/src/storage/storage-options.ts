import type { ByteRange, ObjectPlace } from '../driver/storage-backend.ts'
import { untilAborted } from './until-aborted.ts'

/** What an object can be written from. Text is stored as UTF-8. */
export type StorageValue = string | Uint8Array | AsyncIterable<Uint8Array | string>

export interface StorageOperationOptions {
  /** Another bucket than the default one. */
  readonly bucket?: string
  readonly signal?: AbortSignal
}

export interface StoragePutOptions extends StorageOperationOptions {
  readonly contentType?: string
  /** Write only if there is no such object; the answer's `created` tells. */
  readonly ifAbsent?: boolean
  /** Length of a stream where it is known: services that take large objects in parts choose their size by it. */
  readonly sizeBytes?: number
}

export interface CloudObjectPutOptions extends Omit<StoragePutOptions, 'ifAbsent'> {
  /** A name of one's own. Default: one that nobody else has. */
  readonly key?: string
  /** The object stays when its executor is closed. Default: false, and true where a `bucket` is given. */
  readonly keep?: boolean
}

export interface StorageGetOptions extends StorageOperationOptions {
  /** Bytes from `start` up to, not including, `end`. */
  readonly range?: ByteRange
  /** Fail with StorageError, code LITHOPS_OBJECT_CHANGED, when the object's ETag is another. */
  readonly ifMatch?: string
  /** Default: 'bytes'. */
  readonly as?: 'bytes' | 'text' | 'stream'
}

export interface StorageListOptions extends StorageOperationOptions {
  /** Only keys that come after this one, in the order of UTF-8 bytes. */
  readonly startAfter?: string
}

/** How far a file has got. */
export interface TransferProgress {
  readonly doneBytes: number
  /** Undefined where the length is not known. */
  readonly totalBytes?: number
}

export interface StorageTransferOptions extends StorageOperationOptions {
  /** Called as bytes move, at least once, and at the end. A retry begins again at 0. */
  readonly onProgress?: (progress: TransferProgress) => void
}

export interface StorageUploadOptions extends StorageTransferOptions {
  readonly contentType?: string
}

export interface PresignOptions {
  readonly bucket?: string
  /** Default: 'GET'. */
  readonly method?: 'GET' | 'PUT'
  /** Default: 3,600,000, an hour. */
  readonly expiresInMs?: number
}

/** A key in the default bucket, or in another one. */
export type StoragePlaceName = string | (Omit<ObjectPlace, 'bucket'> & { readonly bucket?: string })

/**
 * As bytes, whole or in pieces. Throws TypeError for what is none of StorageValue. A stream whose next piece does not come
 * ends with the signal's reason.
 */
export function bodyOf(
  value: StorageValue,
  what: string,
  signal?: AbortSignal,
): Uint8Array | AsyncIterable<Uint8Array> {
  if (typeof value === 'string') return new TextEncoder().encode(value)
  if (value instanceof Uint8Array) return value
  if (typeof value === 'object' && value !== null && Symbol.asyncIterator in value)
    return piecesOf(signal === undefined ? value : untilAborted(value, signal))
  const got = value === null ? 'null' : typeof value
  throw new TypeError(`${what} takes a string, a Uint8Array or a stream, not ${got}`)
}

async function* piecesOf(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const piece of stream) {
    if (typeof piece === 'string') yield encoder.encode(piece)
    else if (piece instanceof Uint8Array) yield piece
    else throw new TypeError(`A stream for storage has pieces of text or bytes, not ${typeof piece}`)
  }
}

export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
