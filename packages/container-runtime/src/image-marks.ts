import { parseImageReference } from './image-reference.ts'

const TAG_LABEL = 'org.lithops.tag'
const OWNER_LABEL = 'org.lithops.owner'

/** What an image says of itself that was made here. */
export interface ImageMark {
  /** The tag that it was made under: images that users build over it inherit the label, and have tags of their own. */
  readonly tag: string
  /** For whom, as `RuntimeImagesOptions.owner` gives it; undefined where the maker had none. */
  readonly owner: string | undefined
}

/** The labels that `markIn` reads, for an image of that name. */
export function markLabels(image: string, owner: string | undefined): Readonly<Record<string, string>> {
  const { tag = '' } = parseImageReference(image)
  // empty, and not left out: its base may have the label of another
  return { [TAG_LABEL]: tag, [OWNER_LABEL]: owner ?? '' }
}

/** Undefined for what was not made here. */
export function markIn(labels: Readonly<Record<string, string>>): ImageMark | undefined {
  const { [TAG_LABEL]: tag = '', [OWNER_LABEL]: owner = '' } = labels
  return tag === '' ? undefined : { tag, owner: owner === '' ? undefined : owner }
}
