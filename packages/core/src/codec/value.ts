import { ProtocolError } from '../errors/index.ts'
import { ByteWriter } from './byte-writer.ts'
import type { ClassTable } from './class-table.ts'
import { GraphDecoder } from './graph-decoder.ts'
import { explainDepth, GraphEncoder } from './graph-encoder.ts'
import { unpackGraph } from './graph-pack.ts'
import { parseJson, readSections, writeSections } from './sections.ts'
import { NEEDS_GRAPH, TaggedEncoder, untag } from './tagged-json.ts'

/**
 * How a value is encoded; its first byte.
 *
 *     0 json      UTF-8 JSON to the end
 *     1 tagged    JSON in which {"$": tag} stands for what JSON lacks, with bytes beside it
 *     2 graph     a graph of nodes, with bytes beside it: cycles, shared references, accessors, symbols
 *     3 text      UTF-8 to the end: a long string
 *     4 graph with instances of classes that travelled
 *     5 undefined
 */
const Mode = { json: 0, tagged: 1, graph: 2, text: 3, classes: 4, undefined: 5 } as const

/** Strings from this length on are written as they are, not as JSON. */
const LONG_TEXT = 256

/** Encodes a value. Throws SerializationError, with the path in the value, for what cannot travel. */
export function encodeValue(value: unknown, classes?: ClassTable): Uint8Array {
  const writer = new ByteWriter()
  encodeValueInto(writer, value, classes)
  return writer.take()
}

/** The same into a writer; nothing is left in it after an error. */
export function encodeValueInto(writer: ByteWriter, value: unknown, classes?: ClassTable): void {
  const begin = writer.length
  try {
    encode(writer, value, classes)
  } catch (error) {
    writer.truncate(begin)
    throw explainDepth(error)
  }
}

function encode(writer: ByteWriter, value: unknown, classes: ClassTable | undefined): void {
  switch (typeof value) {
    case 'string':
      if (value.length >= LONG_TEXT && value.isWellFormed()) {
        writer.u8(Mode.text)
        writer.utf8(value)
        return
      }
      return plainJson(writer, value)
    case 'boolean':
      return plainJson(writer, value)
    case 'number':
      if (Number.isFinite(value) && !Object.is(value, -0)) return plainJson(writer, value)
      break
    case 'undefined':
      writer.u8(Mode.undefined)
      return
  }
  if (value === null) return plainJson(writer, value)
  const tagged = new TaggedEncoder()
  const json = tagged.encode(value)
  if (json === NEEDS_GRAPH) return graph(writer, value, classes)
  if (!tagged.hasTags) return plainJson(writer, json)
  writer.u8(Mode.tagged)
  writeSections(writer, JSON.stringify(json), tagged.buffers)
}

function plainJson(writer: ByteWriter, value: unknown): void {
  writer.u8(Mode.json)
  writer.utf8(JSON.stringify(value))
}

function graph(writer: ByteWriter, value: unknown, classes: ClassTable | undefined): void {
  let usesClasses = false
  const encoder = new GraphEncoder({
    classId: prototype => {
      const id = classes?.idOf(prototype)
      if (id !== undefined) usesClasses = true
      return id
    },
  })
  const root = encoder.encode(value)
  writer.u8(usesClasses ? Mode.classes : Mode.graph)
  writeSections(writer, JSON.stringify([root, encoder.nodes, null]), encoder.buffers)
}

/** Whether the encoded value holds instances of classes, so that it can only be read with the right ClassTable. */
export function hasClassTags(bytes: Uint8Array): boolean {
  return bytes[0] === Mode.classes
}

/** Decodes a value. Throws ProtocolError for damaged bytes. */
export function decodeValue(bytes: Uint8Array, classes?: ClassTable): unknown {
  return decodeValueAt(bytes, 0, bytes.length, classes)
}

/** The same for the bytes from `start` to `end`. What is returned shares no memory with them. */
export function decodeValueAt(bytes: Uint8Array, start: number, end: number, classes?: ClassTable): unknown {
  try {
    return decode(bytes, start, end, classes)
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    throw new ProtocolError('An encoded value is damaged.', { cause: error })
  }
}

/** What `immediateValueAt` gives for all other values. */
export const NOT_IMMEDIATE = Symbol('not immediate')

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')
const ZERO = 0x30
const MINUS = 0x2d
/** Whole numbers with fewer digits are exact. */
const EXACT_DIGITS = 15

/** The value if it is undefined, null, a boolean or a whole number: it takes less room than its bytes do. Never throws. */
export function immediateValueAt(bytes: Uint8Array, start: number, end: number): unknown {
  if (end - start === 1 && bytes[start] === Mode.undefined) return undefined
  if (bytes[start] !== Mode.json || end - start > EXACT_DIGITS + 2) return NOT_IMMEDIATE
  switch (bytes[start + 1]) {
    case TRUE[0]:
      return isText(TRUE, bytes, start + 1, end) ? true : NOT_IMMEDIATE
    case FALSE[0]:
      return isText(FALSE, bytes, start + 1, end) ? false : NOT_IMMEDIATE
    case NULL[0]:
      return isText(NULL, bytes, start + 1, end) ? null : NOT_IMMEDIATE
    case MINUS: {
      const number = digitsAt(bytes, start + 2, end)
      return number > 0 ? -number : NOT_IMMEDIATE
    }
    default: {
      const number = digitsAt(bytes, start + 1, end)
      return number >= 0 ? number : NOT_IMMEDIATE
    }
  }
}

function isText(text: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  return text.length === end - start && text.every((byte, i) => bytes[start + i] === byte)
}

/** The number that the bytes are the decimal digits of, without leading zeros; -1 for anything else. */
function digitsAt(bytes: Uint8Array, start: number, end: number): number {
  const digits = end - start
  if (digits < 1 || digits > EXACT_DIGITS || (bytes[start] === ZERO && digits > 1)) return -1
  let number = 0
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit < 0 || digit > 9) return -1
    number = number * 10 + digit
  }
  return number
}

function decode(bytes: Uint8Array, start: number, end: number, classes: ClassTable | undefined): unknown {
  switch (start < end ? bytes[start] : -1) {
    case Mode.json:
      return parseJson(bytes.subarray(start + 1, end))
    case Mode.text:
      return Buffer.from(bytes.buffer, bytes.byteOffset + start + 1, end - start - 1).toString('utf8')
    case Mode.undefined:
      return undefined
    case Mode.tagged: {
      const { json, buffers } = readSections(bytes, start + 1, end)
      return untag(json, buffers)
    }
    case Mode.graph:
    case Mode.classes: {
      const unpacked = unpackGraph(bytes, start + 1, end)
      const decoder = new GraphDecoder(unpacked, { classPrototype: id => classes?.prototypeOf(id) })
      const value = decoder.get(unpacked.root)
      decoder.finish()
      return value
    }
    default:
      throw new ProtocolError('An encoded value is damaged: its first byte is not a known mode.')
  }
}
