import type { JobKey } from '../driver/monitor.ts'
import { ObjectNotFoundError } from '../errors/index.ts'
import { type InternalStorage, statusPrefix } from '../storage/internal-storage.ts'
import { framesInKey } from '../storage/status-key.ts'

/** Objects that are read at the same time. */
const READS_AT_ONCE = 32

/**
 * Reads a status object: from its key, or its body. Undefined when the listing was ahead of the object, or the object is
 * gone.
 */
export async function readStatus(
  storage: InternalStorage,
  job: JobKey,
  key: string,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const frames = framesInKey(job, key)
  if (frames !== undefined) return frames
  try {
    return await storage.get(key, signal === undefined ? {} : { signal })
  } catch (error) {
    if (ObjectNotFoundError.isInstance(error)) return undefined
    throw error
  }
}

/** Lists below `prefixes` and reads what `isNew` says is new: key and frames of each, several read at once. */
export async function* readStatuses(
  storage: InternalStorage,
  job: JobKey,
  options: {
    readonly prefixes?: readonly string[]
    readonly isNew?: (key: string) => boolean
    readonly signal?: AbortSignal
  } = {},
): AsyncGenerator<{ readonly key: string; readonly frames: Uint8Array }, void, undefined> {
  const { prefixes = [statusPrefix(job)], isNew = () => true, signal } = options
  let group: string[] = []
  const read = async () => {
    const keys = group
    group = []
    const frames = await Promise.all(keys.map(key => readStatus(storage, job, key, signal)))
    return keys.flatMap((key, i) =>
      frames[i] === undefined ? [] : [{ key, frames: frames[i] as Uint8Array }],
    )
  }
  for (const prefix of prefixes) {
    const listing = storage.backend.listObjects(
      storage.bucket,
      prefix,
      signal === undefined ? {} : { signal },
    )
    for await (const { key } of listing) {
      if (!isNew(key)) continue
      group.push(key)
      if (group.length === READS_AT_ONCE) yield* await read()
    }
  }
  yield* await read()
}
