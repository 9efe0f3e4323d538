import { ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3'
import type { StorageBackend } from '@lithops/core/driver'
import { s3Faults } from '../fault-proxy/index.ts'
import type { S3Server } from '../real-parts/index.ts'
import { WRONG_SECRET } from '../storage-fault-suite/context.ts'
import { type FaultCase, type FaultDialect, storageFaultSuite } from '../storage-fault-suite/index.ts'
import { s3ClockCases } from './clock-cases.ts'
import { s3UploadCases } from './upload-cases.ts'

type S3Keys = Pick<S3Server, 'accessKeyId' | 'secretAccessKey'>

export type S3FaultCase = FaultCase<S3Keys>

export interface S3FaultSuiteOptions {
  /** A running server and the `test` of `withRealPart`. */
  readonly server: {
    readonly part: S3Server
    readonly test: (name: string, run: () => Promise<void>, options?: { readonly timeout?: number }) => void
  }
  /** Opens the driver's storage at that endpoint, with other keys than the server's when they are given. */
  readonly open: (endpoint: string, keys: S3Keys) => Promise<StorageBackend>
  /** The server looks at signatures and clocks. */
  readonly checksSignatures: boolean
  /** How many keys the longest listing has. Default: 10,500. */
  readonly manyKeys?: number
}

const S3: FaultDialect<S3Keys> = {
  faults: s3Faults,
  writes: { method: 'PUT' },
  reads: { method: 'GET' },
  removes: { method: 'DELETE' },
  parts: { url: /partNumber=/ },
  pageKeys: 1000,
  wrongKeys: keys => [
    { ...keys, secretAccessKey: WRONG_SECRET },
    { ...keys, accessKeyId: 'NOBODY' },
  ],
  secrets: ({ secretAccessKey }) => [secretAccessKey, 'Signature=', 'X-Amz-Signature'],
  unfinished: async (storage, bucket) => {
    const command = new ListMultipartUploadsCommand({ Bucket: bucket })
    const { Uploads = [] } = await (storage.client() as S3Client).send(command)
    return Uploads.map(({ Key }) => String(Key))
  },
}

/** The storage fault suite with what S3 alone has. */
export function s3FaultSuite(options: S3FaultSuiteOptions): void {
  storageFaultSuite<S3Keys>({ ...options, dialect: S3 }, [...s3ClockCases, ...s3UploadCases])
}
