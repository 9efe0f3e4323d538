import { Readable } from 'node:stream'
import type { ByteRange } from '../driver/storage-backend.ts'
import { NotSupportedError, ProtocolError, StorageError } from '../errors/index.ts'
import type { Storage } from '../storage/storage.ts'
import { readRange } from './byte-source.ts'
import { decompressed } from './decompress.ts'
import { type Compression, nameOf, type PieceDescriptor } from './descriptor.ts'
import { FileReader } from './file-reader.ts'
import { jsonLineBatches } from './json-lines.ts'
import { LINE_FEED, type Newline, newlineOf } from './newline.ts'
import { asBuffer, type ObjectReader, readAhead } from './object-reader.ts'
import { recordBytes } from './record-bytes.ts'
import { Flattened, lineBatches, recordBatches } from './records.ts'
import { rowReader } from './row-readers.ts'
import { StorageReader } from './storage-reader.ts'
import { UrlReader } from './url-reader.ts'

/** Pieces up to this size are read by one request, not as a stream. */
const AT_ONCE_BYTES = 8 * 1024 * 1024
/** Objects up to this size are read before the function asks for them, where calls for others come first. */
const SMALL_BYTES = 1024 * 1024

/** What a piece needs of the process that it is in. */
export interface PieceSurroundings {
  /** An opened storage by its config name; undefined: the job's own. */
  storage(name: string | undefined): Storage | Promise<Storage>
  /** Aborted when nobody needs what is read. */
  signal?(): AbortSignal | undefined
  /** The content of a piece is asked for. */
  reading?(): void
}

export interface PieceReadOptions {
  /** false: compressed objects come as they are stored. Default: true. */
  readonly decompress?: boolean
}

const PIECE = Symbol.for('lithops.piece')

/**
 * A piece of an object, which a function gets as its item: read where the function runs, when it asks. Without
 * `newline: null` a piece is the records that begin in its `byteRange`, whole, with their newlines: its neighbours have
 * the others. It may be read any number of times.
 */
export class ObjectPiece {
  /** @internal */
  readonly [PIECE]: PieceDescriptor
  readonly #surroundings: PieceSurroundings
  #ready: Promise<Uint8Array> | undefined

  /** @internal */
  constructor(descriptor: PieceDescriptor, surroundings: PieceSurroundings) {
    this[PIECE] = descriptor
    this.#surroundings = surroundings
  }

  /** Config name of the storage; undefined: the job's own, or none at all for files and URLs. */
  get storage(): string | undefined {
    return this[PIECE].storage
  }

  /** Empty for files and URLs. */
  get bucket(): string {
    return this[PIECE].bucket ?? ''
  }

  /** Key in the bucket; the absolute path of a file; or the URL. */
  get key(): string {
    return this[PIECE].key
  }

  /** What the object is called in a source: 's3://bucket/key', 'bucket/key', a path or a URL. */
  get name(): string {
    return nameOf(this[PIECE])
  }

  /** Number of this piece within its object, from 0. */
  get part(): number {
    return this[PIECE].part
  }

  get totalParts(): number {
    return this[PIECE].totalParts
  }

  /** Bytes of the whole object as it is stored; undefined when its server does not say. */
  get size(): number | undefined {
    return this[PIECE].size
  }

  /** Where the piece was cut: from `start` to before `end`. */
  get byteRange(): ByteRange {
    const { range, size } = this[PIECE]
    const [start, end] = range ?? [0, size]
    return end === undefined ? { start } : { start, end }
  }

  /** How the object is compressed; it is whole then. */
  get compression(): Compression | undefined {
    return this[PIECE].compression
  }

  /** The piece as a stream of bytes. */
  stream(options: PieceReadOptions = {}): Readable {
    return Readable.from(this.#content(options), { objectMode: false })
  }

  /** The piece in memory. */
  async bytes(options: PieceReadOptions = {}): Promise<Uint8Array> {
    const chunks: Buffer[] = []
    for await (const chunk of this.#content(options)) chunks.push(chunk)
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
  }

  /** The piece as UTF-8 text. */
  async text(): Promise<string> {
    return asBuffer(await this.bytes()).toString('utf8')
  }

  /** The object as JSON. Throws NotSupportedError (code LITHOPS_PIECE_NOT_WHOLE) when the piece is not all of it. */
  async json<T = unknown>(): Promise<T> {
    if (this.totalParts > 1) {
      throw new NotSupportedError(
        `${this.name} was cut into ${this.totalParts} pieces, of which none is JSON by itself. Leave out chunkSize and chunkNumber for a source of JSON, or use jsonLines().`,
        { code: 'LITHOPS_PIECE_NOT_WHOLE', details: { name: this.name, totalParts: this.totalParts } },
      )
    }
    const text = await this.text()
    try {
      return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text) as T
    } catch (cause) {
      throw new StorageError(`${this.name} is not JSON: ${(cause as Error).message}`, {
        code: 'LITHOPS_ROW',
        details: { name: this.name },
        cause,
      })
    }
  }

  /** The piece's records as text, without their newlines; with the usual newline also without a '\r' before it. */
  lines(): AsyncIterableIterator<string> {
    return new Flattened(this.lineBatches())
  }

  /** The same, many lines at a time: for the last bit of speed where lines are short. */
  lineBatches(): AsyncIterableIterator<string[]> {
    return lineBatches(this.#content({}), this.#newline('lines'))
  }

  /** The piece's records as bytes, exactly what lies between newlines. */
  records(): AsyncIterableIterator<Uint8Array> {
    return new Flattened(recordBatches(this.#content({}), this.#newline('records')))
  }

  /** @internal Reads a small piece now, so that it is there when the function asks for it the first time. */
  prefetch(): void {
    this.#ready = this.#readAtOnce()
    this.#ready.catch(() => {}) // told to the function, if it asks
  }

  #newline(what: string): Newline {
    const { newline } = this[PIECE]
    if (newline !== null || this.totalParts === 1) return newlineOf(newline ?? undefined) ?? LINE_FEED
    throw new NotSupportedError(
      `${this.name} was cut at exact bytes (newline: null): its pieces have no whole ${what}. Use bytes() or stream(), or leave newline: null out.`,
      { code: 'LITHOPS_PIECE_NOT_WHOLE', details: { name: this.name, totalParts: this.totalParts } },
    )
  }

  #content({ decompress = true }: PieceReadOptions): AsyncGenerator<Buffer, void, undefined> {
    const stored = this.#stored()
    const { compression } = this
    return compression === undefined || !decompress ? stored : decompressed(stored, compression, this.name)
  }

  async *#stored(): AsyncGenerator<Buffer, void, undefined> {
    const { range, newline, size } = this[PIECE]
    this.#surroundings.reading?.()
    if (this.totalParts > 1 && range !== undefined && size !== undefined) {
      const [start, end] = range
      const mark = newlineOf(newline)
      const reader = this.#reader()
      yield* mark === null
        ? readAhead(reader.open(start, end))
        : recordBytes(reader, { start, end, size }, mark)
      return
    }
    if (this.#ready !== undefined || (size !== undefined && size <= AT_ONCE_BYTES)) {
      const ready = this.#ready
      this.#ready = undefined
      const bytes = asBuffer(await (ready ?? this.#readAtOnce()))
      if (bytes.length > 0) yield bytes
      return
    }
    yield* readAhead(this.#reader().open(0, size))
  }

  async #readAtOnce(): Promise<Uint8Array> {
    const { size } = this[PIECE]
    return readRange(this.#reader(), 0, size as number)
  }

  #reader(): ObjectReader {
    return readerOf(this[PIECE], this.#surroundings)
  }

  /** @internal For pieces with rows. */
  protected rowSource() {
    return {
      descriptor: this[PIECE],
      reader: this.#reader(),
      content: () => this.#content({}),
      lineBatches: () => this.lineBatches(),
    }
  }
}

/** A piece of an object that holds rows: of CSV, of JSON lines, or of Parquet. */
export class TablePiece<Row> extends ObjectPiece {
  /** The rows that begin in the piece. */
  rows(): AsyncIterableIterator<Row> {
    return new Flattened(this.rowBatches())
  }

  /** The same, many rows at a time. */
  rowBatches(): AsyncIterableIterator<Row[]> {
    const source = this.rowSource()
    const kind = source.descriptor.format?.kind ?? ''
    const reader = kind === 'jsonl' ? jsonLineBatches : rowReader(kind)
    if (reader === undefined) {
      throw new ProtocolError(
        `${this.name}: this worker has no reader for '${kind}'. The client that made the job is of another version; install the same version on both sides.`,
      )
    }
    return reader(source)[Symbol.asyncIterator]() as AsyncIterableIterator<Row[]>
  }
}

/** Whether a piece is a whole object of a storage that is small enough to be read before the function asks. */
export function isSmallPiece({
  kind,
  totalParts,
  size = Number.POSITIVE_INFINITY,
}: PieceDescriptor): boolean {
  return kind === 'object' && totalParts === 1 && size <= SMALL_BYTES
}

/** Reads any bytes of a piece's object. */
export function readerOf(descriptor: PieceDescriptor, surroundings: PieceSurroundings): ObjectReader {
  const signal = surroundings.signal?.()
  if (descriptor.kind === 'file') return new FileReader(descriptor, signal)
  if (descriptor.kind === 'url') return new UrlReader(descriptor, signal)
  return new StorageReader(descriptor, () => surroundings.storage(descriptor.storage), signal)
}

/** A piece as it was described. */
export function pieceOf(descriptor: PieceDescriptor, surroundings: PieceSurroundings): ObjectPiece {
  return descriptor.format === undefined
    ? new ObjectPiece(descriptor, surroundings)
    : new TablePiece(descriptor, surroundings)
}

/** The description of a piece; undefined for anything else. Knows the pieces of other copies of this package too. */
export function descriptorOf(item: unknown): PieceDescriptor | undefined {
  return typeof item === 'object' && item !== null && PIECE in item
    ? (item as { [PIECE]: PieceDescriptor })[PIECE]
    : undefined
}
