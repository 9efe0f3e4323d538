import { ObjectNotFoundError, StorageAccessError, StorageError } from '../errors/index.ts'
import { sleep } from '../storage/sleep.ts'
import type { PieceDescriptor } from './descriptor.ts'
import type { ObjectReader } from './object-reader.ts'

/** Tries without a byte of progress, with pauses that double from the first to the longest. */
const MAX_ATTEMPTS = 6
const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 5_000
/** A server may ask for a longer pause than ours; longer than this is an error. */
const MAX_RETRY_AFTER_MS = 60_000

/** Reads what a web server gives for a URL. What breaks in the middle is asked for again from there. */
export class UrlReader implements ObjectReader {
  readonly #descriptor: PieceDescriptor
  readonly #signal: AbortSignal | undefined

  constructor(descriptor: PieceDescriptor, signal: AbortSignal | undefined) {
    this.#descriptor = descriptor
    this.#signal = signal
  }

  async *open(start: number, end: number | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const last = end ?? this.#descriptor.size
    let at = start
    for (let attempt = 1; last === undefined || at < last; attempt++) {
      try {
        for await (const chunk of this.#request(at, end)) {
          at += chunk.length
          attempt = 1
          yield chunk
        }
        if (last === undefined || at >= last) return
        throw new StorageError(`${this.#place}: the connection ended before the body did`, {
          isRetryable: true,
        })
      } catch (error) {
        await this.#pauseOrThrow(error, attempt)
      }
    }
  }

  get #place(): string {
    return `get ${publicUrl(this.#descriptor.key)}`
  }

  async *#request(start: number, end: number | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const isAll = start === 0 && (end === undefined || end === this.#descriptor.size)
    const response = await this.#fetch(
      isAll ? {} : { range: `bytes=${start}-${end === undefined ? '' : end - 1}` },
    )
    const { body } = response
    try {
      this.#check(response, start)
      if (body === null) return
      // a server that does not know ranges sends everything
      let skip = response.status === 206 ? 0 : start
      let left = end === undefined ? Number.POSITIVE_INFINITY : end - start
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        const wanted = chunk.subarray(skip, skip + left)
        skip = Math.max(0, skip - chunk.length)
        left -= wanted.length
        if (wanted.length > 0) yield wanted
        if (left <= 0) return
      }
    } catch (error) {
      throw this.#broken(error)
    } finally {
      await body?.cancel().catch(() => {})
    }
  }

  async #fetch(headers: Readonly<Record<string, string>>): Promise<Response> {
    const { key, etag, lastModified } = this.#descriptor
    const isStrong = etag !== undefined && !etag.startsWith('W/')
    try {
      return await fetch(key, {
        // the bytes as they are stored: ranges of them are meant
        headers: {
          'accept-encoding': 'identity',
          ...(isStrong ? { 'if-match': etag } : {}),
          ...(!isStrong && lastModified !== undefined ? { 'if-unmodified-since': lastModified } : {}),
          ...headers,
        },
        ...(this.#signal === undefined ? {} : { signal: this.#signal }),
      })
    } catch (error) {
      throw this.#broken(error)
    }
  }

  #check(response: Response, start: number): void {
    const { status, headers } = response
    if (status !== 200 && status !== 206) throw httpError(this.#place, response, this.#descriptor.key)
    const { etag, lastModified, size } = this.#descriptor
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? []
    const isOther =
      differs(etag, headers.get('etag')) ||
      (etag === undefined && differs(lastModified, headers.get('last-modified'))) ||
      (status === 206 && (Number(from) !== start || (size !== undefined && Number(total) !== size))) ||
      (status === 200 && size !== undefined && differs(String(size), headers.get('content-length')))
    if (isOther) throw changedUrl(this.#place, this.#descriptor.key)
  }

  /** What fetch throws, as an error of storage that may be tried again. */
  #broken(error: unknown): unknown {
    if (this.#signal?.aborted || StorageError.isInstance(error)) return error
    const { cause } = error as { cause?: { code?: unknown } }
    const why = typeof cause?.code === 'string' ? cause.code : (error as Error).message
    return new StorageError(`${this.#place}: ${why}`, {
      isRetryable: true,
      details: { operation: 'get', key: publicUrl(this.#descriptor.key) },
      cause: error,
    })
  }

  async #pauseOrThrow(error: unknown, attempt: number): Promise<void> {
    if (!StorageError.isInstance(error) || !error.isRetryable || attempt >= MAX_ATTEMPTS) throw error
    const { retryAfterMs } = error.details as { retryAfterMs?: number }
    if (retryAfterMs !== undefined && retryAfterMs > MAX_RETRY_AFTER_MS) throw error
    const pause = Math.random() * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1))
    await sleep(Math.max(pause, retryAfterMs ?? 0), this.#signal)
  }
}

/** A URL without what may be a secret in it: user, password, query and fragment. */
export function publicUrl(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

/** The error of an answer that is none of 200 and 206. */
export function httpError(place: string, response: Response, url: string): StorageError {
  const { status } = response
  const message = `${place}: the server answered ${status} ${response.statusText}`.trimEnd()
  const options = { details: { operation: 'get', key: publicUrl(url), status } }
  if (status === 404 || status === 410) return new ObjectNotFoundError(message, options)
  if (status === 401 || status === 403) return new StorageAccessError(message, options)
  if (status === 412 || status === 416) return changedUrl(place, url)
  const retryAfterMs = retryAfter(response.headers.get('retry-after'))
  return new StorageError(message, {
    isRetryable: status === 408 || status === 429 || status >= 500,
    details: { ...options.details, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  })
}

function changedUrl(place: string, url: string): StorageError {
  return new StorageError(`${place}: the content is another than the one that was found for the job`, {
    code: 'LITHOPS_OBJECT_CHANGED',
    details: { operation: 'get', key: publicUrl(url) },
  })
}

/** Seconds or a date. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

/** Servers may call the same content weak here and strong there. */
function differs(wanted: string | undefined, got: string | null): boolean {
  if (wanted === undefined || got === null) return false
  return wanted.replace(/^W\//, '') !== got.replace(/^W\//, '')
}
