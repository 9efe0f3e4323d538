import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { ACCESS_HEADER } from '../http-protocol.ts'

/** Whether a request with these headers has the key: in a time that tells nothing of it. */
export function keyCheck(accessKey: string): (headers: IncomingHttpHeaders) => boolean {
  const digestOf = (text: string) => createHash('sha256').update(text).digest()
  const expected = digestOf(accessKey)
  return headers => timingSafeEqual(digestOf(String(headers[ACCESS_HEADER])), expected)
}
