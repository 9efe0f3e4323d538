import type { JobKey } from '../driver/monitor.ts'
import { ObjectNotFoundError } from '../errors/index.ts'
import { type InternalStorage, JOBS_PREFIX, jobOfRecordKey, recordKey } from '../storage/internal-storage.ts'
import { callsInKey } from '../storage/status-key.ts'
import { infoOf, type JobInfo } from './attached-job.ts'
import { decodeRecord, decodeRecordFacts, type JobRecord, type RecordedFunction } from './job-record.ts'

/** A job in storage, and how far it is. */
export interface JobListing extends JobInfo {
  /** Calls that have told of an end, good or bad. */
  readonly ended: number
}

/** The facts of a record are within its first bytes, mostly. */
const FACTS_BYTES = 64 * 1024
const RECORDS_AT_ONCE = 16

/** All jobs in the bucket that can be attached to, the oldest first. One listing and one read per job. */
export async function listJobs(storage: InternalStorage): Promise<JobListing[]> {
  const jobs = new Map<string, JobKey>()
  const ended = new Map<string, Set<number>>()
  if (!(await storage.backend.bucketExists(storage.bucket))) return []
  for await (const { key } of storage.backend.listObjects(storage.bucket, JOBS_PREFIX)) {
    const [, executorId = '', jobId = '', what] = key.split('/')
    const name = `${executorId}/${jobId}`
    const job = jobOfRecordKey(key)
    if (job !== undefined) jobs.set(name, job)
    if (what !== 'status') continue
    const calls = callsInKey({ executorId, jobId }, key)
    const ids = ended.get(name) ?? new Set()
    for (let id = calls?.first ?? 0; id <= (calls?.last ?? -1); id++) ids.add(id)
    ended.set(name, ids)
  }
  const left = [...jobs].values()
  const listings: JobListing[] = []
  const readNext = async () => {
    for (const [name, job] of left) {
      const record = await readFacts(storage, job)
      if (record !== undefined)
        listings.push({ ...infoOf(record, storage), ended: ended.get(name)?.size ?? 0 })
    }
  }
  await Promise.all(Array.from({ length: RECORDS_AT_ONCE }, readNext))
  return listings.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
}

/** Undefined for a job that was removed since it was listed. */
async function readFacts(storage: InternalStorage, job: JobKey): Promise<JobRecord | undefined> {
  try {
    const first = await storage.get(recordKey(job), { range: { start: 0, end: FACTS_BYTES } })
    return decodeRecordFacts(first) ?? decodeRecordFacts(await storage.get(recordKey(job)))
  } catch (error) {
    if (ObjectNotFoundError.isInstance(error)) return undefined
    throw error
  }
}

/** The whole record of a job with its function. */
export async function readRecord(
  storage: InternalStorage,
  jobKey: string,
): Promise<{ readonly record: JobRecord; readonly fn: RecordedFunction }> {
  const found = /^(.+)-([AMR]\d+)$/.exec(jobKey)
  if (found === null) {
    throw new TypeError(
      `'${jobKey}' is no key of a job. One looks like a1b2c3-0-M000; \`lithops job list\` shows them.`,
    )
  }
  const job = { executorId: found[1] as string, jobId: found[2] as string }
  try {
    const { record, fn } = decodeRecord(await storage.get(recordKey(job)))
    const { code } = record.function
    return { record, fn: code.kind === 'object' ? { ...fn, code: await storage.get(code.key) } : fn }
  } catch (error) {
    if (!ObjectNotFoundError.isInstance(error)) throw error
    throw new ObjectNotFoundError(
      `There is no job ${jobKey} in bucket '${storage.bucket}' of ${storage.backend.name}: it was removed after its results were read, ` +
        'it was not started with durable: true or monitoring: storage, or the config names another storage.',
      { code: 'LITHOPS_JOB_NOT_FOUND', details: { jobKey, bucket: storage.bucket }, cause: error },
    )
  }
}
