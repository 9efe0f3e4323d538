import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { S3StorageOptions } from './s3-options.ts'

/** Enough for a program that reads many objects at once; the SDK's default of 50 would queue it. */
const MAX_SOCKETS = 128
const CONNECT_TIMEOUT_MS = 10_000
const IDLE_TIMEOUT_MS = 60_000
/** Tries of one part of an upload, in all. Its bytes are in memory, so only that part is sent again. */
const PART_ATTEMPTS = 5

/**
 * The vendor's clients of one storage, over one pool of connections. `single` tries everything once, as core retries.
 * `parts` is for uploads of several requests: core cannot repeat them, so the SDK does. `presigner` signs URLs.
 */
export class S3Clients {
  readonly single: S3Client
  readonly parts: S3Client
  readonly #options: S3ClientConfig
  #presigner: S3Client | undefined

  constructor(options: S3StorageOptions) {
    const { service, client, idleTimeoutMs = IDLE_TIMEOUT_MS } = options
    const agent = { keepAlive: true, maxSockets: MAX_SOCKETS }
    const base: S3ClientConfig = {
      ...client,
      requestChecksumCalculation: service.takesChecksums ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
      // ranges and multipart objects are not checked by the SDK anyway, and its checking of streams holds their socket
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: idleTimeoutMs,
        // queueing behind busy connections is what a pool is for
        socketAcquisitionWarningTimeout: 2 ** 30,
        httpAgent: agent,
        httpsAgent: agent,
      },
    }
    this.single = new S3Client({ ...base, maxAttempts: 1 })
    // the pool and the credentials that were found are shared
    const shared = {
      ...base,
      requestHandler: this.single.config.requestHandler,
      credentials: this.single.config.credentials,
    }
    this.parts = new S3Client({ ...shared, maxAttempts: PART_ATTEMPTS, retryMode: 'standard' })
    this.#options = shared
  }

  /** Signs without checksums: the client cannot know those of bytes that somebody else sends. */
  get presigner(): S3Client {
    this.#presigner ??= new S3Client({ ...this.#options, requestChecksumCalculation: 'WHEN_REQUIRED' })
    return this.#presigner
  }

  /** May be called twice. */
  close(): void {
    this.single.destroy()
  }
}
