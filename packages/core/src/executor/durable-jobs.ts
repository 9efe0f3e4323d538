import { ConfigError } from '../errors/index.ts'
import type { Call } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import {
  executorPrefix,
  type InternalStorage,
  jobOfRecordKey,
  jobPrefix,
  recordKey,
} from '../storage/internal-storage.ts'
import { sleep } from '../storage/sleep.ts'
import { LITHOPS_VERSION } from '../version.ts'
import type { Location } from '../worker/protocol.ts'
import { ClientMark, type IdRange, isKnownGone, rangesOf, readClientMark } from './client-mark.ts'
import { encodeRecord, packInputs, recordedOptions } from './job-record.ts'

/** How long it takes until a mark that was written at the same time is seen. */
const TAKE_OVER_PAUSE_MS = 300
/** Code of more bytes is put once for all programs instead of into the record of each job. */
const CODE_IN_RECORD_BYTES = 256 * 1024

interface TrackedJob {
  /** Objects beside its statuses and results. */
  readonly keys: string[]
  /** Its results are still to be read; undefined when nobody but this program will. */
  readonly unread: Set<number> | undefined
  /** It stays though everything was read. */
  readonly mustStay: boolean
}

function isWanted({ unread, mustStay }: TrackedJob): boolean {
  return mustStay || (unread !== undefined && unread.size > 0)
}

/** Keeps the objects of these jobs, and what an executor has beside its jobs. */
export function keepsJobs(executorId: string, prefixes: readonly string[]): (key: string) => boolean {
  const isOfJob = /^[AMR]\d+\//
  return key =>
    prefixes.some(prefix => key.startsWith(prefix)) ||
    !isOfJob.test(key.slice(executorPrefix(executorId).length))
}

/** What this needs of the executor. */
export interface DurableJobsHost {
  readonly unsentIds: (job: Job) => readonly number[]
  readonly callsOf: (job: Job) => readonly Call[]
  readonly openJobs: () => readonly Job[]
  readonly backendNames: () => readonly string[]
}

/** The jobs of one executor that other programs could attach to: their records, and the mark of who runs them. */
export class DurableJobs {
  readonly #executorId: string
  readonly #storage: InternalStorage
  readonly #host: DurableJobsHost
  readonly #jobs = new Map<Job, TrackedJob>()
  readonly #mark: ClientMark
  /** This program runs the jobs; false while it watches another's. */
  #isOwner: boolean
  readonly #isAttached: boolean
  #isMarked: boolean
  #frozen: Readonly<Record<string, readonly IdRange[]>> | undefined

  constructor(
    executorId: string,
    storage: InternalStorage,
    host: DurableJobsHost,
    options: { readonly isOwner: boolean },
  ) {
    this.#executorId = executorId
    this.#storage = storage
    this.#host = host
    this.#isOwner = options.isOwner
    this.#isAttached = !options.isOwner
    this.#isMarked = !options.isOwner
    this.#mark = new ClientMark(storage, executorId, () => this.#frozen ?? this.#unsent())
  }

  #unsent(): Readonly<Record<string, readonly IdRange[]>> {
    return Object.fromEntries(
      [...this.#jobs.keys()].map(job => [job.id, rangesOf(this.#host.unsentIds(job))]),
    )
  }

  /** Says that this program runs the executor's jobs: before the first worker writes into storage. */
  async mark(): Promise<void> {
    await this.#mark.write()
    this.#isMarked = true
  }

  /** The mark is there, or is another program's. */
  get isMarked(): boolean {
    return this.#isMarked
  }

  /** The executor closes: what it cancels now has neither been read nor sent. */
  freeze(): void {
    this.#frozen ??= this.#unsent()
  }

  /** Writes what is needed to take the job over, before its first activation is sent. */
  async record(job: Job): Promise<void> {
    const isDurable = job.options.durable
    const calls = this.#host.callsOf(job)
    if (!job.isComplete) {
      if (isDurable)
        throw new ConfigError(
          'A durable job needs a list of items: a source of unknown length cannot be kept.',
        )
      return
    }
    if (isDurable && calls.some(call => call.state === 'waiting')) {
      throw new ConfigError(
        'The items of a durable job must be values, not futures of other calls: what they become would be lost with this program.',
      )
    }
    const tracked: TrackedJob = {
      keys: [],
      unread: isDurable ? new Set(calls.map(call => call.id)) : undefined,
      mustStay: false,
    }
    this.#jobs.set(job, tracked)
    // nobody will read what the program did not want any more
    if (isDurable)
      for (const call of calls) call.onEnd(() => call.state === 'cancelled' && this.markRead(call))
    const inputs: string[] = []
    for (const bytes of packInputs(calls)) {
      const key = `${recordKey(job.jobKey)}.inputs-${inputs.length}`
      tracked.keys.push(key)
      inputs.push(key)
      await this.#storage.put(key, bytes)
    }
    const bundle = await job.fn.bundle()
    const code = await bundle.read()
    const isLarge = code.length > CODE_IN_RECORD_BYTES
    const location: Location = isLarge
      ? {
          kind: 'object',
          bucket: this.#storage.bucket,
          key: await this.#storage.putFunction(bundle.hash, code),
        }
      : { kind: 'inline' }
    const record = encodeRecord(
      {
        lithopsVersion: LITHOPS_VERSION,
        executorId: job.executorId,
        jobId: job.id,
        createdMs: Date.now(),
        calls: job.created,
        backends: this.#host.backendNames(),
        runtime: job.runtime,
        options: recordedOptions(job),
        function: {
          name: job.fn.name,
          hash: bundle.hash,
          isNative: job.fn.isNative,
          externalPackages: bundle.externalPackages,
          code: location,
        },
        inputs,
      },
      {
        code: isLarge ? new Uint8Array(0) : code,
        env: job.fn.env,
        extraArgs: job.extraArgs ?? new Uint8Array(0),
      },
    )
    tracked.keys.push(recordKey(job.jobKey))
    await Promise.all([this.#storage.put(recordKey(job.jobKey), record), this.mark()])
    this.#mark.keep()
  }

  /** Takes on a job that another program has recorded. */
  adopt(job: Job, calls: number, options: { readonly keep: boolean }): void {
    const unread = new Set(Array.from({ length: calls }, (_, i) => i))
    this.#jobs.set(job, { keys: [], unread, mustStay: options.keep })
  }

  /** This program runs the jobs from now on. */
  async takeOver(signal: AbortSignal): Promise<boolean> {
    await this.#mark.renew()
    // of programs that attach at the same time, the last to write its mark wins
    await sleep(TAKE_OVER_PAUSE_MS, signal)
    const mark = await readClientMark(this.#storage, this.#executorId)
    if (mark?.client !== this.#mark.client) return false
    this.#isOwner = true
    this.#mark.keep()
    return true
  }

  /** Removes an attached job, whoever runs it. */
  async remove(job: Job): Promise<void> {
    this.#jobs.delete(job)
    await this.#storage.cleanJob(job.jobKey)
    if (!(await this.#hasOtherRecords())) await this.#storage.cleanExecutor(this.#executorId)
  }

  /** Durable jobs, whose objects stay until this is closed. */
  get keptJobs(): Job[] {
    return [...this.#jobs].flatMap(([job, { unread }]) => (unread === undefined ? [] : [job]))
  }

  /** The outcome of a call was given to the program. */
  markRead(call: Call): void {
    if (this.#frozen === undefined) this.#jobs.get(call.job)?.unread?.delete(call.id)
  }

  /** Whether the statuses of a job that has ended must stay. */
  isKept(job: Job): boolean {
    return this.#jobs.get(job)?.unread !== undefined
  }

  /** All calls of a job have ended: removes its record, unless others may want it. */
  async ended(job: Job): Promise<void> {
    const tracked = this.#jobs.get(job)
    if (tracked === undefined || tracked.unread !== undefined) return
    this.#jobs.delete(job)
    if (this.#jobs.size === 0) this.#mark.stop()
    if (tracked.keys.length > 0) await this.#storage.backend.deleteObjects(this.#storage.bucket, tracked.keys)
  }

  /** Removes what jobs left whose results were read, and leaves the others to other programs. */
  async close(): Promise<void> {
    this.#mark.stop()
    if (!this.#isOwner && !(await this.#mayInherit())) return
    const kept = [...this.#jobs].filter(([, tracked]) => isWanted(tracked))
    if (kept.length > 0) {
      await this.#mark.release()
      const keep = keepsJobs(
        this.#executorId,
        kept.map(([job]) => jobPrefix(job.jobKey)),
      )
      await this.#storage.cleanExecutor(this.#executorId, { keep })
      return
    }
    for (const job of this.#jobs.keys()) await this.#storage.cleanJob(job.jobKey)
    if (this.#isAttached && (await this.#hasOtherRecords())) await this.#mark.release()
    else await this.#storage.cleanExecutor(this.#executorId)
  }

  /** All was read of jobs whose program is gone: nobody else will remove them. */
  async #mayInherit(): Promise<boolean> {
    if ([...this.#jobs.values()].some(isWanted)) return false
    return isKnownGone(await readClientMark(this.#storage, this.#executorId))
  }

  /** Jobs of the executor that are none of ours have a record: another program may attach to them. */
  async #hasOtherRecords(): Promise<boolean> {
    const own = new Set([...this.#jobs.keys()].map(job => recordKey(job.jobKey)))
    const prefix = executorPrefix(this.#executorId)
    for await (const { key } of this.#storage.backend.listObjects(this.#storage.bucket, prefix)) {
      if (jobOfRecordKey(key) !== undefined && !own.has(key)) return true
    }
    return false
  }
}
