import type { ObjectReader } from './object-reader.ts'

/** An object as libraries read files: any slice, when it is asked for. */
export interface ByteSource {
  readonly byteLength: number
  slice(start: number, end?: number): Promise<ArrayBuffer>
}

/** Negative places count from the end, as those of `ArrayBuffer.slice`. */
export function byteSource(reader: ObjectReader, byteLength: number): ByteSource {
  const place = (at: number) => Math.min(byteLength, at < 0 ? Math.max(0, byteLength + at) : at)
  return {
    byteLength,
    slice: async (start, end = byteLength) =>
      toArrayBuffer(await readRange(reader, place(start), place(end))),
  }
}

/** All of an object whose server gives no parts, read once. */
export async function loadedByteSource(content: AsyncIterable<Buffer>): Promise<ByteSource> {
  const chunks: Buffer[] = []
  for await (const chunk of content) chunks.push(chunk)
  const all = toArrayBuffer(Buffer.concat(chunks))
  return { byteLength: all.byteLength, slice: async (start, end) => all.slice(start, end) }
}

export async function readRange(reader: ObjectReader, start: number, end: number): Promise<Uint8Array> {
  if (reader.readAll !== undefined) return reader.readAll(start, end)
  const chunks: Uint8Array[] = []
  for await (const chunk of reader.open(start, end)) chunks.push(chunk)
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
}

function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
}
