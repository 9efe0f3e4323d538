import { StorageError } from '../errors/index.ts'
import { httpError, publicUrl } from '../piece/url-reader.ts'
import { sleep } from '../storage/sleep.ts'
import type { FoundObject } from './found-object.ts'

const MAX_ATTEMPTS = 5
const FIRST_PAUSE_MS = 100
/** Answers to HEAD of servers, and of signed URLs, that know GET only. */
const NO_HEAD = new Set([400, 403, 404, 405, 501])

/** What a web server says of a URL. `needsRanges`: whether it gives parts is found out for certain. */
export async function findUrl(
  url: string,
  options: { readonly needsRanges: boolean; readonly signal: AbortSignal | undefined },
): Promise<FoundObject> {
  const head = await ask(url, { method: 'HEAD' }, options.signal)
  const isKnown = head.status === 200 && head.headers.get('content-length') !== null
  const saysRanges = head.headers.get('accept-ranges') === 'bytes'
  if (isKnown && (saysRanges || !options.needsRanges))
    return found(url, head.headers, sizeIn(head.headers), saysRanges)
  if (head.status !== 200 && !NO_HEAD.has(head.status)) throw httpError(placeOf(url), head, url)
  return probe(url, options.signal)
}

/** Asks for one byte: the answer has the size of all, or is all because the server knows no ranges. */
async function probe(url: string, signal: AbortSignal | undefined): Promise<FoundObject> {
  const response = await ask(url, { headers: { range: 'bytes=0-0' } }, signal)
  const { status, headers } = response
  if (status === 206) {
    const total = /^bytes \d+-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1]
    return found(url, headers, total === undefined ? undefined : Number(total), total !== undefined)
  }
  // an object without bytes has no first byte
  if (status === 416 && /\*\/0$/.test(headers.get('content-range') ?? ''))
    return found(url, headers, 0, false)
  if (status !== 200) throw httpError(placeOf(url), response, url)
  return found(url, headers, sizeIn(headers), false)
}

async function ask(url: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    let failure: unknown
    try {
      const response = await fetch(url, {
        ...init,
        headers: { 'accept-encoding': 'identity', ...init.headers },
        ...(signal === undefined ? {} : { signal }),
      })
      await response.body?.cancel()
      if (response.status !== 429 && response.status < 500) return response
      if (response.status === 501) return response
      failure = httpError(placeOf(url), response, url)
    } catch (error) {
      signal?.throwIfAborted()
      const code = (error as { cause?: { code?: unknown } }).cause?.code
      failure = new StorageError(
        `${placeOf(url)}: ${typeof code === 'string' ? code : (error as Error).message}`,
        { isRetryable: true, details: { operation: 'head', key: publicUrl(url) }, cause: error },
      )
    }
    if (attempt >= MAX_ATTEMPTS) throw failure
    await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * Math.random(), signal)
  }
}

function placeOf(url: string): string {
  return `find ${publicUrl(url)}`
}

function sizeIn(headers: Headers): number | undefined {
  const length = headers.get('content-length')
  return length === null || headers.has('content-encoding') ? undefined : Number(length)
}

function found(url: string, headers: Headers, size: number | undefined, hasRanges: boolean): FoundObject {
  const etag = headers.get('etag')
  const lastModified = headers.get('last-modified')
  const object = {
    kind: 'url',
    key: url,
    ...(size === undefined ? {} : { size }),
    ...(etag === null ? {} : { etag }),
    ...(lastModified === null ? {} : { lastModified }),
    part: 0,
    totalParts: 1,
  } as const
  return { object, hasRanges: hasRanges && size !== undefined }
}
