import { LINE_FEED, type Newline } from './newline.ts'

const RETURN = 13

/**
 * Cuts bytes that begin at a record into batches of whole records, without their newlines. `toRecords` gets the bytes
 * of one or more records, joined by newlines and without the last one. Only what comes after the last newline of a
 * chunk is kept for the next, so a record of any length is copied once.
 */
async function* cutBatches<T>(
  chunks: AsyncIterable<Buffer>,
  newline: Newline,
  toRecords: (bytes: Buffer) => T[],
): AsyncGenerator<T[], void, undefined> {
  let begun: Buffer[] = []
  // the last bytes read, in which a newline may have begun
  let tail: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = tail.length === 0 ? chunk : Buffer.concat([tail, chunk])
    const last = newline.lastIn(bytes)
    if (last >= 0) {
      const records = bytes.subarray(0, last)
      yield toRecords(begun.length === 0 ? records : Buffer.concat([...begun, records]))
      begun = []
    }
    const open = last < 0 ? bytes : bytes.subarray(last + newline.length)
    const keep = Math.min(open.length, newline.length - 1)
    if (open.length > keep) begun.push(open.subarray(0, open.length - keep))
    tail = open.subarray(open.length - keep)
  }
  if (tail.length > 0) begun.push(tail)
  if (begun.length > 0) yield toRecords(begun.length === 1 ? (begun[0] as Buffer) : Buffer.concat(begun))
}

/** Batches of records as text. A '\r' before the usual newline is not part of its line. */
export function lineBatches(
  chunks: AsyncIterable<Buffer>,
  newline: Newline,
): AsyncGenerator<string[], void, undefined> {
  const { text } = newline
  if (text === undefined) {
    return cutBatches(chunks, newline, bytes =>
      splitBytes(bytes, newline).map(record => record.toString('utf8')),
    )
  }
  if (newline.bytes.equals(LINE_FEED.bytes)) {
    return cutBatches(chunks, newline, bytes => {
      const lines = bytes.toString('utf8').split('\n')
      return bytes.includes(RETURN) ? withoutReturns(lines) : lines
    })
  }
  return cutBatches(chunks, newline, bytes => bytes.toString('utf8').split(text))
}

/** Batches of records as bytes. */
export function recordBatches(
  chunks: AsyncIterable<Buffer>,
  newline: Newline,
): AsyncGenerator<Uint8Array[], void, undefined> {
  return cutBatches(chunks, newline, bytes => splitBytes(bytes, newline))
}

function splitBytes(bytes: Buffer, newline: Newline): Buffer[] {
  const records: Buffer[] = []
  let begin = 0
  for (let at = bytes.indexOf(newline.bytes); at >= 0; at = bytes.indexOf(newline.bytes, begin)) {
    records.push(bytes.subarray(begin, at))
    begin = at + newline.length
  }
  records.push(bytes.subarray(begin))
  return records
}

function withoutReturns(lines: string[]): string[] {
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string
    if (line.charCodeAt(line.length - 1) === RETURN) lines[i] = line.slice(0, -1)
  }
  return lines
}

/** One by one what comes in batches; cheaper per item than a generator. */
export class Flattened<T> implements AsyncIterableIterator<T, undefined> {
  readonly #batches: AsyncIterator<readonly T[], void>
  #batch: readonly T[] = []
  #next = 0

  constructor(batches: AsyncIterable<readonly T[]>) {
    this.#batches = batches[Symbol.asyncIterator]() as AsyncIterator<readonly T[], void>
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#next < this.#batch.length) {
      return Promise.resolve({ done: false, value: this.#batch[this.#next++] as T })
    }
    return this.#more()
  }

  async #more(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      const { done, value } = await this.#batches.next()
      if (done) return { done: true, value: undefined }
      if (value.length === 0) continue
      this.#batch = value
      this.#next = 1
      return { done: false, value: value[0] as T }
    }
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#batch = []
    await this.#batches.return?.()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
