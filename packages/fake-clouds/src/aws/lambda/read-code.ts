import { invalidParameter } from './names.ts'

/** Objects of a storage; undefined when there is none such. */
export type ReadObject = (bucket: string, key: string) => Promise<Uint8Array | undefined>

/** Where a request says that code is. */
export interface CodeLocation {
  /** Base64. */
  readonly ZipFile?: string
  readonly S3Bucket?: string
  readonly S3Key?: string
  readonly ImageUri?: string
}

/** The bytes of the zip that a request brings or names. */
export async function readCode(location: CodeLocation, readObject: ReadObject | undefined): Promise<Buffer> {
  const { ZipFile, S3Bucket, S3Key } = location
  if (ZipFile !== undefined && ZipFile !== null) return Buffer.from(ZipFile, 'base64')
  if (S3Bucket === undefined || S3Key === undefined) {
    throw invalidParameter('Please provide a source for function code.')
  }
  const bytes = await readObject?.(S3Bucket, S3Key)
  if (bytes === undefined) {
    throw invalidParameter(
      'Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.',
    )
  }
  return Buffer.from(bytes)
}
