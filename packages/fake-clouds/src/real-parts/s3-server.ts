import type { RunningPart } from './real-part.ts'

/** A running server that speaks S3. */
export interface S3Server extends RunningPart {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}
