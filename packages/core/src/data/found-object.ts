import type { PieceDescriptor } from '../piece/index.ts'

/** An object that a source has found. */
export interface FoundObject {
  /** The object as one piece. */
  readonly object: PieceDescriptor
  /** Its server gives parts of it. */
  readonly hasRanges: boolean
}

/** What a listing gives, and what that is to a source: a function and not one more generator, for the sake of speed. */
export interface Found<Entry = unknown> {
  readonly entries: AsyncIterable<Entry>
  /** Undefined for what does not belong to the source. */
  objectOf(entry: Entry): FoundObject | undefined
}
