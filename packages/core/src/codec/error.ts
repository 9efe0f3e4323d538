import { types } from 'node:util'
import * as lithopsErrors from '../errors/index.ts'
import { ByteWriter } from './byte-writer.ts'
import type { ClassTable } from './class-table.ts'
import { nameOfClass } from './graph-encoder.ts'
import { readSections, writeSections } from './sections.ts'
import { decodeValue, encodeValue } from './value.ts'

/**
 * What was thrown, as bytes: sections (JSON and buffers) in which JSON is {"root": ref, "errors": [record, …]}.
 * A ref is ["e", index of a record], ["v", index of a buffer with an encoded value] or ["l", [refs]].
 */
interface ErrorRecord {
  /** Name of the error's class. */
  readonly n: string
  /** Id of its class when that travelled; name of the built-in class when it is one. */
  c?: string
  b?: string
  readonly m: string
  readonly s?: string
  /** Own properties: key, or {f: key} for a registered symbol; ref; 1 when enumerable. */
  readonly p: [string | { readonly f: string }, Ref, 0 | 1][]
  /** Own properties that could not be sent. */
  readonly d?: string[]
}

type Ref = ['e', number] | ['v', number] | ['l', Ref[]]

/** Records at the most: an endless chain of causes made by getters ends here. */
const MAX_ERRORS = 256
const LONGEST_STACK = 64 * 1024

const BUILT_IN: Readonly<Record<string, new (message?: string) => Error>> = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
  AggregateError: AggregateError as unknown as new () => Error,
}
/** Classes of Node, by their names. */
const OF_NODE: Readonly<Record<string, () => object | undefined>> = {
  AssertionError: () => process.getBuiltinModule?.('node:assert').AssertionError.prototype,
  DOMException: () => DOMException.prototype,
}
const BUILT_IN_NAMES = new Map<object, string>(
  Object.entries(BUILT_IN).map(([name, c]) => [c.prototype, name]),
)

/** Encodes what was thrown. Never throws: what cannot be sent is left out and named. */
export function encodeErrorInto(writer: ByteWriter, thrown: unknown, classes?: ClassTable): void {
  const encoder = new ErrorEncoder(classes)
  let root: Ref
  try {
    root = encoder.ref(thrown)
  } catch (error) {
    // something thrown that is neither an error nor sendable, a function for instance
    root = encoder.ref(
      new lithopsErrors.CallError(`The function threw something that cannot be sent: ${describe(error)}`, {
        remoteName: typeof thrown,
      }),
    )
  }
  writeSections(writer, JSON.stringify({ root, errors: encoder.records }), encoder.buffers)
}

export function encodeError(thrown: unknown, classes?: ClassTable): Uint8Array {
  const writer = new ByteWriter()
  encodeErrorInto(writer, thrown, classes)
  return writer.take()
}

class ErrorEncoder {
  readonly records: ErrorRecord[] = []
  readonly buffers: Uint8Array[] = []
  readonly #indexes = new Map<object, number>()
  readonly #classes: ClassTable | undefined

  constructor(classes: ClassTable | undefined) {
    this.#classes = classes
  }

  /** Throws SerializationError for a value that is not an error and cannot be sent. */
  ref(value: unknown): Ref {
    if (isError(value) && (this.#indexes.has(value) || this.records.length < MAX_ERRORS))
      return ['e', this.#error(value)]
    if (Array.isArray(value) && value.some(isError)) return ['l', value.map(item => this.ref(item))]
    return ['v', this.buffers.push(encodeValue(value, this.#classes)) - 1]
  }

  #error(error: Error): number {
    const known = this.#indexes.get(error)
    if (known !== undefined) return known
    const prototype = Object.getPrototypeOf(error) as object | null
    const dropped: string[] = []
    const stack = read(error, 'stack')
    const record: ErrorRecord = {
      n: nameOf(error, prototype),
      m: String(read(error, 'message') ?? ''),
      ...(typeof stack === 'string' ? { s: stack.slice(0, LONGEST_STACK) } : {}),
      p: [],
      d: dropped,
    }
    const index = this.records.push(record) - 1
    this.#indexes.set(error, index)
    const builtIn = BUILT_IN_NAMES.get(prototype ?? Error.prototype) ?? nameOfNodeClass(prototype)
    const classId = prototype === null ? undefined : this.#classes?.idOf(prototype)
    if (builtIn !== undefined) record.b = builtIn
    else if (classId !== undefined) record.c = classId
    for (const key of Reflect.ownKeys(error)) this.#property(error, key, record, dropped)
    if (dropped.length === 0) delete (record as { d?: unknown }).d
    return index
  }

  #property(error: Error, key: string | symbol, record: ErrorRecord, dropped: string[]): void {
    if (key === 'stack' || key === 'message') return
    const symbolKey = typeof key === 'symbol' ? Symbol.keyFor(key) : undefined
    if (typeof key === 'symbol' && symbolKey === undefined) return
    const name = typeof key === 'string' ? key : { f: symbolKey as string }
    const enumerable = Object.getOwnPropertyDescriptor(error, key)?.enumerable === true ? 1 : 0
    try {
      record.p.push([name, this.ref((error as unknown as Record<PropertyKey, unknown>)[key]), enumerable])
    } catch {
      dropped.push(String(key))
    }
  }
}

/** Decodes what was thrown. An error whose class is not known here becomes a CallError that names it. */
export function decodeError(bytes: Uint8Array, classes?: ClassTable): unknown {
  const { json, buffers } = readSections(bytes, 0, bytes.length)
  const { root, errors } = json as { root: Ref; errors: ErrorRecord[] }
  if (!Array.isArray(root) || !Array.isArray(errors))
    throw new lithopsErrors.ProtocolError('An encoded error is damaged.')
  const made: (Error | undefined)[] = []
  const value = (ref: Ref): unknown => {
    switch (ref[0]) {
      case 'e':
        return error(ref[1])
      case 'l':
        return ref[1].map(value)
      default:
        return decodeProperty(buffers[ref[1]], classes)
    }
  }
  const error = (index: number): Error => {
    const known = made[index]
    if (known !== undefined) return known
    const record = errors[index]
    if (record === undefined) throw new lithopsErrors.ProtocolError('An encoded error is damaged.')
    const { target, isForeign } = emptyError(record, classes)
    made[index] = target
    if (record.s !== undefined) hide(target, 'stack', record.s)
    const properties = record.p.map(([key, ref, enumerable]) => [key, value(ref), enumerable] as const)
    if (isForeign) {
      const details = Object.fromEntries(
        properties.filter(([key]) => typeof key === 'string' && key !== 'cause'),
      )
      hide(target, 'details', details, true)
    }
    for (const [key, item, enumerable] of properties) {
      // a foreign error keeps what does not clash with the members of CallError
      if (isForeign && typeof key === 'string' && key in target && key !== 'cause') continue
      hide(target, typeof key === 'string' ? key : Symbol.for(key.f), item, enumerable === 1)
    }
    return target
  }
  return value(root)
}

/** An error of the right class without properties. */
function emptyError(
  record: ErrorRecord,
  classes: ClassTable | undefined,
): { target: Error; isForeign: boolean } {
  if (record.b !== undefined && BUILT_IN[record.b] !== undefined)
    return { target: bare(BUILT_IN[record.b]?.prototype, record), isForeign: false }
  if (record.b === 'DOMException') return { target: domException(record), isForeign: false }
  const ofNode = record.b === undefined ? undefined : OF_NODE[record.b]?.()
  if (ofNode !== undefined) return { target: bare(ofNode, record), isForeign: false }
  const travelled = record.c === undefined ? undefined : classes?.prototypeOf(record.c)
  if (travelled !== undefined) return { target: bare(travelled, record), isForeign: false }
  if (record.n === 'DOMException' || record.n === 'AbortError' || record.n === 'TimeoutError') {
    return { target: domException(record), isForeign: false }
  }
  const own = (lithopsErrors as unknown as Record<string, { prototype: object } | undefined>)[record.n]
  if (own !== undefined) return { target: bare(own.prototype, record), isForeign: false }
  return { target: new lithopsErrors.CallError(record.m, { remoteName: record.n }), isForeign: true }
}

function domException({ m, n }: ErrorRecord): DOMException {
  return new DOMException(m, n === 'DOMException' ? 'Error' : n)
}

function bare(prototype: object | undefined, record: ErrorRecord): Error {
  const error = new Error(record.m)
  Object.setPrototypeOf(error, prototype ?? Error.prototype)
  return error
}

function hide(target: object, key: PropertyKey, value: unknown, enumerable = false): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true })
}

function decodeProperty(bytes: Uint8Array | undefined, classes: ClassTable | undefined): unknown {
  if (bytes === undefined) throw new lithopsErrors.ProtocolError('An encoded error is damaged.')
  return decodeValue(bytes, classes)
}

function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error || value instanceof DOMException
}

/** Reads a property that may be a getter that throws. */
function read(error: Error, key: 'message' | 'stack' | 'name'): unknown {
  try {
    return error[key]
  } catch {
    return undefined
  }
}

function nameOf(error: Error, prototype: object | null): string {
  if (prototype === null) return 'Error'
  if (error instanceof DOMException) return error.name === 'Error' ? 'DOMException' : error.name
  const name = nameOfClass(prototype)
  return name === '(anonymous)' ? String(read(error, 'name') ?? 'Error') : name
}

function nameOfNodeClass(prototype: object | null): string | undefined {
  const name = prototype === null ? undefined : nameOfClass(prototype)
  return name !== undefined && OF_NODE[name]?.() === prototype ? name : undefined
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
