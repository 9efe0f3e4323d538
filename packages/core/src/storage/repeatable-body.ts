import type { Body } from '../driver/storage-backend.ts'

/** A stream that begins anew each time it is iterated, so that a write of it may be tried again. */
export interface RepeatableBody extends AsyncIterable<Uint8Array> {
  readonly isRepeatable: true
}

export function isRepeatable(body: Body): boolean {
  return body instanceof Uint8Array || 'isRepeatable' in body
}

/** `open` is called for each iteration. */
export function repeatableBody(open: () => AsyncIterable<Uint8Array>): RepeatableBody {
  return { isRepeatable: true, [Symbol.asyncIterator]: () => open()[Symbol.asyncIterator]() }
}
