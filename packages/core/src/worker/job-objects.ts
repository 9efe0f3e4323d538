import { hasClassTags } from '../codec/value.ts'
import { executorPrefix, resultKey } from '../storage/internal-storage.ts'
import type { JobHead, Location } from './protocol.ts'
import type { WorkerHost } from './worker-host.ts'

/** Reads bytes that lie outside of the message: an object of the job's storage, a piece of one, or a file. */
export async function readLocation(location: Location, head: JobHead, host: WorkerHost): Promise<Uint8Array> {
  if (location.kind !== 'object') return host.readLocation(location, head)
  const { bucket, key, start, end, storage } = location
  const range = start === undefined ? {} : { range: end === undefined ? { start } : { start, end } }
  return host.openStorage(head, storage).get(key, { bucket, ...range })
}

/**
 * Removes what this worker wrote when nobody wants it any more: the client was closed, and its objects removed, before
 * the worker came to its end. Looks after writing, so that one of the two sees the other's work.
 */
export async function removeIfAbandoned(head: JobHead, host: WorkerHost): Promise<void> {
  const mark = head.clientMark
  if (mark === undefined) return
  const storage = host.openStorage(head)
  if (await storage.exists(mark)) return
  await storage.delete(await storage.listKeys(executorPrefix(head.executorId)))
}

/** Puts an encoded result into the job's storage; the client has made its bucket. */
export async function writeResult(
  head: JobHead,
  call: { readonly callId: number; readonly attempt: number },
  bytes: Uint8Array,
  host: WorkerHost,
): Promise<Location> {
  const location = await putResult(head, call, bytes, host)
  return location.kind === 'object' && hasClassTags(bytes) ? { ...location, hasClasses: true } : location
}

async function putResult(
  head: JobHead,
  call: { readonly callId: number; readonly attempt: number },
  bytes: Uint8Array,
  host: WorkerHost,
): Promise<Location> {
  if (host.writeResult !== undefined) return host.writeResult(head, call.callId, call.attempt, bytes)
  const storage = host.openStorage(head)
  const key = resultKey(head, call)
  await storage.put(key, bytes)
  return { kind: 'object', bucket: storage.bucket, key }
}
