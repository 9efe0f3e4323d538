import type { PieceDescriptor } from './descriptor.ts'
import type { ObjectReader } from './object-reader.ts'

/** What a reader of rows gets of a piece. */
export interface RowSource {
  readonly descriptor: PieceDescriptor
  /** Any bytes of the object, as they are stored. */
  readonly reader: ObjectReader
  /** The bytes of the piece: whole records, decompressed. */
  content(): AsyncIterable<Buffer>
  /** The piece's records as text, in batches. */
  lineBatches(): AsyncIterable<string[]>
}

/** Reads the rows of a piece, in batches. */
export type RowReader = (source: RowSource) => AsyncIterable<readonly unknown[]>

/**
 * Readers by the kind of format. They come with the bundle of a function that is given such a source, so that no other
 * worker carries their libraries; global, as bundles know nothing else of the worker.
 */
const READERS = Symbol.for('lithops:row-readers')
const globals = globalThis as unknown as { [READERS]?: Map<string, RowReader> }

export function registerRowReader(kind: string, reader: RowReader): void {
  globals[READERS] ??= new Map()
  globals[READERS].set(kind, reader)
}

export function rowReader(kind: string): RowReader | undefined {
  return globals[READERS]?.get(kind)
}
