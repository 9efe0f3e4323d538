import { PARTS_AT_ONCE, UNFINISHED_SECONDS } from './limits.ts'

/** What an upload does on the server. */
interface Target<R> {
  readonly write: (part: number, bytes: Uint8Array, expiresInSeconds: number) => Promise<unknown>
  readonly remove: (parts: readonly number[]) => Promise<unknown>
  /** Makes an object of so many bytes in so many parts. */
  readonly commit: (sizeBytes: number, parts: number) => Promise<R>
}

/**
 * Writes parts, several at once, and makes an object of them. When it fails they are removed before the error comes; those
 * that a broken connection or a killed program leaves go by themselves after some hours.
 */
export async function uploadParts<R>(
  source: {
    readonly first: readonly Uint8Array[]
    readonly rest: AsyncGenerator<Uint8Array, void, undefined>
  },
  target: Target<R>,
): Promise<R> {
  const written: number[] = []
  const underWay = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  let sizeBytes = 0
  const begin = (bytes: Uint8Array) => {
    const part = written.length
    written.push(part)
    sizeBytes += bytes.length
    const writing = target
      .write(part, bytes, UNFINISHED_SECONDS)
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .then(() => void underWay.delete(writing))
    underWay.add(writing)
  }
  const goOn = async (atMost: number) => {
    while (underWay.size > atMost) await Promise.race(underWay)
    if (failure !== undefined) throw failure.error
  }
  try {
    for (const bytes of source.first) begin(bytes)
    for await (const bytes of source.rest) {
      await goOn(PARTS_AT_ONCE - 1)
      begin(bytes)
    }
    await goOn(0)
    return await target.commit(sizeBytes, written.length)
  } catch (error) {
    await Promise.all(underWay)
    await source.rest.return()
    // by their own end, when the connection is gone
    await target.remove(written).catch(() => {})
    throw error
  }
}
