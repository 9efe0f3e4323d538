/** Keys as long as other services have them, so that what is written here can be moved there. Redis takes 512 MB. */
export const MAX_KEY_BYTES = 1024
/** Larger objects are kept in parts of this. Redis takes values of 512 MB, and does nothing else while it moves one. */
export const PART_BYTES = 8 * 1024 * 1024
export const PARTS_AT_ONCE = 4
/** Parts of an upload that never ended go after this. */
export const UNFINISHED_SECONDS = 6 * 3600
export const PAGE_KEYS = 1000
export const MAX_COPY_BYTES = 64 * 1024 * 1024
