import type { KeyLimits } from '@lithops/core/driver'

/** From: Azure, "Naming and Referencing Containers, Blobs, and Metadata". */
export const KEY_LIMITS: KeyLimits = {
  maxCharacters: 1024,
  maxSegments: 254,
  forbidden: [
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what names lack
    { pattern: /[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/, what: 'control characters' },
    // on the way to the service they are taken for steps between folders: 'x/../y' would become 'y'
    { pattern: /(^|\/)\.\.?(\/|$)/, what: "a segment '.' or '..'" },
    // the service makes a slash of it
    { pattern: /\\/, what: 'a backslash' },
  ],
}
/** So many characters may have three bytes each. */
export const MAX_KEY_BYTES = 3 * 1024
/** A few milliseconds each: thousands in a second. */
export const DELETES_AT_ONCE = 32
/** From: Azure, "Scalability and performance targets for Blob storage". */
export const MAX_BLOCKS = 50_000
/** From: Azure, Copy Blob From URL. */
export const MAX_COPY_BYTES = 256 * 1024 * 1024
/** From: Azure, user delegation keys; other signatures have no limit, and have the same one here. */
export const MAX_PRESIGN_MS = 7 * 24 * 3600 * 1000
/** From: Azure, List Blobs. */
export const PAGE_KEYS = 5000
/** Larger bodies go in blocks: several at once, and a broken connection costs one block. Azure takes up to 5,000 MiB at once. */
export const SINGLE_PUT_BYTES = 64 * 1024 * 1024
/** Five of them are in memory at most: four on their way and one that fills. */
export const BLOCK_BYTES = 8 * 1024 * 1024
export const BLOCKS_AT_ONCE = 4
