import type { CallHandle } from '../future/call-handle.ts'
import type { FuturesList } from '../future/futures-list.ts'
import type { AdoptedCalls } from '../invoker/adopted-calls.ts'
import type { Invoker } from '../invoker/invoker.ts'
import type { LazyDirectory } from '../invoker/job-message.ts'
import type { Call } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import { readStatuses } from '../monitor/read-statuses.ts'
import { AttachedJob, type AttachOptions, infoOf, takeOverWhenGone } from './attached-job.ts'
import type { DurableJobs } from './durable-jobs.ts'
import { readRecord } from './job-listing.ts'
import type { JobRecord } from './job-record.ts'
import type { JobRunner } from './job-runner.ts'
import type { ExecutorSurroundings } from './open-executor.ts'
import { reviveJob } from './revive-job.ts'

/** The executor that attaches to a job of another program. */
export interface AttachHost {
  readonly surroundings: ExecutorSurroundings
  readonly runner: JobRunner
  readonly invoker: Invoker
  readonly directory: LazyDirectory
  /** Aborted when the executor closes. */
  readonly ending: AbortSignal
  /** The job's futures, before any of them can have ended. */
  readonly adopted: (futures: FuturesList<unknown>) => void
  readonly getResult: <T>(futures: readonly CallHandle<T>[]) => Promise<T[]>
  readonly close: () => Promise<void>
}

/** What `FunctionExecutor.attach` does: reads what the job has left in storage, and goes on from there. */
export async function attachJob<T>(
  host: AttachHost,
  jobKey: string,
  options: AttachOptions,
): Promise<AttachedJob<T>> {
  const { surroundings, runner, invoker, directory } = host
  const storage = await surroundings.jobStorage()
  const { record, fn } = await readRecord(storage, jobKey)
  const job = await reviveJob(record, fn, await directory.get())
  job.isAdopted = true
  const futures = runner.adopt<T>(job, record.calls)
  const calls = futures.map(future => future.call)
  const durable = await surroundings.durableJobs(record.executorId)
  durable.adopt(job, record.calls, { keep: options.keep ?? false })
  invoker.add(job, await surroundings.of(job, directory.get))
  const adopted = invoker.adopt(job, calls)
  for await (const { frames } of readStatuses(storage, job.jobKey)) invoker.readFrames(job, frames)
  job.isSent = true // somebody has: the monitor may expect news
  host.adopted(futures)
  void resume(host, { record, job, adopted, calls, durable, isResumed: options.resume ?? true })
  return new AttachedJob(infoOf(record, storage), futures, {
    getResult: () => host.getResult(futures),
    close: host.close,
    remove: async () => {
      runner.cancelJob(job, 'remove() was called')
      await durable.remove(job)
    },
  })
}

interface AdoptedJob {
  readonly record: JobRecord
  readonly job: Job
  readonly adopted: AdoptedCalls
  readonly calls: readonly Call[]
  readonly durable: DurableJobs
  /** What the other program has left is to be run when it is gone. */
  readonly isResumed: boolean
}

async function resume(
  { surroundings, runner, invoker, ending }: AttachHost,
  { record, job, adopted, calls, durable, isResumed }: AdoptedJob,
): Promise<void> {
  try {
    const storage = await surroundings.jobStorage()
    const backends = await surroundings.backends()
    await takeOverWhenGone(record, job, calls, adopted, {
      storage,
      resume: isResumed,
      signal: ending,
      workersOutliveClient: backends.every(({ capabilities }) => capabilities.workersOutliveClient !== false),
      takeOver: () => durable.takeOver(ending),
      send: open => {
        for (const call of open) job.enqueue(call)
        invoker.pump()
      },
      awaitSilent: () => invoker.awaitAdopted(adopted),
    })
  } catch (error) {
    if (!ending.aborted) runner.failJob(job, error)
  }
}
