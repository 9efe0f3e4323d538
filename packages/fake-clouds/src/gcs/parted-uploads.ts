import { randomUUID } from 'node:crypto'
import { GcsError } from './gcs-error.ts'
import type { Conditions, Objects, StoredObject } from './objects.ts'

/** The service keeps whole pieces of this. */
const PIECE_BYTES = 256 * 1024

interface PartedUpload {
  readonly bucket: string
  readonly key: string
  readonly contentType: string
  readonly conditions: Conditions
  readonly pieces: Buffer[]
  bytes: number
  object?: StoredObject
}

/** Uploads in parts. From: Google Cloud Storage, "Resumable uploads". */
export class PartedUploads {
  readonly #objects: Objects
  readonly #uploads = new Map<string, PartedUpload>()

  constructor(objects: Objects) {
    this.#objects = objects
  }

  /** Keys of uploads that have begun and not ended. */
  get unfinished(): string[] {
    return [...this.#uploads.values()].filter(({ object }) => object === undefined).map(({ key }) => key)
  }

  begin(upload: Pick<PartedUpload, 'bucket' | 'key' | 'contentType' | 'conditions'>): string {
    this.#objects.check(upload.bucket, upload.key, upload.conditions)
    const id = randomUUID()
    this.#uploads.set(id, { ...upload, pieces: [], bytes: 0 })
    return id
  }

  cancel(id: string): void {
    if (!this.#uploads.delete(id)) throw new GcsError(404, 'notFound', 'No such upload.')
  }

  /**
   * Takes bytes, or answers how far they came when there are none. A body that was cut is kept as far as whole pieces go.
   */
  put(
    id: string,
    range: string,
    body: Buffer,
    isWhole: boolean,
  ):
    | { readonly object: StoredObject; readonly bucket: string; readonly key: string }
    | { readonly bytes: number } {
    const upload = this.#uploads.get(id)
    if (upload === undefined) throw new GcsError(404, 'notFound', 'No such upload.')
    const done = () => ({ object: upload.object as StoredObject, bucket: upload.bucket, key: upload.key })
    if (upload.object !== undefined) return done()
    const [, from, , total] = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(range) ?? []
    if (total === undefined) throw new GcsError(400, 'invalid', `Invalid Content-Range: ${range}`)
    if (from === undefined) return { bytes: upload.bytes }
    if (Number(from) > upload.bytes) {
      throw new GcsError(503, 'backendError', 'Invalid request. There were missing bytes before this part.')
    }
    const fresh = body.subarray(upload.bytes - Number(from))
    const isLast = isWhole && total !== '*' && upload.bytes + fresh.length === Number(total)
    const kept = isLast
      ? fresh
      : fresh.subarray(0, fresh.length - ((upload.bytes + fresh.length) % PIECE_BYTES))
    upload.pieces.push(kept)
    upload.bytes += kept.length
    if (!isLast) return { bytes: upload.bytes }
    const { bucket, key, contentType, conditions } = upload
    upload.object = this.#objects.put(
      bucket,
      key,
      { bytes: Buffer.concat(upload.pieces), contentType },
      conditions,
    )
    upload.pieces.length = 0
    return done()
  }
}
