import { contains, type SourceRange } from '../source/syntax.ts'

/** A change of a piece of source. Texts are asked for when all names are given out. */
export interface Edit extends SourceRange {
  text(): string
  /** The text is what stands there already. */
  isUnchanged?(): boolean
  /** Stands in front of other edits that begin at the same place: it closes what ends there. */
  readonly isClosing?: boolean
}

/** The edits that take effect in a range, in order, without those inside others. */
export function effectiveEdits(edits: readonly Edit[], range: SourceRange): Edit[] {
  const ordered = edits
    .filter(edit => contains(range, edit) && !edit.isUnchanged?.())
    .sort(
      (a, b) =>
        a.start - b.start || Number(b.isClosing ?? false) - Number(a.isClosing ?? false) || a.end - b.end,
    )
  let end = range.start
  return ordered.filter(edit => {
    if (edit.start < end) return false
    end = edit.end
    return true
  })
}

/** A piece of source with its edits applied. */
export function applyEdits(source: string, range: SourceRange, edits: readonly Edit[]): string {
  let text = ''
  let position = range.start
  for (const edit of effectiveEdits(edits, range)) {
    text += source.slice(position, edit.start) + edit.text()
    position = edit.end
  }
  return text + source.slice(position, range.end)
}
