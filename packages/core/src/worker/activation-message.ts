import { ByteWriter } from '../codec/byte-writer.ts'
import { ProtocolError } from '../errors/index.ts'
import { InputKind, type JobHead, MAGIC, PROTOCOL_VERSION } from './protocol.ts'

/**
 * The activation message: what a client sends to a worker.
 *
 *     'L' 'T' u8 version
 *     u32 length, JSON            the job's head
 *     u32 length, bytes           function module, when its location is inline
 *     u32 length, bytes           captured values, when their location is inline
 *     u32 length, bytes           extra arguments: an encoded array
 *     f64 handBackAfterMs         0: never hand calls back
 *     u32 count, then per call:   u32 callId, u16 attempt, u8 input kind, u32 length, bytes
 */
export interface JobPrefix {
  readonly bytes: Uint8Array
}

const textEncoder = new TextEncoder()
const NOTHING = new Uint8Array(0)

/** The part that all activations of a job share, encoded once. */
export function encodeJobPrefix(
  head: JobHead,
  inline: { readonly code?: Uint8Array; readonly env?: Uint8Array; readonly extraArgs?: Uint8Array },
): JobPrefix {
  const json = textEncoder.encode(JSON.stringify(head))
  const parts = [json, inline.code ?? NOTHING, inline.env ?? NOTHING, inline.extraArgs ?? NOTHING]
  const writer = new ByteWriter(parts.reduce((sum, part) => sum + part.length + 4, 16))
  for (const byte of [...MAGIC, PROTOCOL_VERSION]) writer.u8(byte)
  for (const part of parts) {
    writer.u32(part.length)
    writer.bytes(part)
  }
  return { bytes: writer.take() }
}

/** Writes the messages of a job's activations. */
export class ActivationWriter {
  readonly #writer: ByteWriter
  readonly #countAt: number
  #count = 0

  /** `handBackAfterMs`: a worker hands back the calls that it has not begun by then; 0 means never. */
  constructor(prefix: JobPrefix, options: { readonly handBackAfterMs: number; readonly sizeHint?: number }) {
    this.#writer = new ByteWriter(prefix.bytes.length + 16 + (options.sizeHint ?? 64))
    this.#writer.bytes(prefix.bytes)
    this.#writer.f64(options.handBackAfterMs)
    this.#countAt = this.#writer.length
    this.#writer.u32(0)
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#writer.length
  }

  /** Adds a call; `writeInput` writes the input's bytes. */
  call(callId: number, attempt: number, kind: number, writeInput: (writer: ByteWriter) => void): void {
    const writer = this.#writer
    writer.u32(callId)
    writer.u16(attempt)
    writer.u8(kind)
    const lengthAt = writer.length
    writer.u32(0)
    writeInput(writer)
    writer.patchU32(lengthAt, writer.length - lengthAt - 4)
    this.#count++
  }

  take(): Uint8Array {
    this.#writer.patchU32(this.#countAt, this.#count)
    return this.#writer.take()
  }
}

/** A call as a worker reads it. */
export interface IncomingCall {
  readonly callId: number
  readonly attempt: number
  readonly kind: number
  /** Where the input's bytes lie in the message. */
  readonly start: number
  readonly end: number
}

export interface IncomingActivation {
  readonly head: JobHead
  readonly bytes: Uint8Array
  readonly code: Uint8Array
  readonly env: Uint8Array
  readonly extraArgs: Uint8Array
  readonly handBackAfterMs: number
  readonly calls: readonly IncomingCall[]
}

/** Reads an activation message. Throws ProtocolError for another version or damaged bytes. */
export function decodeActivation(bytes: Uint8Array): IncomingActivation {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 3 || bytes[0] !== MAGIC[0] || bytes[1] !== MAGIC[1]) {
    throw new ProtocolError('This is not an activation message of Lithops for TypeScript.')
  }
  const version = bytes[2] as number
  if (version !== PROTOCOL_VERSION) {
    throw new ProtocolError(
      `The client speaks protocol version ${version}, this runtime version ${PROTOCOL_VERSION}. ` +
        'Update the older side: `npm i @lithops/core@latest` for the client, `lithops runtime update` for the runtime.',
      { details: { clientVersion: version, runtimeVersion: PROTOCOL_VERSION } },
    )
  }
  let at = 3
  const need = (length: number) => {
    if (at + length > bytes.length) throw new ProtocolError('The activation message ends too early.')
  }
  const part = () => {
    need(4)
    const length = view.getUint32(at, true)
    at += 4
    need(length)
    const slice = bytes.subarray(at, at + length)
    at += length
    return slice
  }
  const head = parseHead(part())
  const code = part()
  const env = part()
  const extraArgs = part()
  need(12)
  const handBackAfterMs = view.getFloat64(at, true)
  const count = view.getUint32(at + 8, true)
  at += 12
  const calls: IncomingCall[] = []
  for (let i = 0; i < count; i++) {
    need(11)
    const callId = view.getUint32(at, true)
    const attempt = view.getUint16(at + 4, true)
    const kind = view.getUint8(at + 6)
    const length = view.getUint32(at + 7, true)
    at += 11
    need(length)
    calls.push({ callId, attempt, kind, start: at, end: at + length })
    at += length
  }
  return { head, bytes, code, env, extraArgs, handBackAfterMs, calls }
}

function parseHead(bytes: Uint8Array): JobHead {
  try {
    return JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
    ) as JobHead
  } catch (cause) {
    throw new ProtocolError('The head of the activation message is damaged.', { cause })
  }
}

/** One input of a list input. */
export interface ListPart {
  readonly kind: number
  readonly bytes: Uint8Array
}

/** Writes the inputs that the function gets as one array. */
export function writeListInput(writer: ByteWriter, parts: readonly ListPart[]): void {
  writer.u32(parts.length)
  for (const part of parts) {
    writer.u8(part.kind)
    writer.u32(part.bytes.length)
    writer.bytes(part.bytes)
  }
}

/** Reads them back: kind, start and end of each in `bytes`. */
export function readListInput(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly kind: number; readonly start: number; readonly end: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts: { kind: number; start: number; end: number }[] = []
  const count = view.getUint32(start, true)
  let at = start + 4
  for (let i = 0; i < count; i++) {
    const length = at + 5 <= end ? view.getUint32(at + 1, true) : Number.POSITIVE_INFINITY
    if (at + 5 + length > end) throw new ProtocolError('A list of inputs ends too early.')
    parts.push({ kind: view.getUint8(at), start: at + 5, end: at + 5 + length })
    at += 5 + length
  }
  return parts
}

export { InputKind }
