import type { KeyLimits } from '@lithops/core/driver'

/** From: Google Cloud Storage, "Object naming requirements". */
export const MAX_KEY_BYTES = 1024
export const KEY_LIMITS: KeyLimits = {
  forbidden: [
    { pattern: /[\r\n]/, what: 'a line break' },
    { pattern: /^\.\.?$/, what: "nothing but '.' or '..'" },
    { pattern: /^\.well-known\/acme-challenge\//, what: "'.well-known/acme-challenge/' at its beginning" },
  ],
}
/** From: Google Cloud Storage, Objects: list. */
export const PAGE_KEYS = 1000
/** A batch of the service counts as many requests as it has parts, and takes as long. */
export const DELETES_AT_ONCE = 32
/** Larger ones go in parts: a broken connection then costs one of them. */
export const SINGLE_PUT_BYTES = 32 * 1024 * 1024
/** A multiple of the 256 KiB that the service asks for. Three are in memory at most: on its way, next, and one that fills. */
export const PART_BYTES = 8 * 1024 * 1024
/** Tries of one part. Its bytes are in memory, and the service tells how far it has them. */
export const PART_TRIES = 6
export const FIRST_PAUSE_MS = 200
export const MAX_PAUSE_MS = 5_000
/** From: Google Cloud Storage, "V4 signing process". */
export const MAX_PRESIGN_MS = 7 * 24 * 3600 * 1000
