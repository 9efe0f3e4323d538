import type { Storage } from '@google-cloud/storage'
import { accessRefused, bareCause, type StoragePlace, storageFailed } from '@lithops/core/driver'
import { failureOfToken } from './gcs-failure.ts'
import { MAX_PRESIGN_MS } from './limits.ts'

/** A URL that anybody may GET or PUT for that long, signed by the key or, without one, by the service for the identity. */
export async function presign(
  client: Storage,
  place: StoragePlace & { readonly key: string },
  options: { readonly method: 'GET' | 'PUT'; readonly expiresInMs: number },
): Promise<string> {
  const { method, expiresInMs } = options
  const { bucket, key } = place
  const refuse = (reason: string) => storageFailed(place, reason, { isRetryable: false })
  if (!(expiresInMs > 0 && expiresInMs <= MAX_PRESIGN_MS)) {
    throw refuse(`a URL is valid for up to 7 days (${MAX_PRESIGN_MS} ms), not for ${expiresInMs} ms`)
  }
  if (/(^|\/)\.\.?(\/|$)/.test(key)) {
    throw refuse(
      "whoever opens a URL takes '.' and '..' between slashes for steps between folders: it would name another object",
    )
  }
  // in whole seconds, and never more of them than the service takes
  const nowS = Math.floor(Date.now() / 1000)
  const untilS = Math.min(Math.ceil((Date.now() + expiresInMs) / 1000), nowS + MAX_PRESIGN_MS / 1000)
  try {
    const [url] = await client
      .bucket(bucket)
      .file(key)
      .getSignedUrl({
        version: 'v4',
        action: method === 'GET' ? 'read' : 'write',
        accessibleAt: new Date(nowS * 1000),
        expires: new Date(untilS * 1000),
      })
    return url
  } catch (error) {
    throw unsigned(error, place)
  }
}

function unsigned(error: unknown, place: StoragePlace): unknown {
  const { message } = failureOfToken(error)
  const advice = `no URL could be signed (${message}): a service account is needed, by its key in credentials_path or with the right iam.serviceAccounts.signBlob on itself`
  return accessRefused(place, advice, bareCause(failureOfToken(error)))
}
