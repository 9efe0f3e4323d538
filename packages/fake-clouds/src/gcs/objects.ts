import { GcsError, noBucket, noObject, notMet } from './gcs-error.ts'

export interface StoredObject {
  readonly bytes: Buffer
  readonly contentType: string
  readonly contentEncoding?: string
  readonly generation: string
  readonly updated: Date
}

/** Conditions of a request: generations that an object must have; '0' is none. */
export interface Conditions {
  readonly ifGenerationMatch?: string | null
}

/** Buckets and what is in them. */
export class Objects {
  readonly #buckets = new Map<string, Map<string, StoredObject>>()
  #generation = Date.now() * 1000

  createBucket(name: string): void {
    if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/.test(name)) {
      throw new GcsError(400, 'invalid', `Invalid bucket name: '${name}'`)
    }
    if (this.#buckets.has(name)) {
      throw new GcsError(
        409,
        'conflict',
        'Your previous request to create the named bucket succeeded and you already own it.',
      )
    }
    this.#buckets.set(name, new Map())
  }

  bucket(name: string): Map<string, StoredObject> {
    const bucket = this.#buckets.get(name)
    if (bucket === undefined) throw noBucket()
    return bucket
  }

  get(bucket: string, key: string, conditions: Conditions = {}): StoredObject {
    const object = this.bucket(bucket).get(key)
    if (object === undefined) throw noObject(bucket, key)
    this.check(bucket, key, conditions)
    return object
  }

  check(bucket: string, key: string, { ifGenerationMatch }: Conditions): void {
    if (ifGenerationMatch === null || ifGenerationMatch === undefined) return
    if ((this.bucket(bucket).get(key)?.generation ?? '0') !== ifGenerationMatch) throw notMet()
  }

  put(
    bucket: string,
    key: string,
    object: Pick<StoredObject, 'bytes' | 'contentType' | 'contentEncoding'>,
    conditions: Conditions = {},
  ): StoredObject {
    if (key === '' || Buffer.byteLength(key) > 1024 || /[\r\n]/.test(key)) {
      throw new GcsError(400, 'invalid', `Invalid object name: '${key}'`)
    }
    this.check(bucket, key, conditions)
    const stored = { ...object, generation: String(++this.#generation), updated: new Date() }
    this.bucket(bucket).set(key, stored)
    return stored
  }

  delete(bucket: string, key: string): void {
    this.get(bucket, key)
    this.bucket(bucket).delete(key)
  }

  /** One page, in the order of bytes, and where the next one begins. */
  list(
    name: string,
    options: {
      readonly prefix: string
      readonly startOffset: string
      readonly from: string
      readonly maxResults: number
    },
  ): { readonly keys: readonly string[]; readonly next?: string } {
    const { prefix, startOffset, from, maxResults } = options
    const isFrom = (key: string, at: string) => Buffer.compare(Buffer.from(key), Buffer.from(at)) >= 0
    const keys = [...this.bucket(name).keys()]
      .filter(key => key.startsWith(prefix) && isFrom(key, startOffset) && isFrom(key, from))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const next = keys[maxResults]
    return { keys: keys.slice(0, maxResults), ...(next === undefined ? {} : { next }) }
  }
}
