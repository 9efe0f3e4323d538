import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AbortMultipartUploadCommand,
  type AbortMultipartUploadCommandInput,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import {
  blocksOf,
  describePlace,
  NotSupportedError,
  type StoragePlace,
  storageFailed,
} from '@lithops/core/driver'
import type { S3Clients } from './s3-clients.ts'
import { codeOf } from './s3-errors.ts'
import { MAX_PARTS, SINGLE_PUT_BYTES } from './s3-options.ts'

/** Five of them are in memory at most: four on their way and one that fills. S3 takes 5 MiB to 5 GiB. */
const PART_BYTES = 8 * 1024 * 1024
const PARTS_AT_ONCE = 4
/** Pieces of the source are gathered to this, so that many small ones cost little. */
const BLOCK_BYTES = 256 * 1024

const MORE_ABORTS = 3
const MORE_ABORTS_PAUSE_MS = 50

type Command = Parameters<S3Client['send']>[0]

/**
 * Writes a body of any length with lib-storage: in one request when it fits in a part, else as a multipart upload. When
 * it fails nothing is left: reading stops, requests under way are cut, the upload is aborted, and only then is the error
 * thrown. Errors of the source come as they are, an abort as the signal's reason, those of the SDK translated.
 */
export async function upload(
  clients: S3Clients,
  input: Omit<PutObjectCommandInput, 'Body'>,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  options: {
    readonly place: StoragePlace
    readonly signal?: AbortSignal
    readonly translate: (error: unknown) => unknown
    /** See S3Service.completesConditionally. Where it is false, a conditional write must go in one request. */
    readonly completesConditionally: boolean
  },
): Promise<{ readonly etag?: string }> {
  const run = new UploadRun(clients, options)
  const isBytes = body instanceof Uint8Array
  const Body = isBytes ? bufferOf(body) : run.read(body)
  const isSingle = input.IfNoneMatch !== undefined && !options.completesConditionally
  const partSize = isSingle ? SINGLE_PUT_BYTES : isBytes ? partBytesFor(body.length) : PART_BYTES
  try {
    const { client } = run
    const params = { ...input, Body }
    const { ETag: etag } = await new Upload({ client, params, queueSize: PARTS_AT_ONCE, partSize }).done()
    return etag === undefined ? {} : { etag }
  } catch (error) {
    // what lib-storage throws may be a failure of the clean-up after the first one
    await run.abortAgain()
    const first = run.failure ?? { error, isOfService: true }
    throw first.isOfService ? options.translate(first.error) : first.error
  } finally {
    run.end()
  }
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** What failed first. Wrapped, as a source may throw anything. */
interface Failure {
  readonly error: unknown
  readonly isOfService: boolean
}

/** One upload: what stops it, and the client that lib-storage is given. */
class UploadRun {
  failure: Failure | undefined
  readonly client: S3Client
  readonly #clients: S3Clients
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal | undefined
  readonly #place: StoragePlace
  #begun: AbortMultipartUploadCommandInput | undefined
  readonly #completesConditionally: boolean
  readonly #onAbort = () => this.#fail({ error: this.#signal?.reason, isOfService: false })

  constructor(
    clients: S3Clients,
    options: {
      readonly place: StoragePlace
      readonly signal?: AbortSignal
      readonly completesConditionally: boolean
    },
  ) {
    const { place, signal, completesConditionally } = options
    this.#clients = clients
    this.#place = place
    this.#completesConditionally = completesConditionally
    this.#signal = signal
    if (signal?.aborted) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.client = Object.create(clients.parts, {
      send: { value: (command: Command) => this.#send(command) },
    }) as S3Client
  }

  /**
   * A part that was cut on its way may have arrived after the upload was aborted; S3 then wants another abort. It says
   * NoSuchUpload when nothing is left.
   */
  async abortAgain(): Promise<void> {
    if (this.#begun === undefined) return
    for (let i = 0; i < MORE_ABORTS; i++) {
      try {
        await this.#clients.parts.send(new AbortMultipartUploadCommand(this.#begun))
      } catch {
        return
      }
      await sleep(MORE_ABORTS_PAUSE_MS)
    }
  }

  end(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  /** The source's bytes, until something has failed. */
  read(body: AsyncIterable<Uint8Array>): Readable {
    return Readable.from(this.#blocks(body), { objectMode: false })
  }

  async *#blocks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const place = this.#place
    let bytes = 0
    try {
      for await (const block of blocksOf(body, BLOCK_BYTES, { place, signal: this.#stop.signal })) {
        bytes += block.length
        if (bytes > MAX_PARTS * PART_BYTES) {
          throw storageFailed(
            place,
            `a stream whose length is not known can have ${MAX_PARTS} parts of ${PART_BYTES} bytes, and this one has more`,
            { isRetryable: false },
          )
        }
        yield block
      }
    } catch (error) {
      this.#fail({ error, isOfService: false })
      throw error
    }
  }

  async #send(command: Command): Promise<unknown> {
    // whatever has happened, an abort must get through
    if (command instanceof AbortMultipartUploadCommand) return this.#clients.parts.send(command)
    try {
      return await this.#sendStoppable(command)
    } catch (error) {
      this.#fail({ error, isOfService: true })
      throw error
    }
  }

  async #sendStoppable(command: Command): Promise<unknown> {
    const options = { abortSignal: this.#stop.signal }
    if (command instanceof CreateMultipartUploadCommand) {
      this.#checkConditional(command)
      // not cut by an abort: what the service has begun must be known, to be aborted there
      const begun = await this.#clients.parts.send(command)
      const { Bucket, Key } = command.input
      this.#begun = { Bucket, Key, UploadId: begun.UploadId }
      return begun
    }
    const isConditional =
      (command instanceof PutObjectCommand || command instanceof CompleteMultipartUploadCommand) &&
      command.input.IfNoneMatch !== undefined
    // a second try would find the object of the first and take it for a rival's
    if (isConditional) return this.#clients.single.send(command as PutObjectCommand, options)
    try {
      return await this.#clients.parts.send(command as PutObjectCommand, options)
    } catch (error) {
      if (!(command instanceof CompleteMultipartUploadCommand) || codeOf(error) !== 'NoSuchUpload')
        throw error
      return this.#findCompleted(command, error)
    }
  }

  /** `IfNoneMatch` is not of this command, but lib-storage gives all commands what it was given. */
  #checkConditional(command: CreateMultipartUploadCommand): void {
    if (!('IfNoneMatch' in command.input) || this.#completesConditionally) return
    throw new NotSupportedError(
      `${describePlace(this.#place)}: this service writes with ifAbsent what fits in ${SINGLE_PUT_BYTES} bytes, and the stream has more`,
      { details: { ...this.#place } },
    )
  }

  /** The answer of a completion was lost and the SDK tried again: then the upload is gone, and the object is there. */
  async #findCompleted(command: CompleteMultipartUploadCommand, error: unknown): Promise<unknown> {
    const { Bucket, Key, MultipartUpload } = command.input
    const head = await this.#clients.parts.send(new HeadObjectCommand({ Bucket, Key })).catch(() => undefined)
    if (head?.ETag !== undefined && head.ETag === etagOfParts(MultipartUpload?.Parts ?? [])) return head
    throw error
  }

  #fail(failure: Failure): void {
    this.failure ??= failure
    this.#stop.abort(failure.error)
  }
}

/** The ETag that S3 gives to an object of these parts, where it makes ETags by MD5. */
function etagOfParts(parts: readonly CompletedPart[]): string {
  const hash = createHash('md5')
  for (const { ETag = '' } of parts) hash.update(Buffer.from(ETag.replaceAll('"', ''), 'hex'))
  return `"${hash.digest('hex')}-${parts.length}"`
}

function partBytesFor(bytes: number): number {
  return Math.max(PART_BYTES, Math.ceil(bytes / MAX_PARTS))
}
