import {
  CreateBucketCommand,
  PutBucketLifecycleConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { DriverLog } from '@lithops/core/driver'
import { codeOf } from './s3-errors.ts'
import type { S3Service } from './s3-options.ts'

/** Makes a bucket; one that is one's own already is left as it is. Errors are those of the SDK. */
export async function createBucket(
  client: S3Client,
  bucket: string,
  options: {
    readonly service: S3Service
    readonly log: DriverLog | undefined
    readonly signal: AbortSignal | undefined
  },
): Promise<void> {
  const { service, log, signal } = options
  const command = new CreateBucketCommand({ Bucket: bucket })
  setPlace(command, service)
  try {
    await client.send(command, { abortSignal: signal })
  } catch (error) {
    if (codeOf(error) === 'BucketAlreadyOwnedByYou') return
    throw error
  }
  if (!service.expiresUploads) return
  try {
    await expireUploads(client, bucket, signal)
  } catch (error) {
    // a service or a right that is missing does no harm
    log?.debug(`Bucket '${bucket}' has no rule that removes unfinished uploads (${codeOf(error)})`)
  }
}

/** For uploads that a killed program leaves in the middle. */
async function expireUploads(
  client: S3Client,
  bucket: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const rule = {
    ID: 'lithops-unfinished-uploads',
    Status: 'Enabled' as const,
    Filter: { Prefix: '' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
  }
  const LifecycleConfiguration = { Rules: [rule] }
  const command = new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration })
  await client.send(command, { abortSignal: signal })
}

/**
 * Makes the request say where the bucket is to be, or nothing. The SDK by itself says the region that requests are
 * signed for, which other services than AWS do not know as a place.
 */
function setPlace(
  command: CreateBucketCommand,
  { locationConstraint: location, bucketHeaders }: S3Service,
): void {
  command.middlewareStack.add(
    next => args => {
      const { input } = args as { input: { CreateBucketConfiguration?: unknown } }
      if (location === undefined) delete input.CreateBucketConfiguration
      else input.CreateBucketConfiguration = { LocationConstraint: location }
      return next(args)
    },
    // after the SDK's own
    { step: 'initialize', priority: 'low', name: 'locationMiddleware' },
  )
  command.middlewareStack.add(
    next => args => {
      const { request } = args as { request?: { headers?: Record<string, string> } }
      Object.assign(request?.headers ?? {}, bucketHeaders)
      return next(args)
    },
    { step: 'build', name: 'bucketHeadersMiddleware' },
  )
}
