import { nodeCrypto } from '../builtins.ts'
import { executorPrefix } from './internal-storage.ts'

/**
 * A reference to an object that a function or the program put somewhere in storage. Plain data: it travels as an item
 * or a result, inside other values, and as JSON.
 */
export interface CloudObject {
  readonly type: 'lithops.cloudobject'
  /** Config name of the storage, e.g. 'aws_s3'. */
  readonly storage: string
  readonly bucket: string
  readonly key: string
  readonly etag?: string
}

export function isCloudObject(value: unknown): value is CloudObject {
  if (typeof value !== 'object' || value === null) return false
  const { type, storage, bucket, key } = value as Partial<Record<keyof CloudObject, unknown>>
  return (
    type === 'lithops.cloudobject' &&
    [storage, bucket, key].every(field => typeof field === 'string' && field !== '')
  )
}

/** Whose cloud objects a storage puts: their names begin with it, and its executor removes them. */
export interface CloudObjectOwner {
  readonly executorId: string
  readonly jobId?: string
  readonly callId?: number
  readonly attempt?: number
}

/** Cloud objects that no executor removes. */
const KEPT_PREFIX = 'lithops.cloudobjects/'

/** A name that nobody else makes. Below the executor's own prefix unless the object is to stay. */
export function cloudObjectKey(owner: CloudObjectOwner | undefined, keep: boolean): string {
  const unique = nodeCrypto().randomBytes(8).toString('hex')
  if (owner === undefined) return KEPT_PREFIX + unique
  const { executorId, jobId, callId, attempt = 0 } = owner
  // not below the job's prefix: that is emptied when the job's calls have ended, before their results are read
  const prefix = keep ? `${KEPT_PREFIX}${executorId}/` : `${executorPrefix(executorId)}cloudobjects/`
  return `${prefix}${jobId === undefined ? '' : `${jobId}/${callId}-${attempt}-`}${unique}`
}
