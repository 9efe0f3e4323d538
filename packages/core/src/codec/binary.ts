import { ProtocolError } from '../errors/index.ts'

type TypedArrayConstructor = new (
  buffer: ArrayBufferLike,
  byteOffset?: number,
  length?: number,
) => ArrayBufferView

const NAMES = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
]

/** 'Buffer', or the name of the typed array's class. */
export function viewName(view: ArrayBufferView): string {
  if (Buffer.isBuffer(view)) return 'Buffer'
  return Object.prototype.toString.call(view).slice(8, -1)
}

/** The constructor behind a name that came over the wire. */
export function viewConstructor(name: unknown): TypedArrayConstructor {
  const constructor = NAMES.includes(name as string)
    ? (globalThis as unknown as Record<string, TypedArrayConstructor | undefined>)[name as string]
    : undefined
  if (constructor === undefined) {
    throw new ProtocolError(
      `This Node (${process.version}) has no ${String(name)}, which the other side sent.`,
    )
  }
  return constructor
}

/** A view with memory of its own that holds these bytes. */
export function ownView(name: unknown, bytes: Uint8Array): ArrayBufferView {
  if (name === 'Buffer') return Buffer.from(bytes)
  const constructor = viewConstructor(name)
  const copy = new Uint8Array(bytes) // not slice(), which for a Buffer shares memory
  try {
    return new constructor(copy.buffer, copy.byteOffset, elementCount(constructor, copy.byteLength))
  } catch (cause) {
    throw new ProtocolError(`The bytes of a ${String(name)} have the wrong length.`, { cause })
  }
}

function elementCount(constructor: TypedArrayConstructor, bytes: number): number {
  const size = (constructor as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1
  if (bytes % size !== 0) throw new ProtocolError('The bytes of a typed array have the wrong length.')
  return bytes / size
}

export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}
