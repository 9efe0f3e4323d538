import { ensureAsyncDispose } from '../async-dispose.ts'
import { CallError, ObjectNotFoundError } from '../errors/index.ts'
import type { FuturesList } from '../future/futures-list.ts'
import type { AdoptedCalls } from '../invoker/adopted-calls.ts'
import type { Call } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import { type InternalStorage, recordKey } from '../storage/internal-storage.ts'
import { sleep } from '../storage/sleep.ts'
import {
  type ClientMarkContent,
  GONE_AFTER_MS,
  isInRanges,
  isKnownGone,
  readClientMark,
} from './client-mark.ts'
import { type JobRecord, unpackInputs } from './job-record.ts'

export interface AttachOptions {
  /** Run what the program that started the job has left undone, once that program is gone. Default: true. */
  readonly resume?: boolean
  /** Leave the job in storage although all its results were read. Default: false. */
  readonly keep?: boolean
}

/** What is known of a job that lies in storage. */
export interface JobInfo {
  /** Names the job for `attach`. */
  readonly jobKey: string
  readonly functionName: string
  readonly createdAt: Date
  readonly calls: number
  readonly backends: readonly string[]
  readonly storage: string
  readonly bucket: string
  readonly chunksize: number | undefined
}

export function infoOf(record: JobRecord, storage: InternalStorage): JobInfo {
  return {
    jobKey: `${record.executorId}-${record.jobId}`,
    functionName: record.function.name,
    createdAt: new Date(record.createdMs),
    calls: record.calls,
    backends: record.backends,
    storage: storage.backend.name,
    bucket: storage.bucket,
    chunksize: record.options.chunksize,
  }
}

/** A job that another program has started, as this one sees it. */
export class AttachedJob<T> implements AsyncDisposable {
  static {
    ensureAsyncDispose(this)
  }

  readonly info: JobInfo
  /** One future per call, in the order of the items. */
  readonly futures: FuturesList<T>
  readonly #close: () => Promise<void>
  readonly #getResult: () => Promise<T[]>
  readonly #remove: () => Promise<void>

  /** @internal Made by `FunctionExecutor.attach`. */
  constructor(
    info: JobInfo,
    futures: FuturesList<T>,
    parts: {
      readonly close: () => Promise<void>
      readonly getResult: () => Promise<T[]>
      readonly remove: () => Promise<void>
    },
  ) {
    this.info = info
    this.futures = futures
    this.#close = parts.close
    this.#getResult = parts.getResult
    this.#remove = parts.remove
  }

  /** The values of all calls, in the order of the items. Throws the first error. */
  getResult(): Promise<T[]> {
    return this.#getResult()
  }

  /** Removes the job from storage, whether its results were read or not. Calls that have not ended are cancelled. */
  remove(): Promise<void> {
    return this.#remove()
  }

  /** Removes the job from storage if all its results were read and the program that started it is gone. */
  close(): Promise<void> {
    return this.#close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** How often it is looked whether the other program is still there. */
const LOOK_MS = 2_000

/** What taking a job over needs of the executor. */
export interface TakeOverHost {
  readonly storage: InternalStorage
  readonly signal: AbortSignal
  /** Run what is left undone; false: calls that nobody will run fail. */
  readonly resume: boolean
  /** Workers go on when the program that sent them their calls is gone. */
  readonly workersOutliveClient: boolean
  /** Makes this program the one that runs the job; false when another was faster. */
  takeOver(): Promise<boolean>
  /** Sends these calls. */
  send(calls: readonly Call[]): void
  /** Runs again calls that stay silent beyond their time limit. */
  awaitSilent(adopted: AdoptedCalls): void
}

/** Waits until the program that runs the job is gone, and runs what it has left. Ends early when the job has ended. */
export async function takeOverWhenGone(
  record: JobRecord,
  job: Job,
  calls: readonly Call[],
  adopted: AdoptedCalls,
  host: TakeOverHost,
): Promise<void> {
  const { storage, signal, resume } = host
  const isOver = () => signal.aborted || job.openCount === 0
  for (;;) {
    const mark = await markOfGone(storage, record, isOver)
    if (mark === undefined) return
    if (resume) await readInputs(storage, record, calls)
    if (resume && !(await host.takeOver())) continue
    const unsent = mark.unsent[record.jobId] ?? [[0, record.calls] as const]
    const failed = adopted.toRunAgain
    const left = adopted.openCalls.filter(
      call =>
        failed.includes(call) ||
        !host.workersOutliveClient ||
        (call.state === 'waiting' && isInRanges(unsent, call.id)),
    )
    // a worker that has begun such a call may still tell of it: this one is another attempt
    for (const call of left) if (call.state === 'running' || failed.includes(call)) call.attempt++
    for (const call of left) if (!resume) call.fail(notResumed(call))
    for (const call of left) if (!call.isEnded && call.input === undefined) call.fail(inputLost(call))
    if (!resume) for (const call of adopted.openCalls) call.infrastructureFaults = Number.POSITIVE_INFINITY
    adopted.sentHere(left)
    host.send(left.filter(call => !call.isEnded))
    host.awaitSilent(adopted)
    return
  }
}

/** The last mark of a program that is gone; undefined when there is no reason to wait any longer. */
async function markOfGone(
  storage: InternalStorage,
  record: JobRecord,
  isOver: () => boolean,
): Promise<ClientMarkContent | undefined> {
  const { executorId } = record
  let mark = await readClientMark(storage, executorId)
  let changedMs = performance.now()
  while (!isOver()) {
    if (mark === undefined) throw jobRemoved(record)
    if (isKnownGone(mark) || performance.now() - changedMs > GONE_AFTER_MS) return mark
    await sleep(LOOK_MS)
    const next = await readClientMark(storage, executorId)
    if (next?.client !== mark.client || next?.renewal !== mark.renewal) changedMs = performance.now()
    if (next !== undefined && !(await storage.exists(recordKey(record)))) throw jobRemoved(record)
    mark = next
  }
  return undefined
}

async function readInputs(
  storage: InternalStorage,
  record: JobRecord,
  calls: readonly Call[],
): Promise<void> {
  for (const key of record.inputs) {
    for (const { callId, input } of unpackInputs(await storage.get(key))) {
      const call = calls[callId]
      if (call !== undefined && !call.isEnded) call.input = input
    }
  }
}

function jobRemoved({ executorId, jobId }: JobRecord): ObjectNotFoundError {
  return new ObjectNotFoundError(
    `Job ${executorId}-${jobId} was removed from storage while its results were awaited: the program that started it has read them, or somebody cleaned.`,
    { code: 'LITHOPS_JOB_NOT_FOUND', details: { executorId, jobId } },
  )
}

function inputLost(call: Call): CallError {
  return neverRun(
    call,
    'its input was the value of another call, which is lost with the program that waited for it',
  )
}

function notResumed(call: Call): CallError {
  return neverRun(call, 'the program that started it is gone, and this one attached with resume: false')
}

function neverRun(call: Call, reason: string): CallError {
  return new CallError(`Call ${call.id} of job ${call.job.key} was not run to its end: ${reason}.`, {
    code: 'LITHOPS_CALL_LEFT',
    executorId: call.job.executorId,
    jobId: call.job.id,
    callId: call.id,
  })
}
