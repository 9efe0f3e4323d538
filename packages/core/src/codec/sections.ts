import { ProtocolError } from '../errors/index.ts'
import type { ByteWriter } from './byte-writer.ts'

/**
 * JSON text with bytes beside it:
 *
 *     u32 length, UTF-8 JSON; u32 count of buffers; per buffer u32 length, bytes
 */
export function writeSections(writer: ByteWriter, json: string, buffers: readonly Uint8Array[]): void {
  const lengthAt = writer.length
  writer.u32(0)
  writer.utf8(json)
  writer.patchU32(lengthAt, writer.length - lengthAt - 4)
  writer.u32(buffers.length)
  for (const buffer of buffers) {
    writer.u32(buffer.length)
    writer.bytes(buffer)
  }
}

export interface Sections {
  readonly json: unknown
  /** Views of the bytes read; copy what is given away. */
  readonly buffers: Uint8Array[]
}

/** Reads what `writeSections` wrote between `start` and `end`. Throws ProtocolError for damaged bytes. */
export function readSections(bytes: Uint8Array, start: number, end: number): Sections {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = start
  const length = () => {
    if (at + 4 > end) throw new ProtocolError('An encoded value ends too early.')
    const value = view.getUint32(at, true)
    at += 4
    return value
  }
  const slice = (size: number) => {
    if (size > end - at) throw new ProtocolError('An encoded value ends too early.')
    at += size
    return bytes.subarray(at - size, at)
  }
  const json = parseJson(slice(length()))
  const count = length()
  if (count > (end - at) / 4) throw new ProtocolError('An encoded value ends too early.')
  const buffers: Uint8Array[] = []
  for (let i = 0; i < count; i++) buffers.push(slice(length()))
  return { json, buffers }
}

export function parseJson(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ProtocolError('An encoded value is damaged: its JSON cannot be read.', { cause })
  }
}
