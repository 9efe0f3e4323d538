/** A byte sequence that ends records. Occurrences are taken from the left, without overlap, as `String.split` does. */
export class Newline {
  readonly bytes: Buffer
  /**
   * Two occurrences can overlap, as of 'aa' in 'aaa'. Which of them count is then known only from the left, beginning
   * where no occurrence is near.
   */
  readonly overlapsItself: boolean
  /** The same as text, where splitting text gives what splitting bytes gives; else undefined. */
  readonly text: string | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes)
    this.overlapsItself = hasBorder(this.bytes)
    const text = this.bytes.toString('utf8')
    // A whole character never begins in the middle of another, and ends a broken one before it. U+FFFD itself stands
    // for any broken byte.
    this.text = Buffer.from(text).equals(this.bytes) && !text.includes('\ufffd') ? text : undefined
  }

  get length(): number {
    return this.bytes.length
  }

  /** Index of the last counting occurrence in bytes that begin where a record or nothing counting began; -1 for none. */
  lastIn(bytes: Buffer): number {
    if (!this.overlapsItself) return bytes.lastIndexOf(this.bytes)
    let last = -1
    for (let at = bytes.indexOf(this.bytes); at >= 0; at = bytes.indexOf(this.bytes, at + this.length))
      last = at
    return last
  }
}

export const LINE_FEED = new Newline(Buffer.from('\n'))

/** The newline of a descriptor: null for exact bytes. */
export function newlineOf(encoded: string | null | undefined): Newline | null {
  if (encoded === null) return null
  return encoded === undefined ? LINE_FEED : new Newline(Buffer.from(encoded, 'base64'))
}

/** Whether some proper beginning of `bytes` is also its end. */
function hasBorder(bytes: Buffer): boolean {
  for (let length = 1; length < bytes.length; length++) {
    if (bytes.subarray(0, length).equals(bytes.subarray(bytes.length - length))) return true
  }
  return false
}
