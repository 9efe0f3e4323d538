import type { S3ClientConfig } from '@aws-sdk/client-s3'
import type { DriverLog, StorageRequests } from '@lithops/core/driver'

/** What a storage of the S3 family says of itself and its service. */
export interface S3StorageOptions {
  /** Config name, e.g. 'minio'. */
  readonly name: string
  /** What errors name as the place of the service: a region, or the host of an endpoint. */
  readonly region: string
  /** Bucket of operations that name none. */
  readonly defaultBucket: string
  /** Endpoint, region, credentials and whatever else the service needs of the vendor's client. */
  readonly client: S3ClientConfig
  /** How the service differs from AWS. */
  readonly service: S3Service
  /** See StorageBackend.workerConfig: no secret in it. */
  readonly workerConfig: Readonly<Record<string, unknown>>
  /** See StorageBackend.workerSecrets. */
  readonly workerSecrets: Readonly<Record<string, string>>
  /** See StorageBackend.costOf. Absent: the service's prices are not known. */
  readonly costOf?: (requests: StorageRequests) => number | undefined
  readonly log?: DriverLog
  /** How long a connection may be silent before it counts as broken. Default: 60,000. */
  readonly idleTimeoutMs?: number
}

/** How a service differs from AWS. */
export interface S3Service {
  /**
   * Checks uploads by CRC32 as AWS does. False: checksums only where S3 demands one, and that one as Content-MD5, which
   * servers understand that do not know the newer kind.
   */
  readonly takesChecksums: boolean
  /** Sent when a bucket is created: where it is to be. Undefined: nothing is sent. */
  readonly locationConstraint?: string
  /** `x-…` headers for the creation of buckets. */
  readonly bucketHeaders?: Readonly<Record<string, string>>
  /** New buckets get a rule that removes uploads which a killed program left in the middle after a day. */
  readonly expiresUploads: boolean
  /** `ifAbsent` of an upload in parts has one winner: the service honours If-None-Match when it is completed. */
  readonly completesConditionally: boolean
  /** See StorageCapabilities.keysAreFilePaths. */
  readonly keysAreFilePaths?: boolean
  /** URLs can be signed. False where requests carry a token instead of a signature. */
  readonly presignsUrls: boolean
  /** The service was told that the credentials are no good: newer ones may be had. True: try once more. */
  readonly renewCredentials?: () => boolean
}

/** From: Amazon S3, "Object key naming guidelines". The others in the family have the same. */
export const MAX_KEY_BYTES = 1024
/** From: Amazon S3, DeleteObjects. */
export const MAX_DELETE_KEYS = 1000
/** From: Amazon S3, "Multipart upload limits". */
export const MAX_PARTS = 10_000
/** From: Amazon S3, presigned URLs signed with version 4. */
export const MAX_PRESIGN_MS = 7 * 24 * 3600 * 1000
/** Larger bodies go in parts: several at once, and a broken connection costs one part. S3 takes up to 5 GB at once. */
export const SINGLE_PUT_BYTES = 64 * 1024 * 1024
