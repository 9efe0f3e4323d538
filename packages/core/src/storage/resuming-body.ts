import type { GetOptions, ObjectHead } from '../driver/storage-backend.ts'
import { describePlace, objectChanged, resolveRange, type StoragePlace } from '../driver/storage-checks.ts'
import { StorageError } from '../errors/index.ts'

type OpenedBody = ObjectHead & { readonly body: AsyncIterable<Uint8Array> }

export interface ResumingBodyOptions {
  readonly place: StoragePlace & { readonly key: string }
  /** As the reader asked for the object. */
  readonly options: GetOptions
  /** Opens the rest; retries by itself. */
  readonly open: (options: GetOptions) => Promise<OpenedBody>
  /** Waits before the next try, or throws the error when there is none. `attempt` counts tries without a new byte. */
  readonly pauseOrThrow: (error: unknown, attempt: number) => Promise<void>
}

/**
 * An object's bytes, read on from where a connection broke. The rest must be of the same object: by its ETag, or where
 * the service has none, by size and time. Another one is StorageError, code LITHOPS_OBJECT_CHANGED.
 */
export class ResumingBody implements AsyncIterable<Uint8Array> {
  readonly #first: OpenedBody
  readonly #how: ResumingBodyOptions
  readonly #end: number
  #at: number
  #pieces: AsyncIterator<Uint8Array> | undefined
  #attempt = 1
  #isDone = false

  constructor(first: OpenedBody, how: ResumingBodyOptions) {
    this.#first = first
    this.#how = how
    const { start, end } = resolveRange(how.options.range, first.sizeBytes)
    this.#at = start
    this.#end = end
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => {
        const value = await this.#next()
        return value === undefined ? { done: true, value } : { done: false, value }
      },
      return: async () => {
        // before the first read too: the connection is open already
        this.#pieces ??= this.#first.body[Symbol.asyncIterator]()
        await this.#leave()
        this.#isDone = true
        return { done: true, value: undefined }
      },
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    while (!this.#isDone) {
      try {
        this.#pieces ??= this.#first.body[Symbol.asyncIterator]()
        const { done, value } = await this.#pieces.next()
        if (!done) {
          this.#at += value.length
          this.#attempt = 1
          return value
        }
        if (this.#at < this.#end) throw this.#cutShort()
      } catch (error) {
        // an error after the last byte says nothing of the bytes
        if (this.#at < this.#end) {
          await this.#resume(error)
          continue
        }
        if (!(StorageError.isInstance(error) && error.isRetryable)) this.#fail(error)
      }
      this.#isDone = true
    }
    return undefined
  }

  async #resume(error: unknown): Promise<void> {
    const { open, options, pauseOrThrow, place } = this.#how
    const { etag, lastModified, sizeBytes } = this.#first
    if (etag === undefined && lastModified === undefined) this.#fail(error)
    try {
      await pauseOrThrow(error, this.#attempt++)
      const rest = await open({
        ...options,
        range: { start: this.#at, end: this.#end },
        ...(etag === undefined ? {} : { ifMatch: etag }),
      })
      this.#pieces = rest.body[Symbol.asyncIterator]()
      const isSame =
        rest.sizeBytes === sizeBytes &&
        (etag === undefined ? rest.lastModified?.getTime() === lastModified?.getTime() : rest.etag === etag)
      if (isSame) return
      await this.#leave()
    } catch (failure) {
      this.#fail(failure)
    }
    this.#fail(objectChanged(place))
  }

  async #leave(): Promise<void> {
    await this.#pieces?.return?.()
  }

  #fail(error: unknown): never {
    this.#isDone = true
    throw error
  }

  #cutShort(): StorageError {
    const { place } = this.#how
    return new StorageError(
      `${describePlace(place)}: the connection ended after byte ${this.#at} of ${this.#end}`,
      { isRetryable: true, details: { ...place } },
    )
  }
}
