import type { StorageBackend } from '../driver/storage-backend.ts'
import { ObjectNotFoundError } from '../errors/index.ts'

const KEYS_AT_ONCE = 1000

/** Groups of keys as large as services take them, as they come. */
export async function* inBatches(
  keys: Iterable<string> | AsyncIterable<string>,
): AsyncGenerator<readonly string[], void, undefined> {
  let batch: string[] = []
  for await (const key of keys) {
    batch.push(key)
    if (batch.length < KEYS_AT_ONCE) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

export interface SweepOptions {
  /** Objects that stay. */
  readonly keep?: (key: string) => boolean
  /** Only find them. */
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
  /** The keys of a group, after it was removed. */
  readonly onBatch?: (keys: readonly string[]) => void
}

/** Removes all objects below a prefix. Returns how many; nothing in a bucket that is not there. */
export async function sweep(
  backend: StorageBackend,
  bucket: string,
  prefix: string,
  { dryRun = false, signal, onBatch, keep = () => false }: SweepOptions = {},
): Promise<number> {
  const options = signal === undefined ? {} : { signal }
  let count = 0
  async function* keys() {
    for await (const { key } of backend.listObjects(bucket, prefix, options)) if (!keep(key)) yield key
  }
  try {
    for await (const batch of inBatches(keys())) {
      if (!dryRun) await backend.deleteObjects(bucket, batch, options)
      count += batch.length
      onBatch?.(batch)
    }
  } catch (error) {
    if (!ObjectNotFoundError.isInstance(error)) throw error
  }
  return count
}
