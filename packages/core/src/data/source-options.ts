import { ConfigError } from '../errors/index.ts'
import type { Compression, FormatDescriptor } from '../piece/index.ts'

/** How the objects of a source are cut into pieces. */
export interface ObjectsOptions {
  /**
   * Largest piece in bytes, or with a unit: '64MB' (10^6), '64MiB' (2^20). Objects are cut into equal pieces of at most
   * this. Default: not cut.
   */
  readonly chunkSize?: number | string
  /** Pieces per object instead; objects with fewer bytes than that get one per byte. */
  readonly chunkNumber?: number
  /**
   * What ends a record: text (UTF-8) or bytes. Pieces are whole records. null: pieces are exact bytes. Default: '\n'.
   */
  readonly newline?: string | Uint8Array | null
  /**
   * How objects are compressed. Compressed objects are not cut, and are read decompressed. Default: 'auto', by the end
   * of the key: .gz, .gzip, .zst, .zstd.
   */
  readonly compression?: 'auto' | 'none' | Compression
  /** true: a prefix, folder or pattern without any object is no error. Default: false. */
  readonly allowEmpty?: boolean
}

/** The same, checked. Undefined where nothing was said, so that a source within a source can inherit. */
export interface CutOptions {
  readonly chunkBytes?: number
  readonly chunkNumber?: number
  /** Base64; null for exact bytes. */
  readonly newline?: string | null
  readonly compression?: 'auto' | 'none' | Compression
  readonly allowEmpty?: boolean
  readonly format?: FormatDescriptor
  /** Objects are not cut, whatever is said of pieces. */
  readonly isWhole?: boolean
}

const KNOWN = new Set(['chunkSize', 'chunkNumber', 'newline', 'compression', 'allowEmpty'])
const RENAMED: Readonly<Record<string, string>> = {
  chunksize: 'chunkSize',
  chunk_size: 'chunkSize',
  obj_chunk_size: 'chunkSize',
  objChunkSize: 'chunkSize',
  chunk_number: 'chunkNumber',
  chunk_n: 'chunkNumber',
  obj_chunk_number: 'chunkNumber',
  objChunkNumber: 'chunkNumber',
  obj_newline: 'newline',
  objNewline: 'newline',
}

/** Checks the options of a source. Throws ConfigError that names every problem. */
export function compileObjectsOptions(
  options: ObjectsOptions,
  alsoKnown: readonly string[] = [],
): CutOptions {
  const problems: string[] = []
  for (const key of Object.keys(options)) {
    if (KNOWN.has(key) || alsoKnown.includes(key)) continue
    const renamed = RENAMED[key]
    problems.push(
      renamed === undefined ? `there is no option '${key}'` : `'${key}' is called ${renamed} here`,
    )
  }
  const { compression, allowEmpty } = options
  if (compression !== undefined && !['auto', 'none', 'gzip', 'zstd'].includes(compression)) {
    problems.push(`compression must be 'auto', 'none', 'gzip' or 'zstd', not ${show(compression)}`)
  }
  if (allowEmpty !== undefined && typeof allowEmpty !== 'boolean') {
    problems.push(`allowEmpty must be true or false, not ${show(allowEmpty)}`)
  }
  const cut = compileCut(
    options,
    { chunkSize: 'chunkSize', chunkNumber: 'chunkNumber', newline: 'newline' },
    problems,
  )
  if (problems.length > 0)
    throw new ConfigError(`The options of the source are wrong: ${problems.join('; ')}.`)
  return {
    ...cut,
    ...(compression === undefined ? {} : { compression }),
    ...(allowEmpty === undefined ? {} : { allowEmpty }),
  }
}

/** The options of cutting, by the names that they have where the user gave them. Adds to `problems`. */
export function compileCut(
  options: Pick<ObjectsOptions, 'chunkSize' | 'chunkNumber' | 'newline'>,
  names: Readonly<Record<'chunkSize' | 'chunkNumber' | 'newline', string>>,
  problems: string[],
): Pick<CutOptions, 'chunkBytes' | 'chunkNumber' | 'newline'> {
  const { chunkSize, chunkNumber, newline } = options
  if (chunkSize !== undefined && chunkNumber !== undefined) {
    problems.push(`give ${names.chunkSize} or ${names.chunkNumber}, not both`)
  }
  const chunkBytes = chunkSize === undefined ? undefined : parseSize(chunkSize)
  if (chunkSize !== undefined && chunkBytes === undefined) {
    problems.push(
      `${names.chunkSize} must be a whole number of bytes from 1, or text like '64MB' or '16MiB', not ${show(chunkSize)}`,
    )
  }
  if (chunkNumber !== undefined && !(Number.isSafeInteger(chunkNumber) && chunkNumber > 0)) {
    problems.push(`${names.chunkNumber} must be a whole number from 1, not ${show(chunkNumber)}`)
  }
  const mark = newline === undefined || newline === null ? newline : encodeNewline(newline)
  if (mark === '') {
    problems.push(
      `${names.newline} must be text or bytes, one at least, or null for exact bytes, not ${show(newline)}`,
    )
  }
  return {
    ...(chunkBytes === undefined ? {} : { chunkBytes }),
    ...(chunkNumber === undefined ? {} : { chunkNumber }),
    ...(mark === undefined ? {} : { newline: mark }),
  }
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

/** Bytes of '64MB', '1.5 GiB', 1000; undefined for anything else. */
export function parseSize(size: unknown): number | undefined {
  const [, digits, unit = ''] =
    typeof size === 'string' ? (/^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(size) ?? []) : []
  const factor = UNITS[unit.toLowerCase()]
  const bytes =
    typeof size === 'number'
      ? size
      : digits === undefined || factor === undefined
        ? Number.NaN
        : Number(digits) * factor
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined
}

function encodeNewline(newline: unknown): string {
  if (typeof newline === 'string')
    return newline.isWellFormed() ? Buffer.from(newline).toString('base64') : ''
  return newline instanceof Uint8Array ? Buffer.from(newline).toString('base64') : ''
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}
