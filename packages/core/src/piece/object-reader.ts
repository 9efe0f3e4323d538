/** Reads bytes of one object, wherever it is. */
export interface ObjectReader {
  /** The bytes from `start` to before `end`, or to the end of the object. Fails when the object is another by now. */
  open(start: number, end: number | undefined): AsyncIterable<Uint8Array>
  /** The same at once, where that takes less than a stream. */
  readAll?(start: number, end: number | undefined): Promise<Uint8Array>
}

/** Asks for the next chunk while the last one is looked at. */
export async function* readAhead(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]()
  let next: Promise<IteratorResult<Uint8Array>> | undefined
  const ask = () => {
    next = iterator.next()
    next.catch(() => {}) // told to whoever awaits it
    return next
  }
  let isDone = false
  try {
    ask()
    for (;;) {
      const result = await (next as Promise<IteratorResult<Uint8Array>>)
      if (result.done) {
        isDone = true
        return
      }
      ask()
      yield asBuffer(result.value)
    }
  } catch (error) {
    isDone = true
    throw error
  } finally {
    if (!isDone) {
      await next?.catch(() => {})
      await iterator.return?.()
    }
  }
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
