import { Readable } from 'node:stream'
import type { BlockBlobClient, BlockBlobCommitBlockListOptions } from '@azure/storage-blob'
import { blocksOf, repeatUndone, type StoragePlace, storageFailed } from '@lithops/core/driver'
import { isRefusedUndone } from './azure-errors.ts'
import { BLOCK_BYTES, BLOCKS_AT_ONCE, MAX_BLOCKS, SINGLE_PUT_BYTES } from './limits.ts'

/** Pieces of the source are gathered to this, so that many small ones cost little. */
const PIECE_BYTES = 256 * 1024

type Conditions = BlockBlobCommitBlockListOptions['conditions']

export interface UploadOptions {
  readonly place: StoragePlace
  readonly signal?: AbortSignal | undefined
  readonly contentType?: string | undefined
  readonly ifAbsent: boolean
  /** Length of a stream where it is known. */
  readonly sizeBytes?: number | undefined
  readonly translate: (error: unknown) => unknown
}

/**
 * Writes a body of any length: in one request when it is small, else in blocks, which become an object at once when they
 * are all there. When it fails reading stops and requests under way are cut before the error is thrown; blocks that had
 * arrived are no object and in no listing, and the service drops them after a week: it has no way to do so at once. Errors
 * of the source come as they are, an abort as the signal's reason, those of the SDK translated.
 */
export async function upload(
  clients: { readonly single: BlockBlobClient; readonly blocks: BlockBlobClient },
  body: Uint8Array | AsyncIterable<Uint8Array>,
  options: UploadOptions,
): Promise<{ readonly etag?: string | undefined }> {
  if (body instanceof Uint8Array && body.length <= SINGLE_PUT_BYTES) {
    return putOnce(clients.single, body, options)
  }
  const run = new UploadRun(options)
  try {
    const pieces = run.pieces(body instanceof Uint8Array ? onePiece(body) : body)
    const first = await run.firstBlock(pieces)
    if (first.isAll) return await putOnce(clients.single, first.block, options)
    const source = run.stream(chained(first.block, pieces))
    const settings = { ...settingsOf(options), abortSignal: run.signal }
    const target = committing(clients, run.signal, options)
    return await target.uploadStream(source, run.blockBytes(body), BLOCKS_AT_ONCE, settings)
  } catch (error) {
    throw run.errorOf(error)
  } finally {
    run.end()
  }
}

async function putOnce(single: BlockBlobClient, bytes: Uint8Array, options: UploadOptions) {
  const settings = {
    ...settingsOf(options),
    ...(options.signal === undefined ? {} : { abortSignal: options.signal }),
  }
  const put = () => single.upload(bufferOf(bytes), bytes.length, settings)
  try {
    return await (options.ifAbsent
      ? repeatUndone(put, { isUndone: isRefusedUndone, signal: options.signal })
      : put())
  } catch (error) {
    options.signal?.throwIfAborted()
    throw options.translate(error)
  }
}

/** Sends blocks by the client that sends them again, and a conditional commit, which must not be, by the other. */
function committing(
  { single, blocks }: { readonly single: BlockBlobClient; readonly blocks: BlockBlobClient },
  signal: AbortSignal,
  options: UploadOptions,
): BlockBlobClient {
  if (!options.ifAbsent) return blocks
  const commit: BlockBlobClient['commitBlockList'] = (ids, settings) =>
    repeatUndone(() => single.commitBlockList(ids, settings), { isUndone: isRefusedUndone, signal })
  return Object.create(blocks, { commitBlockList: { value: commit } }) as BlockBlobClient
}

function settingsOf({ contentType, ifAbsent }: UploadOptions) {
  const conditions: Conditions = ifAbsent ? { ifNoneMatch: '*' } : {}
  return {
    conditions,
    ...(contentType === undefined ? {} : { blobHTTPHeaders: { blobContentType: contentType } }),
  }
}

/** One upload in blocks: what stops it, and what failed first. */
class UploadRun {
  readonly #options: UploadOptions
  readonly #stop = new AbortController()
  readonly #onAbort = () => this.#stop.abort(this.#options.signal?.reason)
  #sourceFailure: { readonly error: unknown } | undefined
  #source: Readable | undefined
  #isOver = false

  constructor(options: UploadOptions) {
    this.#options = options
    const { signal } = options
    if (signal?.aborted) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** The source's bytes, until something has failed. */
  async *pieces(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    const { place } = this.#options
    try {
      yield* blocksOf(body, PIECE_BYTES, { place, signal: this.#stop.signal })
    } catch (error) {
      if (!this.#isOver) this.#sourceFailure = { error }
      throw error
    }
  }

  /** For the SDK, which does not end it when something fails. */
  stream(pieces: AsyncIterable<Uint8Array>): Readable {
    this.#source = Readable.from(pieces, { objectMode: false })
    this.#source.on('error', () => {})
    return this.#source
  }

  /** As many pieces as fill a block, and whether that is all there is. */
  async firstBlock(pieces: AsyncGenerator<Uint8Array, void, undefined>) {
    const parts: Uint8Array[] = []
    let bytes = 0
    while (bytes <= BLOCK_BYTES) {
      const next = await pieces.next()
      if (next.done) return { block: Buffer.concat(parts), isAll: true }
      parts.push(next.value)
      bytes += next.value.length
    }
    return { block: Buffer.concat(parts), isAll: false }
  }

  /** Larger ones for a body that would have too many. */
  blockBytes(body: Uint8Array | AsyncIterable<Uint8Array>): number {
    const { sizeBytes = 0 } = this.#options
    const known = body instanceof Uint8Array ? body.length : sizeBytes
    return Math.max(BLOCK_BYTES, Math.ceil(known / MAX_BLOCKS))
  }

  errorOf(error: unknown): unknown {
    const { signal, translate, place } = this.#options
    this.#isOver = true
    const isAborted = signal?.aborted === true
    this.#stop.abort(error)
    if (isAborted) return signal?.reason
    if (this.#sourceFailure !== undefined) return this.#sourceFailure.error
    const isTooLong = (error as { code?: unknown }).code === 'BlockCountExceedsLimit'
    if (!isTooLong) return translate(error)
    return storageFailed(
      place,
      `a stream whose length is not known can have ${MAX_BLOCKS} blocks of ${BLOCK_BYTES} bytes, and this one has more`,
      { isRetryable: false },
    )
  }

  end(): void {
    this.#isOver = true
    this.#source?.destroy()
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
  }
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function* chained(
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield first
  yield* rest
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
