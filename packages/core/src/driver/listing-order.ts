/** UTF-16 units whose order is not that of UTF-8 bytes: halves of surrogate pairs, and what lies above them. */
const FROM_SURROGATES = 0xd800

/**
 * Entries of a service that lists keys in the order of UTF-16 units, as JavaScript and .NET compare text, in the order of
 * UTF-8 bytes that the contract wants; entries that are in that order already stay so. Only keys that have a character
 * from U+E000 on wait for one another: those with the same beginning up to there.
 */
export async function* inByteOrder<E extends { readonly key: string }>(
  entries: AsyncIterable<E>,
): AsyncGenerator<E, void, undefined> {
  let waiting: E[] = []
  let beginning = ''
  for await (const entry of entries) {
    const belongs =
      entry.key.startsWith(beginning) && entry.key.charCodeAt(beginning.length) >= FROM_SURROGATES
    if (waiting.length > 0 && !belongs) {
      yield* sorted(waiting)
      waiting = []
    }
    if (waiting.length === 0) {
      const at = placeOfHigh(entry.key)
      if (at === undefined) {
        yield entry
        continue
      }
      beginning = entry.key.slice(0, at)
    }
    waiting.push(entry)
  }
  yield* sorted(waiting)
}

function placeOfHigh(key: string): number | undefined {
  for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) >= FROM_SURROGATES) return i
  return undefined
}

function sorted<E extends { readonly key: string }>(entries: readonly E[]): readonly E[] {
  return entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
}
