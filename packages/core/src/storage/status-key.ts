import { blockOf, type JobKey, type PublishedCalls } from '../driver/monitor.ts'
import { statusPrefix } from './internal-storage.ts'

/** Between the name of a status object and the frames in its key. */
const FRAMES_MARK = '.'
/** Before the name of an object that tells of a beginning alone. */
const BEGUN_MARK = 'begun-'
const NOTHING = new Uint8Array(0)

/** Where the statuses of a block of calls begin. */
export function blockPrefix(job: JobKey, block: number): string {
  return `${statusPrefix(job)}${block}/`
}

/** What keys may have. */
export interface KeyLimits {
  readonly maxKeyBytes: number
  /** Between two slashes. Default: Infinity. */
  readonly maxSegmentBytes?: number
}

/**
 * Key and body of a status object: `<job>/status/<block>/<first call>-<last call>-<attempt>-<unique>`; one
 * that tells of a beginning alone has `begun-` before the first call. Frames that leave
 * the key within its limits are part of it, after a dot, as base64url, and the body is empty.
 */
export function statusKey(
  job: JobKey,
  { callId, lastCallId = callId, attempt, isBegun = false }: PublishedCalls,
  unique: string,
  frames: Uint8Array,
  { maxKeyBytes, maxSegmentBytes = Number.POSITIVE_INFINITY }: KeyLimits,
): { readonly key: string; readonly body: Uint8Array } {
  const mark = isBegun ? BEGUN_MARK : ''
  const name = `${blockPrefix(job, blockOf(callId))}${mark}${callId}-${lastCallId}-${attempt}-${unique}`
  const keyBytes = Buffer.byteLength(name) + FRAMES_MARK.length + Math.ceil((frames.length * 4) / 3)
  const segmentBytes = keyBytes - name.lastIndexOf('/') - 1
  if (keyBytes > maxKeyBytes || segmentBytes > maxSegmentBytes) return { key: name, body: frames }
  const text = Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength).toString('base64url')
  return { key: `${name}${FRAMES_MARK}${text}`, body: NOTHING }
}

/** The frames in a status object's key; undefined when they are its body. */
export function framesInKey(job: JobKey, key: string): Uint8Array | undefined {
  const at = key.indexOf(FRAMES_MARK, statusPrefix(job).length)
  return at < 0 ? undefined : new Uint8Array(Buffer.from(key.slice(at + 1), 'base64url'))
}

/** The calls of whose ends a status object tells; undefined for a key that is none. */
export function callsInKey(
  job: JobKey,
  key: string,
): { readonly first: number; readonly last: number } | undefined {
  const found = /^\d+\/(\d+)-(\d+)-/.exec(key.slice(statusPrefix(job).length))
  return found === null ? undefined : { first: Number(found[1]), last: Number(found[2]) }
}
