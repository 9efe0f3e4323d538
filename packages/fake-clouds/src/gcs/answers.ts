import type { IncomingMessage, ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { GcsError } from './gcs-error.ts'
import type { StoredObject } from './objects.ts'

/** What came of a body, and whether that is all. */
export async function bodyOf(
  request: IncomingMessage,
): Promise<{ readonly body: Buffer; readonly isWhole: boolean }> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of request) pieces.push(piece as Buffer)
  } catch {
    return { body: Buffer.concat(pieces), isWhole: false }
  }
  return { body: Buffer.concat(pieces), isWhole: true }
}

/** The two parts of a body of `uploadType=multipart`. */
export function multipartOf(contentType: string, body: Buffer) {
  const boundary = `--${/boundary="?([^";]+)/.exec(contentType)?.[1]}`
  const text = body.toString('latin1')
  const metadataFrom = text.indexOf('\r\n\r\n') + 4
  const metadataTo = text.indexOf(`\r\n${boundary}`, metadataFrom)
  const bytesFrom = text.indexOf('\r\n\r\n', metadataTo + 2) + 4
  const bytesTo = text.lastIndexOf(`\r\n${boundary}--`)
  return {
    metadata: JSON.parse(body.subarray(metadataFrom, metadataTo).toString()) as {
      readonly name?: string
      readonly contentType?: string
      readonly contentEncoding?: string
    },
    bytes: Buffer.from(body.subarray(bytesFrom, bytesTo)),
  }
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(body))
}

/** The bytes, or the range that is asked for. */
export function sendBytes(request: IncomingMessage, response: ServerResponse, object: StoredObject): void {
  const headers: Record<string, string> = {
    'content-type': object.contentType,
    'x-goog-generation': object.generation,
    'last-modified': object.updated.toUTCString(),
  }
  const isPacked = object.contentEncoding === 'gzip'
  if (isPacked && !/gzip/.test(String(request.headers['accept-encoding']))) {
    // the service unpacks, and then knows neither lengths nor ranges
    response.writeHead(200, headers).end(gunzipSync(object.bytes))
    return
  }
  if (isPacked) headers['content-encoding'] = 'gzip'
  const { length } = object.bytes
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  if (from === undefined) {
    response.writeHead(200, { ...headers, 'content-length': length }).end(object.bytes)
    return
  }
  if (Number(from) >= length) {
    const text = 'The requested range cannot be satisfied.'
    response.writeHead(416, { 'content-range': `bytes */${length}` })
    response.end(new GcsError(416, 'InvalidRange', text).xml)
    return
  }
  const part = object.bytes.subarray(Number(from), to === '' ? length : Number(to) + 1)
  const range = `bytes ${from}-${Number(from) + part.length - 1}/${length}`
  response.writeHead(206, { ...headers, 'content-range': range, 'content-length': part.length }).end(part)
}

/** What the API says of an object. */
export function resource(bucket: string, name: string, object: StoredObject) {
  const { bytes, contentType, generation, updated } = object
  const size = String(bytes.length)
  return {
    kind: 'storage#object',
    bucket,
    name,
    size,
    contentType,
    generation,
    updated: updated.toISOString(),
  }
}
