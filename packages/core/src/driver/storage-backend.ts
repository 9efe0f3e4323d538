/** Version of the StorageBackend contract. */
export const STORAGE_SPEC_VERSION = 1

/** What a service cannot have in a key, besides more bytes than `maxKeyBytes`. */
export interface KeyLimits {
  /** Longest key in UTF-16 units (`key.length`), where the service counts these. */
  readonly maxCharacters?: number
  /** Most segments between slashes. */
  readonly maxSegments?: number
  /** What no key may have, in words for an error: "a segment '.' or '..'". */
  readonly forbidden?: readonly { readonly pattern: RegExp; readonly what: string }[]
}

export interface StorageCapabilities {
  /** `putObject` honours `ifAbsent`: one winner among several writers. */
  readonly conditionalPut: boolean
  /** `presignUrl` is there. */
  readonly presignedUrls: boolean
  /** Longest key in bytes of UTF-8. */
  readonly maxKeyBytes: number
  /** What else keys of this service cannot be. Absent: any key of `maxKeyBytes` goes. */
  readonly keyLimits?: KeyLimits
  /**
   * The service keeps keys as a file system keeps paths. What it cannot have: an empty, '.' or '..' segment between
   * slashes, one of more than 255 bytes, and an object below the key of another ('a' and 'a/b'), which some listings
   * leave out. Absent: false, any key goes beside any other.
   */
  readonly keysAreFilePaths?: boolean
  /**
   * `listObjects` begins at `startAfter` without reading what comes before it, so that core may skip what it does not
   * need. Absent: false.
   */
  readonly startsListings?: boolean
}

/** What is known of an object without reading it. */
export interface ObjectHead {
  readonly sizeBytes: number
  /** Changes when the content changes; undefined where the service has none. */
  readonly etag?: string
  readonly lastModified?: Date
  /** What `PutOptions.contentType` said; undefined in listings, and where the service keeps none. */
  readonly contentType?: string
}

export interface ObjectEntry extends ObjectHead {
  readonly key: string
}

/** Half-open range of bytes: `end` is not part of it; undefined means to the end of the object. */
export interface ByteRange {
  readonly start: number
  readonly end?: number
}

export interface StorageCallOptions {
  readonly signal?: AbortSignal
}

export interface PutOptions extends StorageCallOptions {
  /** Write only if there is no such object. The answer's `created` says who won. Needs `conditionalPut`. */
  readonly ifAbsent?: boolean
  readonly contentType?: string
  /** Length of a stream where it is known: services that take large objects in parts choose their size by it. */
  readonly sizeBytes?: number
}

export interface GetOptions extends StorageCallOptions {
  readonly range?: ByteRange
  /** Fail with StorageError (code LITHOPS_OBJECT_CHANGED) when the object's ETag is another. */
  readonly ifMatch?: string
}

export interface ListOptions extends StorageCallOptions {
  /**
   * Only keys that come after this one, in the order of UTF-8 bytes, are wanted. A hint: core drops the others itself,
   * so a driver whose service cannot begin there ignores it and leaves `startsListings` out.
   */
  readonly startAfter?: string
}

/** Requests to a storage, as price lists tell them apart. */
export interface StorageRequests {
  /** Those of the dearer class: writing, copying, listing (a page each). */
  readonly writes: number
  /** Those of the cheaper class: reading, asking for heads. Removing counts in neither. */
  readonly reads: number
}

/** Where an object is. */
export interface ObjectPlace {
  readonly bucket: string
  readonly key: string
}

/** Bodies are bytes, whole or in pieces. Values and text are core's business. */
export type Body = Uint8Array | AsyncIterable<Uint8Array>

/**
 * A driver for one object storage. Core is the only caller and gives keys as they are (no escaping, no leading
 * slash added or removed). Missing keys and buckets are always ObjectNotFoundError, refused credentials
 * StorageAccessError, all else StorageError with `isRetryable` set; `details` has operation, bucket, key, region.
 * A driver does not retry, cache or log; core does.
 */
export interface StorageBackend {
  readonly specVersion: typeof STORAGE_SPEC_VERSION
  /** Config name, e.g. 'aws_s3'. */
  readonly name: string
  readonly capabilities: StorageCapabilities
  /**
   * Bucket of jobs and of operations that name none, when the config has no `storage_bucket`. Where names of buckets
   * are shared by all users of the service it must be one that nobody else has. Absent: 'storage'.
   */
  readonly defaultBucket?: string

  /** Writes a whole object; a reader sees the old or the new one, never a mixture. Streams may be of any length. */
  putObject(
    bucket: string,
    key: string,
    body: Body,
    options?: PutOptions,
  ): Promise<{ readonly created: boolean; readonly etag?: string }>
  /** Bytes of an object or a range of it. A range that begins at or after the end gives no bytes. */
  getObject(bucket: string, key: string, options?: GetOptions): Promise<Uint8Array>
  /**
   * The same as a stream. The caller reads it to the end or ends the iteration. `sizeBytes` is of the whole object. A
   * connection that breaks in the middle ends `body` with a StorageError whose `isRetryable` is true; core then reads
   * on from there with `range` and `ifMatch`.
   */
  getObjectStream(
    bucket: string,
    key: string,
    options?: GetOptions,
  ): Promise<ObjectHead & { readonly body: AsyncIterable<Uint8Array> }>
  headObject(bucket: string, key: string, options?: StorageCallOptions): Promise<ObjectHead>
  /** Removing what is not there is not an error. */
  deleteObject(bucket: string, key: string, options?: StorageCallOptions): Promise<void>
  /**
   * Copies an object within the service, without its bytes passing through here; the copy replaces what was there. A
   * missing source is ObjectNotFoundError. NotSupportedError where the service cannot copy this one (its size, another
   * region): core then reads and writes it. Absent: core always does.
   */
  copyObject?(
    from: ObjectPlace,
    to: ObjectPlace,
    options?: StorageCallOptions,
  ): Promise<{ readonly etag?: string }>
  /** Any number of keys; the driver cuts them into requests. */
  deleteObjects(bucket: string, keys: readonly string[], options?: StorageCallOptions): Promise<void>
  /** All objects whose key begins with `prefix`, in the order of UTF-8 bytes of their keys; pages are hidden. */
  listObjects(bucket: string, prefix?: string, options?: ListOptions): AsyncIterable<ObjectEntry>
  bucketExists(bucket: string, options?: StorageCallOptions): Promise<boolean>
  /** Creating a bucket that one owns already is not an error. */
  createBucket(bucket: string, options?: StorageCallOptions): Promise<void>
  /** A URL that anybody may GET or PUT until it expires. Absent: capabilities.presignedUrls is false. */
  presignUrl?(
    bucket: string,
    key: string,
    options: { readonly method: 'GET' | 'PUT'; readonly expiresInMs: number },
  ): Promise<string>
  /**
   * What a worker needs to open the same storage with its own identity: the section's fields without secrets.
   * From: Lithops puts the whole config there, secrets included; this contract does not allow that.
   */
  workerConfig(): Readonly<Record<string, unknown>>
  /**
   * The secrets that a worker needs besides `workerConfig()`, by the section's field names, when it has no identity of
   * its own that the service trusts: a worker opens the storage with both merged. They never travel in an activation:
   * core hands them to the compute backend, which places them where its workers alone find them. Absent or empty:
   * there are none.
   */
  workerSecrets?(): Readonly<Record<string, string>>
  /**
   * Cost of requests in USD, by list prices. Undefined where the price is not known, as in a region that the driver has no
   * price of. Absent: it never is. What storing and transferring bytes costs is not in it.
   */
  costOf?(requests: StorageRequests): number | undefined
  /** The vendor's own client, for what this contract does not cover; undefined when there is none. */
  client(): unknown
  /** May be called twice. A vendor client that the user handed in stays open. */
  close(): Promise<void>
}
