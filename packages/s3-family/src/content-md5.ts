import { createHash } from 'node:crypto'
import type { S3Client } from '@aws-sdk/client-s3'

const CHECKSUM_HEADER = /^x-amz-(checksum-|sdk-checksum-algorithm$)/

/**
 * Where S3 demands a checksum (DeleteObjects), the SDK sends CRC32 even when told to send none; MinIO, Ceph and others of
 * older days answer MissingContentMD5. This sends the MD5 that all of them know instead.
 * See https://github.com/aws/aws-sdk-js-v3/issues/6819
 */
export function sendContentMd5(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => async args => {
      const { request } = args as { request?: { headers?: Record<string, string>; body?: unknown } }
      if (
        context.commandName === 'DeleteObjectsCommand' ||
        context.commandName === 'PutBucketLifecycleConfigurationCommand'
      ) {
        const { headers = {}, body = '' } = request ?? {}
        for (const name of Object.keys(headers)) if (CHECKSUM_HEADER.test(name)) delete headers[name]
        headers['content-md5'] = createHash('md5')
          .update(body as string | Uint8Array)
          .digest('base64')
      }
      return next(args)
    },
    // after the SDK's own checksums, before the signature
    { step: 'build', priority: 'low', name: 'contentMd5Middleware' },
  )
}
