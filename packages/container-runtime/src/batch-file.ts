import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress, constants } from 'node:zlib'

// Activations of a batch in one file: "As a batch" of docs/protocol.md. Both halves import this file.

/** Variable that tells workers where a batch lies; JSON of a BatchPlace. */
export const BATCH_VARIABLE = 'LITHOPS_BATCH'

const MAGIC = [0x4c, 0x42] as const
const BATCH_VERSION = 1
const TABLE_AT = 7
const ENTRY_BYTES = 8

/** Of messages that are much alike: a few MB are packed in some ten milliseconds. */
const QUALITY = 5
/** Base-2 logarithm of how far back a message may look for one that is like it: 4 MB. */
const WINDOW = 22

const compress = promisify(brotliCompress)
const decompress = promisify(brotliDecompress)

/**
 * Puts the activation messages of a batch into one file, from which each worker reads its own. Where indices have none, an
 * empty message stands for them.
 */
export function encodeBatch(payloads: readonly Uint8Array[]): Uint8Array {
  const table = Buffer.alloc(TABLE_AT + ENTRY_BYTES * (payloads.length + 1))
  table.set([...MAGIC, BATCH_VERSION])
  table.writeUInt32LE(payloads.length, 3)
  let at = table.length
  for (const [i, payload] of payloads.entries()) {
    table.writeDoubleLE(at, TABLE_AT + ENTRY_BYTES * i)
    at += payload.length
  }
  table.writeDoubleLE(at, table.length - ENTRY_BYTES)
  return Buffer.concat([table, ...payloads])
}

/**
 * A batch as text, for places that take only that, such as config maps; its messages are much alike, and take little. Workers
 * are told with `isPacked`.
 */
export async function packBatch(batch: Uint8Array): Promise<string> {
  const params = { [constants.BROTLI_PARAM_QUALITY]: QUALITY, [constants.BROTLI_PARAM_LGWIN]: WINDOW }
  return (await compress(batch, { params })).toString('base64')
}

/**
 * What tells workers of a batch that is in their environment, in as many variables as its text needs, for platforms that mount
 * nothing for a single run.
 *
 * @param packed text of `packBatch`
 * @param variableCharacters how many characters the platform lets a variable have
 */
export function batchVariables(packed: string, variableCharacters: number): Record<string, string> {
  const parts = Math.max(1, Math.ceil(packed.length / variableCharacters))
  const variables: Record<string, string> = { [BATCH_VARIABLE]: JSON.stringify({ variables: parts }) }
  for (let part = 0; part < parts; part++)
    variables[batchPartVariable(part)] = packed.slice(
      part * variableCharacters,
      (part + 1) * variableCharacters,
    )
  return variables
}

/** The variable with one part of a packed batch. */
export function batchPartVariable(part: number): string {
  return `${BATCH_VARIABLE}_${part}`
}

/** Reads what `packBatch` wrote. Throws where the text is damaged. */
export function unpackBatch(text: string): Promise<Uint8Array> {
  return decompress(Buffer.from(text, 'base64'))
}

/** Reads bytes of a batch's file, from `start` up to, not including, `end`. */
export type BatchReader = (start: number, end: number) => Promise<Uint8Array>

/** Reads one activation message. Throws a RangeError when the file is none, or has no such activation. */
export async function readBatchEntry(read: BatchReader, index: number): Promise<Uint8Array> {
  const head = Buffer.from(await read(0, TABLE_AT))
  if (head.length < TABLE_AT || head[0] !== MAGIC[0] || head[1] !== MAGIC[1])
    throw new RangeError('The file of the batch is not one.')
  if (head[2] !== BATCH_VERSION)
    throw new RangeError(
      `The batch has version ${head[2]}, and this worker reads ${BATCH_VERSION}: run \`lithops runtime update\`.`,
    )
  const count = head.readUInt32LE(3)
  if (index >= count) throw new RangeError(`The batch has ${count} activations, and none of index ${index}.`)
  const at = TABLE_AT + ENTRY_BYTES * index
  const entry = Buffer.from(await read(at, at + 2 * ENTRY_BYTES))
  return read(entry.readDoubleLE(0), entry.readDoubleLE(ENTRY_BYTES))
}
