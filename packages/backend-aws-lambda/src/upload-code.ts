import { randomBytes } from 'node:crypto'
import type { FunctionCode } from '@aws-sdk/client-lambda'
import type { AwsClients } from './clients.ts'
import { ZIPPED_CODE_BYTES } from './limits.ts'
import { CODE_PREFIX } from './names.ts'
import { attempt } from './vendor-errors.ts'
import { mib, tooLarge, type WorkerZip } from './worker-zip.ts'

/** Where CreateFunction finds the code. */
export interface UploadedCode {
  readonly code: FunctionCode
  /** Takes away what is only needed until the function is made: Lambda keeps a copy. */
  remove(): Promise<void>
}

export interface UploadOptions {
  readonly clients: AwsClients
  /** Bucket of the same region for code that a request cannot carry. */
  readonly bucket: string | undefined
  readonly signal: AbortSignal | undefined
}

/** With the request itself where Lambda takes it so, else through S3. Throws RuntimeBuildError where neither is possible. */
export async function uploadCode(
  { bytes, largest }: WorkerZip,
  { clients, bucket, signal }: UploadOptions,
): Promise<UploadedCode> {
  if (bytes.length <= ZIPPED_CODE_BYTES) return { code: { ZipFile: bytes }, remove: async () => {} }
  const problem = `${mib(bytes.length)} zipped, and AWS Lambda takes ${mib(ZIPPED_CODE_BYTES)} with a request`
  if (bucket === undefined)
    throw tooLarge(
      `${problem}; name a bucket of its region in aws_lambda.code_bucket to go through S3`,
      largest,
    )
  const { DeleteObjectCommand, PutObjectCommand } = await import('@aws-sdk/client-s3')
  const s3 = await clients.s3()
  // a key of its own: another program that deploys the same would remove it too early
  const place = { Bucket: bucket, Key: `${CODE_PREFIX}${randomBytes(16).toString('hex')}.zip` }
  await attempt(`uploading the code to the bucket ${bucket}`, signal, () =>
    s3.send(
      new PutObjectCommand({ ...place, Body: bytes }),
      signal === undefined ? {} : { abortSignal: signal },
    ),
  )
  return {
    code: { S3Bucket: place.Bucket, S3Key: place.Key },
    remove: () =>
      attempt(`removing the code from the bucket ${bucket}`, undefined, async () => {
        await s3.send(new DeleteObjectCommand(place))
      }),
  }
}
