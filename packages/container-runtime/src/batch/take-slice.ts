import type { ArrayLimits } from './array-platform.ts'

/** Messages of one batch before they are packed: what is more is no longer much alike, and takes its time. */
const BATCH_BYTES = 16 * 1024 * 1024
/** Indices of one run may be so far from each other: each between them takes some bytes of the batch. */
const INDEX_SPAN = 50_000

export interface SliceItem {
  readonly payload: Uint8Array
  /** Where the platform keeps indices. */
  readonly keptIndex: number | undefined
}

/** Activations of one run, by their indices, and those that are left. */
export interface Slice<Item> {
  readonly taken: ReadonlyMap<number, Item>
  readonly rest: Item[]
}

/** Takes activations for one run: one at least, no more than `most`, and no more than a run and its batch can have. */
export function takeSlice<Item extends SliceItem>(
  items: readonly Item[],
  most: number,
  { keptIndices }: Pick<ArrayLimits, 'keptIndices'>,
): Slice<Item> {
  const ordered =
    keptIndices === undefined
      ? items.map((item, index) => ({ item, index }))
      : items
          .map(item => ({ item, index: item.keptIndex ?? 0 }))
          .sort((one, other) => one.index - other.index)
  const taken = new Map<number, Item>()
  const first = ordered[0]?.index ?? 0
  let bytes = 0
  for (const { item, index } of ordered) {
    bytes += item.payload.length
    const isFull = taken.size >= most || index - first > INDEX_SPAN || bytes > BATCH_BYTES
    if (taken.size > 0 && isFull) break
    // of two with one index, the second waits for its turn
    if (!taken.has(index)) taken.set(index, item)
  }
  while (keptIndices !== undefined && taken.size > 1 && !keptIndices.fit([...taken.keys()]))
    for (const index of [...taken.keys()].slice(Math.ceil(taken.size / 2))) taken.delete(index)
  const isTaken = new Set(taken.values())
  return { taken, rest: items.filter(item => !isTaken.has(item)) }
}
