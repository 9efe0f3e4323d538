import { setTimeout as sleep } from 'node:timers/promises'
import { blocksOf, repeatUndone, type StoragePlace } from '@lithops/core/driver'
import { isRefusedUndone, mayPass, statusOf } from './gcs-errors.ts'
import { GcsFailure } from './gcs-failure.ts'
import type { GcsAnswer, GcsSession } from './gcs-session.ts'
import { FIRST_PAUSE_MS, MAX_PAUSE_MS, PART_BYTES, PART_TRIES, SINGLE_PUT_BYTES } from './limits.ts'

export interface UploadOptions {
  readonly place: StoragePlace & { readonly key: string }
  /** Of the service, without a slash at the end. */
  readonly endpoint: string
  readonly ifAbsent: boolean
  readonly contentType: string
  readonly signal?: AbortSignal | undefined
  /** Whether the object is there now. */
  readonly isThere: () => Promise<boolean>
}

/** What the service says of an object. */
export interface GcsObject {
  readonly name?: string
  readonly size?: string
  readonly generation?: string
  readonly updated?: string
  readonly contentType?: string
}

/** The service has an upload as far as this; 308 is its word for "go on". */
const GO_ON = 308
/** What is left of an upload that failed must not be waited for long. */
const CANCEL_MS = 5_000

/**
 * Writes a body of any length: small ones in one request, others in parts of one upload, which is an object only when it is
 * whole. When it fails reading stops and the upload is cancelled before the error is thrown. Errors of the source come as
 * they are, an abort as the signal's reason.
 */
export async function upload(
  session: GcsSession,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  options: UploadOptions,
): Promise<GcsObject> {
  const stop = new AbortController()
  const { place } = options
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  const isBytes = body instanceof Uint8Array
  const parts = isBytes ? partsOf(body) : blocksOf(body, PART_BYTES, { place, signal })
  try {
    if (isBytes && body.length <= SINGLE_PUT_BYTES) return await putOnce(session, body, options)
    const first = await parts.next()
    if (first.done) return await putOnce(session, new Uint8Array(), options)
    const second = await parts.next()
    if (second.done) return await putOnce(session, first.value, options)
    return await putParts(session, [first.value, second.value], parts, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    throw error
  } finally {
    stop.abort()
    // not awaited: a source that is waiting ends only when it has what it waits for
    parts.return().catch(() => {})
  }
}

async function putOnce(session: GcsSession, body: Uint8Array, options: UploadOptions): Promise<GcsObject> {
  const { ifAbsent, contentType, signal } = options
  const url = addressOf(options, 'media')
  const put = async () => {
    const headers = { 'content-type': contentType }
    const { data } = await session.ask<GcsObject>({ method: 'POST', url, body, headers, signal })
    return data
  }
  if (!ifAbsent) return put()
  const putOrKnow = async () => {
    try {
      return await put()
    } catch (error) {
      // the service may have written all the same; when nothing is there it has not
      if (error instanceof GcsFailure && error.status === 503) error.isUndone = !(await options.isThere())
      throw error
    }
  }
  return repeatUndone(putOrKnow, { isUndone: isRefusedUndone, signal })
}

async function putParts(
  session: GcsSession,
  [first, second]: readonly [Uint8Array, Uint8Array],
  parts: AsyncIterator<Uint8Array, void>,
  options: UploadOptions,
): Promise<GcsObject> {
  const run = await PartedUpload.begin(session, options)
  try {
    let current = first
    let next: Uint8Array | undefined = second
    while (next !== undefined) {
      const afterNext = parts.next()
      // it is awaited below, unless the part before it fails
      afterNext.catch(() => {})
      await run.send(current)
      current = next
      const { done, value } = await afterNext
      next = done === true ? undefined : value
    }
    return await run.sendLast(current)
  } catch (error) {
    await run.cancel()
    throw error
  }
}

/** An upload in parts ("resumable"). From: Google Cloud Storage, "Perform resumable uploads". */
class PartedUpload {
  readonly #session: GcsSession
  /** Whoever has it may write: it is in no error. */
  readonly #url: string
  readonly #signal: AbortSignal | undefined
  #sentBytes = 0

  private constructor(session: GcsSession, url: string, signal: AbortSignal | undefined) {
    this.#session = session
    this.#url = url
    this.#signal = signal
  }

  static async begin(session: GcsSession, options: UploadOptions): Promise<PartedUpload> {
    const { contentType, endpoint, signal } = options
    const headers = { 'content-type': 'application/json', 'x-upload-content-type': contentType }
    const url = addressOf(options, 'resumable')
    const body = Buffer.from(JSON.stringify({ contentType }))
    const start = () => session.ask<unknown>({ method: 'POST', url, body, headers, signal })
    const answer = await retried(start, signal)
    const { location } = answer.headers
    if (location === undefined) {
      throw new GcsFailure('the service gave no address for the parts', {
        status: answer.status,
        code: 'location',
      })
    }
    // behind a private endpoint the service may name its public one
    const { pathname, search } = new URL(location, url)
    return new PartedUpload(session, new URL(endpoint).origin + pathname + search, signal)
  }

  async send(part: Uint8Array): Promise<void> {
    await this.#put(part, undefined)
  }

  async sendLast(part: Uint8Array): Promise<GcsObject> {
    const object = await this.#put(part, this.#sentBytes + part.length)
    if (object !== undefined) return object
    throw new GcsFailure('the service has all parts and no object', { code: 'uploadIncomplete' })
  }

  async cancel(): Promise<void> {
    const signal = AbortSignal.timeout(CANCEL_MS)
    // 499 is its word for "done"; what cannot be cancelled the service drops after a week
    await this.#session.ask({ method: 'DELETE', url: this.#url, signal, accepts: [499] }).catch(() => {})
  }

  /** The object where these were its last bytes. */
  async #put(part: Uint8Array, total: number | undefined): Promise<GcsObject | undefined> {
    const start = this.#sentBytes
    const end = start + part.length
    let at = start
    let isSure = true
    const step = async (): Promise<GcsObject | undefined> => {
      if (!isSure) {
        // how far it came nobody knows but the service
        const answer = await this.#ask(new Uint8Array(), `bytes */${total ?? '*'}`)
        if (answer.status !== GO_ON) return answer.data
        at = checkedPlace(placeOf(answer), start, end)
        isSure = true
      }
      while (at < end) {
        isSure = false
        const answer = await this.#ask(part.subarray(at - start), `bytes ${at}-${end - 1}/${total ?? '*'}`)
        if (answer.status !== GO_ON) return answer.data
        const reached = checkedPlace(placeOf(answer), at, end)
        if (reached === at)
          throw new GcsFailure('the service took nothing', { code: 'uploadBrokenConnection' })
        at = reached
        isSure = true
      }
      return undefined
    }
    const object = await retried(step, this.#signal)
    this.#sentBytes = end
    return object
  }

  #ask(body: Uint8Array, range: string): Promise<GcsAnswer<GcsObject>> {
    return this.#session.ask<GcsObject>({
      method: 'PUT',
      url: this.#url,
      ...(body.length === 0 ? {} : { body }),
      headers: { 'content-range': range, 'content-type': 'application/octet-stream' },
      signal: this.#signal,
      accepts: [GO_ON],
    })
  }
}

/** First byte that the service does not have. */
function placeOf({ headers }: GcsAnswer<unknown>): number {
  const last = /^bytes=0-(\d+)$/.exec(headers.range ?? '')?.[1]
  return last === undefined ? 0 : Number(last) + 1
}

function checkedPlace(place: number, from: number, to: number): number {
  if (place >= from && place <= to) return place
  throw new GcsFailure(`the service has ${place} bytes of the upload, which cannot be`, {
    code: 'uploadLost',
    status: 410,
  })
}

async function retried<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === PART_TRIES || !mayPass(error)) throw error
      const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)) * Math.random()
      const askedMs = (error as GcsFailure).retryAfterMs ?? 0
      await sleep(
        Math.max(pauseMs, Math.min(askedMs, MAX_PAUSE_MS)),
        undefined,
        signal === undefined ? {} : { signal },
      )
    }
  }
}

function addressOf({ endpoint, place, ifAbsent }: UploadOptions, uploadType: 'media' | 'resumable'): string {
  const query = new URLSearchParams({ uploadType, name: place.key })
  if (ifAbsent) query.set('ifGenerationMatch', '0')
  query.set('fields', 'generation')
  return `${endpoint}/upload/storage/v1/b/${encodeURIComponent(place.bucket)}/o?${query}`
}

async function* partsOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += PART_BYTES) yield bytes.subarray(at, at + PART_BYTES)
}

export function isTaken(error: unknown): boolean {
  return statusOf(error) === 412
}
