import { readRange } from './byte-source.ts'
import type { Newline } from './newline.ts'
import { asBuffer, type ObjectReader, readAhead } from './object-reader.ts'

/** Read beyond the end of a range with the range itself: most records end within it. */
const LOOK_AHEAD_BYTES = 16 * 1024
/** A record that goes on is followed by requests of this size, which doubles up to the second. */
const FIRST_FOLLOWING_BYTES = 64 * 1024
const MAX_FOLLOWING_BYTES = 8 * 1024 * 1024
/** First step back to where the counting of overlapping newlines can begin. */
const FIRST_STEP_BACK_BYTES = 4 * 1024

/** A range of an object of `size` bytes, to be read by whole records. */
export interface RecordRange {
  readonly start: number
  readonly end: number
  readonly size: number
}

/**
 * The records that begin within a range, with their newlines, as chunks of bytes. With R(x) for the first end of a
 * newline at x or after it, or the object's end, these are the bytes from R(start) to before R(end), where R(0) is 0.
 * So the ranges of an object give each byte once, however they are cut, and R of a border needs none of the others.
 */
export async function* recordBytes(
  reader: ObjectReader,
  { start, end, size }: RecordRange,
  newline: Newline,
): AsyncGenerator<Buffer, void, undefined> {
  if (start >= Math.min(end, size)) return
  if (start === 0 && end >= size) {
    yield* readAhead(reader.open(0, size))
    return
  }
  const from = start === 0 ? 0 : await countingStart(reader, start, newline)
  const chunks = new Window(growingRequests(reader, from, end, size), from)
  try {
    if (start > 0 && !(await skipTo(chunks, start, end, newline))) return
    // what begins at the end of the object is no record
    if (chunks.at >= end || chunks.at >= size) return
    yield* end >= size ? chunks.rest() : upTo(chunks, end, newline)
  } finally {
    await chunks.close()
  }
}

/** Chunks of a stream with their place in the object. */
class Window {
  /** Place of the first byte of `bytes`. */
  at: number
  bytes: Buffer = Buffer.alloc(0)
  readonly #chunks: AsyncGenerator<Buffer, void, undefined>

  constructor(chunks: AsyncGenerator<Buffer, void, undefined>, at: number) {
    this.#chunks = chunks
    this.at = at
  }

  /** Place behind the last byte that was read. */
  get end(): number {
    return this.at + this.bytes.length
  }

  /** Forgets what lies before a place. */
  moveTo(place: number): void {
    this.bytes = this.bytes.subarray(place - this.at)
    this.at = place
  }

  /** Takes what is there and reads on. False at the end of the object. */
  async next(): Promise<Buffer | undefined> {
    const { done, value } = await this.#chunks.next()
    return done ? undefined : value
  }

  async append(): Promise<boolean> {
    const chunk = await this.next()
    if (chunk === undefined) return false
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk])
    return true
  }

  async *rest(): AsyncGenerator<Buffer, void, undefined> {
    if (this.bytes.length > 0) yield this.bytes
    yield* this.#chunks
  }

  async close(): Promise<void> {
    await this.#chunks.return()
  }
}

/** Moves to R(start). False when that is at `end` or later. */
async function skipTo(chunks: Window, start: number, end: number, newline: Newline): Promise<boolean> {
  for (;;) {
    let found = 0
    while (found >= 0) {
      found = chunks.bytes.indexOf(newline.bytes)
      if (found < 0) break
      chunks.moveTo(chunks.at + found + newline.length)
      if (chunks.at >= start) return chunks.at < end
    }
    // a newline that is not here yet ends behind what was read
    if (chunks.end >= end) return false
    const tail = Math.min(newline.length - 1, chunks.bytes.length)
    chunks.moveTo(chunks.end - tail)
    if (!(await chunks.append())) return false
  }
}

/** Everything up to R(end), which is behind the place where `chunks` is. */
async function* upTo(chunks: Window, end: number, newline: Newline): AsyncGenerator<Buffer, void, undefined> {
  let chunk: Buffer | undefined = chunks.bytes
  let at = chunks.at
  // From here on newlines are counted. Where they cannot overlap, those that end before `end` need not be seen.
  let countFrom = newline.overlapsItself ? at : Math.max(at, end - newline.length)
  let tail: Buffer = Buffer.alloc(0)
  for (; chunk !== undefined; chunk = await chunks.next()) {
    const chunkEnd: number = at + chunk.length
    const bytes: Buffer = tail.length === 0 ? chunk : Buffer.concat([tail, chunk])
    const bytesAt = at - tail.length
    while (countFrom < chunkEnd) {
      const found = bytes.indexOf(newline.bytes, Math.max(0, countFrom - bytesAt))
      if (found < 0) break
      countFrom = bytesAt + found + newline.length
      if (countFrom >= end) {
        yield chunk.subarray(0, countFrom - at)
        return
      }
    }
    if (chunk.length > 0) yield chunk
    const keep = Math.min(newline.length - 1, chunkEnd - Math.min(chunkEnd, Math.max(countFrom, bytesAt)))
    tail = keep === 0 ? Buffer.alloc(0) : bytes.subarray(bytes.length - keep)
    at = chunkEnd
  }
}

/** The bytes from a place on, by requests that reach a little beyond `end` and then further and further. */
async function* growingRequests(
  reader: ObjectReader,
  from: number,
  end: number,
  size: number,
): AsyncGenerator<Buffer, void, undefined> {
  let at = from
  let requestEnd = Math.min(size, end + LOOK_AHEAD_BYTES)
  for (let step = FIRST_FOLLOWING_BYTES; at < size; step = Math.min(step * 2, MAX_FOLLOWING_BYTES)) {
    const request = readAhead(reader.open(at, requestEnd))
    try {
      for (let next = await request.next(); !next.done; next = await request.next()) {
        at += next.value.length
        yield next.value
      }
    } finally {
      await finish(request, requestEnd - at)
    }
    requestEnd = Math.min(size, at + step)
  }
}

/** Ends a request early. A connection whose body was read to its end can be used again, so a short rest is read. */
async function finish(request: AsyncGenerator<Buffer, void, undefined>, leftBytes: number): Promise<void> {
  try {
    while (leftBytes > 0 && leftBytes <= LOOK_AHEAD_BYTES && !(await request.next()).done);
    await request.return()
  } catch {
    // nobody needs these bytes
  }
}

/**
 * Where counting can begin so that every newline that ends at `start` or later counts as it does from the beginning of
 * the object: `start` less one newline, unless an occurrence before that could overlap.
 */
async function countingStart(reader: ObjectReader, start: number, newline: Newline): Promise<number> {
  const { length } = newline
  const latest = Math.max(0, start - length)
  if (!newline.overlapsItself || latest === 0) return latest
  for (let step = FIRST_STEP_BACK_BYTES; ; step *= 4) {
    const from = Math.max(0, latest - step)
    const bytes = asBuffer(await readRange(reader, from, latest + length - 1))
    // a place counts from the left by itself when no occurrence begins in the `length - 1` bytes before it
    let clear = from === 0 ? 0 : -1
    let last = from - 1 // an occurrence before the window may reach into it
    for (let at = bytes.indexOf(newline.bytes); at >= 0 && from + at < latest; ) {
      const place = from + at
      if (place - last >= length) clear = place
      last = place
      at = bytes.indexOf(newline.bytes, at + 1)
    }
    if (latest - last >= length) clear = latest
    if (clear >= 0) return clear
  }
}
