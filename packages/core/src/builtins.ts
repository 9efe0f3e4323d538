import { sha256 } from '@noble/hashes/sha2.js'

/**
 * Modules of Node that are slow to load and that no start needs: together some 10 ms of every client and every worker,
 * which is a tenth of a process with one call.
 */

export const nodeCrypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto')
export const nodeZlib = (): typeof import('node:zlib') => process.getBuiltinModule('node:zlib')
export const nodeThreads = (): typeof import('node:worker_threads') =>
  process.getBuiltinModule('node:worker_threads')

/** Above this, Node's own hashing is so much faster that it is worth its loading. */
const SHORT_BYTES = 64 * 1024

/** SHA-256 of these parts, one after the other, in hexadecimal digits. Short ones do without `node:crypto`. */
export function sha256Hex(...parts: readonly (string | Uint8Array)[]): string {
  const bytes = parts.map(part => (typeof part === 'string' ? Buffer.from(part) : part))
  const isShort = bytes.reduce((sum, { length }) => sum + length, 0) <= SHORT_BYTES
  const hash = isShort ? sha256.create() : nodeCrypto().createHash('sha256')
  for (const part of bytes) hash.update(part)
  return Buffer.from(hash.digest()).toString('hex')
}

/** Twelve hexadecimal digits that nobody else on this machine has, for names of temporary files. Not for secrets. */
export function uniqueDigits(): string {
  return Math.floor(Math.random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0')
}
