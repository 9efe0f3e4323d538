import type { ObjectPlace, StorageBackend, StorageCallOptions } from '../driver/storage-backend.ts'
import { NotSupportedError } from '../errors/index.ts'
import { repeatableBody } from './repeatable-body.ts'

/** Copies within the service where it can, else by reading and writing. Expects a backend with retries. */
export async function copyObject(
  backend: StorageBackend,
  from: ObjectPlace,
  to: ObjectPlace,
  options: StorageCallOptions,
): Promise<{ readonly etag?: string }> {
  try {
    if (backend.copyObject !== undefined) return await backend.copyObject(from, to, options)
  } catch (error) {
    if (!NotSupportedError.isInstance(error)) throw error
  }
  const { etag: ifMatch, sizeBytes, contentType } = await backend.headObject(from.bucket, from.key, options)
  const reading = ifMatch === undefined ? options : { ...options, ifMatch }
  const body = repeatableBody(async function* () {
    yield* (await backend.getObjectStream(from.bucket, from.key, reading)).body
  })
  const { etag } = await backend.putObject(to.bucket, to.key, body, {
    ...options,
    sizeBytes,
    ...(contentType === undefined ? {} : { contentType }),
  })
  return etag === undefined ? {} : { etag }
}
