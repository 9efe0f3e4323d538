import type { ComputeCapabilities } from '../driver/compute-backend.ts'
import { type Call, EncodedInput } from '../job/call.ts'
import type { Job } from '../job/job.ts'

/** An activation should take about this long: long enough to hide its own cost, short enough to share work evenly. */
const TARGET_MS = 4
/** Calls that take longer than this are sent one by one. */
const QUICK_CALL_MS = 1.5
/** Longer ones are not sent ahead: a call that waits for such a one would be late. */
const SENT_AHEAD_MS = 250
/** Nor are the last ones of a job, several times as many as there are workers: they go to whoever is free first. */
const KEPT_PER_WORKER = 3
const MAX_GROUP = 512
/** A worker that is far over the target hands back what it has not begun, so that others can take it. */
const HAND_BACK_AFTER_MS = 25

/** Calls of small objects in one activation: several times as many as a worker reads ahead (worker/piece-window.ts). */
const SMALL_PIECES = 128
/** Reading them takes longer than calls without input do, and what was read ahead is lost when they are handed back. */
const HAND_BACK_PIECES_AFTER_MS = 1000

function isQuick(job: Job): boolean {
  return job.meanCallMs !== undefined && job.meanCallMs < QUICK_CALL_MS
}

/** Whether a worker should get its next activation before it has ended the one it runs. */
export function isSentAhead(job: Job, workers: number): boolean {
  if (isQuick(job)) return true
  const activationMs = (job.meanCallMs ?? Number.POSITIVE_INFINITY) * (job.options.chunksize ?? 1)
  return activationMs < SENT_AHEAD_MS && job.readyCount > workers * KEPT_PER_WORKER
}

/**
 * How many calls the next activation carries on a backend with adaptive chunks. Starts at one, doubles while calls
 * come back quickly, and never takes more than a fair share of what is left.
 */
export function adaptiveGroupSize(job: Job, workers: number, first?: Call): number {
  const byTime = groupSizeByTime(job, workers)
  if (!isSmallPiece(first)) return byTime
  return Math.max(byTime, Math.min(Math.ceil(job.readyCount / (workers * 2)), SMALL_PIECES))
}

function isSmallPiece(call: Call | undefined): boolean {
  return call?.input instanceof EncodedInput && call.input.isSmallPiece
}

function groupSizeByTime(job: Job, workers: number): number {
  if (job.meanCallMs === undefined || !isQuick(job)) return 1
  const byTime = Math.floor(TARGET_MS / Math.max(job.meanCallMs, 0.002))
  const byGrowth = Math.max(2, job.largestGroup * 2)
  const byShare = Math.ceil(job.readyCount / (workers * 2))
  return Math.max(1, Math.min(byTime, byGrowth, byShare, MAX_GROUP))
}

/** A reply of this size carries the end of one call, its result in storage if need be, and some of its log. */
const REPLY_BYTES_PER_CALL = 1024

/** How many calls an activation may carry, so that its reply can tell the end of each. */
export function mostPerReply(maxReplyBytes: number): number {
  return Math.max(1, Math.floor(maxReplyBytes / REPLY_BYTES_PER_CALL))
}

export function handBackAfterMs(groupSize: number, first?: Call): number {
  if (groupSize <= 1) return 0
  return isSmallPiece(first) ? HAND_BACK_PIECES_AFTER_MS : HAND_BACK_AFTER_MS
}

/**
 * Takes the calls of the next activation from the job's queue; none where there are none.
 *
 * @param room bytes that their inputs may take together
 * @param isolates each call gets an activation of its own
 */
export function takeGroup(
  job: Job,
  { adaptiveChunks, maxActivations, maxReplyBytes }: ComputeCapabilities,
  { room, isolates }: { readonly room: number; readonly isolates: boolean },
): Call[] {
  const first = job.take()
  if (first === undefined) return []
  const calls = [first]
  if (first.mustBeAlone || isolates) return calls
  const wanted = job.options.chunksize ?? (adaptiveChunks ? adaptiveGroupSize(job, maxActivations, first) : 1)
  const size = Math.min(wanted, mostPerReply(maxReplyBytes))
  let bytes = inputBytes(first)
  while (calls.length < size) {
    const next = job.peek()
    if (next === undefined || next.mustBeAlone) break
    bytes += inputBytes(next)
    if (bytes > room) break
    job.take()
    calls.push(next)
  }
  return calls
}

/** About as many as the input takes in an activation; never fewer. */
export function inputBytes(call: Call): number {
  const { input } = call
  if (input !== null && typeof input === 'object' && 'sizeBytes' in input)
    return (input as { sizeBytes: number }).sizeBytes + 16
  return typeof input === 'string' ? input.length * 3 + 32 : 32
}
