import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { type StoragePlace, storageFailed } from '@lithops/core/driver'
import { MAX_PRESIGN_MS } from './s3-options.ts'

/** A URL that anybody may GET or PUT for that long. Seconds are rounded up. */
export function presign(
  client: S3Client,
  place: StoragePlace & { readonly key: string },
  options: { readonly method: 'GET' | 'PUT'; readonly expiresInMs: number },
): Promise<string> {
  const { method, expiresInMs } = options
  if (!(expiresInMs > 0 && expiresInMs <= MAX_PRESIGN_MS)) {
    const reason = `a URL is valid for up to 7 days (${MAX_PRESIGN_MS} ms), not for ${expiresInMs} ms`
    throw storageFailed(place, reason, { isRetryable: false })
  }
  const input = { Bucket: place.bucket, Key: place.key }
  const command = method === 'GET' ? new GetObjectCommand(input) : new PutObjectCommand(input)
  return getSignedUrl(client, command as GetObjectCommand, { expiresIn: Math.ceil(expiresInMs / 1000) })
}
