// What a worker is told by its argument, beside nothing: then it serves. Both halves import this file, and it imports nothing.

/** Runs one activation of a batch. */
export const BATCH_ARGUMENT = 'batch'
/** Says what it is. */
export const METADATA_ARGUMENT = 'metadata'
/** Runs functions for a worker that serves. */
export const SLOT_ARGUMENT = 'slot'
