import type { StorageBackend } from '../driver/storage-backend.ts'
import { StorageAccessError } from '../errors/index.ts'

const ready = new WeakMap<StorageBackend, Map<string, Promise<void>>>()

/** Makes a bucket if it is not there; asks the storage once for each opened backend. */
export function ensureBucket(backend: StorageBackend, bucket: string): Promise<void> {
  const buckets = ready.get(backend) ?? new Map<string, Promise<void>>()
  ready.set(backend, buckets)
  const known = buckets.get(bucket)
  if (known !== undefined) return known
  const made = make(backend, bucket).catch(error => {
    buckets.delete(bucket)
    throw error
  })
  buckets.set(bucket, made)
  return made
}

async function make(backend: StorageBackend, bucket: string): Promise<void> {
  try {
    if (!(await backend.bucketExists(bucket))) await backend.createBucket(bucket)
  } catch (error) {
    // who may write objects may not be allowed to look at buckets: the write tells whether there is one
    if (!StorageAccessError.isInstance(error)) throw error
  }
}
