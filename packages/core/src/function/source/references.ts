import type { CodeNode, Reference, ScriptAnalysis, SpecialPlace } from './analyze.ts'
import { contains, type SourceRange } from './syntax.ts'

/** Uses of names within a range that are declared outside of it. */
export function freeReferences({ references }: ScriptAnalysis, range: SourceRange): Reference[] {
  return within(references, range).filter(
    ({ declaration }) => declaration === undefined || !contains(range, declaration.scope),
  )
}

/** The use of a name that begins at an offset. */
export function referenceAt({ references }: ScriptAnalysis, offset: number): Reference | undefined {
  const found = references[firstFrom(references, offset)]
  return found?.start === offset ? found : undefined
}

/** The functions and classes that begin within a range. */
export function codeNodesWithin({ codeNodes }: ScriptAnalysis, range: SourceRange): readonly CodeNode[] {
  return within(codeNodes, range)
}

/** The special places within a range. */
export function specialPlaces({ specials }: ScriptAnalysis, range: SourceRange): readonly SpecialPlace[] {
  return within(specials, range)
}

function within<Place extends SourceRange>(
  places: readonly Place[],
  { start, end }: SourceRange,
): readonly Place[] {
  return places.slice(firstFrom(places, start), firstFrom(places, end))
}

/** Index of the first place that begins at or after an offset. */
export function firstFrom(places: readonly { readonly start: number }[], offset: number): number {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((places[middle] as { start: number }).start < offset) low = middle + 1
    else high = middle
  }
  return low
}
