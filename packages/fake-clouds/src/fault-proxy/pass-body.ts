import type { Readable, Writable } from 'node:stream'

/**
 * Passes a body on as it comes, no faster than it is taken. With a limit it stops after that many bytes, also when the
 * body has no more. Returns whether the body was passed whole; the sink is not ended.
 */
export async function passBody(
  source: Readable,
  sink: Writable,
  options: { readonly limit?: number | undefined; readonly onBytes?: (count: number) => void },
): Promise<boolean> {
  const { limit = Number.POSITIVE_INFINITY, onBytes } = options
  let passed = 0
  if (limit === 0) return false
  for await (const piece of source as AsyncIterable<Buffer>) {
    const part = piece.subarray(0, limit - passed)
    passed += part.length
    onBytes?.(part.length)
    if (sink.destroyed) throw new Error('the other side is gone')
    const isCut = passed >= limit
    // what is passed must be on its way before the connection is cut
    if (isCut) await new Promise(resolve => sink.write(part, resolve))
    else if (!sink.write(part)) await drained(sink)
    if (isCut) return false
  }
  return true
}

/** Until the sink takes more, or will never. */
function drained(sink: Writable): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      sink.off('drain', done).off('close', done)
      resolve()
    }
    sink.on('drain', done).on('close', done)
  })
}
