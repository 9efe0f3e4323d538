import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureAsyncDispose } from '../async-dispose.ts'
import { decodeValue } from '../codec/value.ts'
import type { RuntimeListing } from '../driver/compute-backend.ts'
import { CallCancelledError, WaitTimeoutError } from '../errors/index.ts'
import { CallHandle } from '../future/call-handle.ts'
import type { FuturesList } from '../future/futures-list.ts'
import { FuturesStream } from '../future/futures-stream.ts'
import type { ResponseFuture } from '../future/response-future.ts'
import { type WaitOptions, type WaitResult, waitFor } from '../future/wait.ts'
import type { AdoptedCalls } from '../invoker/adopted-calls.ts'
import { Invoker } from '../invoker/invoker.ts'
import { LazyDirectory } from '../invoker/job-message.ts'
import type { Call } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import { type CallOptions, compileJobOptions } from '../job/job-options.ts'
import { readStatuses } from '../monitor/read-statuses.ts'
import type { Storage } from '../storage/storage.ts'
import type { CallContext } from '../worker/call-context.ts'
import { AttachedJob, type AttachOptions, infoOf, takeOverWhenGone } from './attached-job.ts'
import type { DurableJobs } from './durable-jobs.ts'
import { type ExecutorKind, type ExecutorOptions, resolveExecutor } from './executor-options.ts'
import { type JobListing, listJobs, readRecord } from './job-listing.ts'
import type { JobRecord } from './job-record.ts'
import { type JobHost, JobRunner } from './job-runner.ts'
import {
  checkMapReduceOptions,
  type GroupedFutures,
  type GroupedMapReduceOptions,
  groupingOf,
  MAP_REDUCE_OPTIONS,
  MapReduceCalls,
  type MapReduceOptions,
  type ObjectMapReduceOptions,
  type ReducerChoice,
  reducerOptions,
} from './map-reduce.ts'
import { type ExecutorParts, ExecutorSurroundings } from './open-executor.ts'
import { ProgressBar } from './progress-bar.ts'
import { reviveJob } from './revive-job.ts'

/** A function of one item, extra arguments and the call's context. */
export type MapFunction<T, R, Extra extends readonly unknown[] = []> = (
  item: T,
  ...rest: [...Extra, CallContext]
) => R | PromiseLike<R>

/** A function of the results of map calls, in the order of the items, and the call's context. */
export type ReduceFunction<R, U> = (results: R[], context: CallContext) => U | PromiseLike<U>

/** Items of known number: one future each at once. */
export type ItemList<T> = readonly (T | CallHandle<T>)[] | ReadonlySet<T> | FuturesList<T>
/** Items of a source that is read as results are taken. */
export type ItemSource<T> = Iterable<T | CallHandle<T>> | AsyncIterable<T | CallHandle<T>>

/** What results can be read of. */
export type Futures<T> = readonly CallHandle<T>[] | FuturesStream<T>

export interface GetResultOptions extends Pick<WaitOptions, 'timeoutMs' | 'signal' | 'progress'> {
  /** false: failed calls give undefined instead of throwing the first error. Default: true. */
  readonly throwExcept?: boolean
}

const SESSION_ID = randomBytes(3).toString('hex')
let nextExecutor = 0

/**
 * Runs functions over data on the backend that the config names; with no config, on this machine. Make one, use it for
 * any number of jobs, and close it (`await using`, or `close()`).
 */
export class FunctionExecutor {
  static {
    ensureAsyncDispose(this)
  }

  /** Unique on this machine; part of the names of everything its jobs make. */
  readonly executorId: string
  readonly #invoker = new Invoker()
  readonly #runner: JobRunner
  readonly #surroundings: ExecutorSurroundings
  readonly #parts: ExecutorParts
  readonly #directory: LazyDirectory
  readonly #unread = new Set<Futures<unknown>>()
  readonly #ending = new AbortController()
  #closing: Promise<void> | undefined

  constructor(options: ExecutorOptions = {}, kind: ExecutorKind = { className: 'FunctionExecutor' }) {
    this.executorId = `${SESSION_ID}-${nextExecutor++}`
    this.#directory = new LazyDirectory(join(tmpdir(), `lithops-${this.executorId}-${process.pid}`))
    const parts = resolveExecutor(options, kind)
    const surroundings = new ExecutorSurroundings(parts, this.#invoker, this.executorId, {
      unsentIds: job => this.#runner.unsentIds(job),
      callsOf: job => this.#runner.callsOf(job),
      openJobs: () => this.#runner.openJobs,
    })
    this.#parts = parts
    this.#surroundings = surroundings
    const host: JobHost = {
      executorId: this.executorId,
      runtime: parts.runtime,
      invoker: this.#invoker,
      warn: message => parts.log.warn(message),
      surroundingsOf: job => surroundings.of(job, this.#directory.get),
      jobEnded: job => surroundings.jobEnded(job),
      cancel: (call, error) => this.#invoker.cancel(call, error),
      fetchValue: call => this.#fetchValue(call),
      markRead: call => surroundings.markRead(call),
    }
    this.#runner = new JobRunner(host)
  }

  /** Runs `fn(data, context)` once. */
  callAsync<T, R, const Extra extends readonly unknown[] = []>(
    fn: MapFunction<T, R, Extra>,
    data: T | CallHandle<T>,
    options: CallOptions<Extra> = {},
  ): ResponseFuture<Awaited<R>> {
    const job = this.#newJob('A', fn, options, 1)
    const [future] = this.#runner.list<Awaited<R>>(job, [data])
    return future as ResponseFuture<Awaited<R>>
  }

  /**
   * Runs `fn(item, context)` for every item. From an array or set comes a FuturesList, with all futures at once, in the
   * order of the items. From an iterable or async iterable comes a FuturesStream, which reads its source as fast as its
   * futures are taken. Items that are futures of other calls are waited for, each by itself.
   */
  map<T, R, const Extra extends readonly unknown[] = []>(
    fn: MapFunction<T, R, Extra>,
    items: ItemList<T>,
    options?: CallOptions<Extra>,
  ): FuturesList<Awaited<R>>
  map<T, R, const Extra extends readonly unknown[] = []>(
    fn: MapFunction<T, R, Extra>,
    items: ItemSource<T>,
    options?: CallOptions<Extra>,
  ): FuturesStream<Awaited<R>>
  map<T, R, const Extra extends readonly unknown[] = []>(
    fn: MapFunction<T, R, Extra>,
    items: ItemList<T> | ItemSource<T>,
    options: CallOptions<Extra> = {},
  ): FuturesList<Awaited<R>> | FuturesStream<Awaited<R>> {
    checkItems(items)
    const count = countOf(items)
    const job = this.#newJob('M', fn, options, count ?? Number.POSITIVE_INFINITY)
    const futures =
      count === undefined
        ? this.#runner.stream<Awaited<R>>(job, items)
        : this.#runner.list<Awaited<R>>(job, items as Iterable<unknown>)
    this.#unread.add(futures)
    return futures
  }

  /**
   * Runs `mapFn` for every item and `reduceFn(results, context)` over the results in the order of the items: with one
   * reducer, a tree of them (`fanIn`), or one per group of items (`reduceBy`), or one per object (`reduceByKey`).
   */
  mapReduce<T, R, U, K, const Extra extends readonly unknown[] = []>(
    mapFn: MapFunction<T, R, Extra>,
    items: ItemList<T>,
    reduceFn: ReduceFunction<Awaited<R>, U>,
    options: GroupedMapReduceOptions<T, K, Extra>,
  ): GroupedFutures<K, Awaited<U>>
  mapReduce<T, R, U, const Extra extends readonly unknown[] = []>(
    mapFn: MapFunction<T, R, Extra>,
    items: ItemList<T>,
    reduceFn: ReduceFunction<Awaited<R>, U>,
    options: ObjectMapReduceOptions<Extra>,
  ): GroupedFutures<string, Awaited<U>>
  mapReduce<T, R, U, const Extra extends readonly unknown[] = []>(
    mapFn: MapFunction<T, R, Extra>,
    items: ItemList<T> | ItemSource<T>,
    reduceFn: ReduceFunction<Awaited<R>, U>,
    options?: MapReduceOptions<Extra>,
  ): ResponseFuture<Awaited<U>>
  mapReduce<T, R, U, K, const Extra extends readonly unknown[] = []>(
    mapFn: MapFunction<T, R, Extra>,
    items: ItemList<T> | ItemSource<T>,
    reduceFn: ReduceFunction<Awaited<R>, U>,
    options: MapReduceOptions<Extra> & ReducerChoice<T, K> = {},
  ): ResponseFuture<Awaited<U>> | GroupedFutures<K, Awaited<U>> {
    checkItems(items)
    checkMapReduceOptions(options)
    const count = countOf(items)
    const reduceBy = groupingOf(options)
    if (count === undefined && reduceBy !== undefined) {
      throw new TypeError(
        'mapReduce with one reducer per group needs an array or a set of items: the groups must be known at the start.',
      )
    }
    const mapJob = this.#newJob('M', mapFn, options, count ?? Number.POSITIVE_INFINITY, MAP_REDUCE_OPTIONS)
    mapJob.feedsWorkers = true
    const reduceJob = this.#newJob('R', reduceFn, reducerOptions(options), 1, MAP_REDUCE_OPTIONS)
    const calls = new MapReduceCalls(this.#runner, reduceJob, options)
    if (count === undefined) return calls.overStream<Awaited<U>>(this.#runner.stream(mapJob, items))
    const list = [...(items as Iterable<T>)]
    const mapCalls = this.#runner.list(mapJob, list).map(future => future.call)
    return reduceBy === undefined
      ? calls.over<Awaited<U>>(mapCalls)
      : calls.perGroup<T, K, Awaited<U>>(list, mapCalls, reduceBy)
  }

  /** Waits until enough of the futures have ended; of all unread ones when none are given. */
  async wait<T = unknown>(
    futures?: readonly CallHandle<T>[] | CallHandle<T>,
    options: WaitOptions = {},
  ): Promise<WaitResult<T>> {
    const list =
      futures === undefined ? this.#allUnread<T>() : futures instanceof CallHandle ? [futures] : futures
    const bar = ProgressBar.start(list.length, options.progress)
    try {
      return await waitFor(list, options, bar?.update)
    } finally {
      bar?.stop()
    }
  }

  /** The value of a call, or the values of a job's calls in the order of the items. Throws the first error. */
  getResult<T>(future: CallHandle<T>, options?: GetResultOptions): Promise<T>
  getResult<T>(futures: Futures<T>, options?: GetResultOptions): Promise<T[]>
  getResult(): Promise<unknown[]>
  async getResult<T>(
    futures?: CallHandle<T> | Futures<T>,
    options: GetResultOptions = {},
  ): Promise<T | T[] | unknown[]> {
    if (futures instanceof FuturesStream) return this.#streamResult(futures, options)
    const list =
      futures === undefined ? this.#allUnread<T>() : futures instanceof CallHandle ? [futures] : futures
    const throwExcept = options.throwExcept ?? true
    await this.wait(list, { ...options, throwExcept: throwExcept && !list.some(toleratesFailures) })
    await fetchAll(list)
    const values: T[] = new Array(list.length)
    for (let i = 0; i < list.length; i++) {
      const future = list[i] as CallHandle<T>
      const { call } = future
      this.#surroundings.markRead(call)
      if (call.state === 'success') values[i] = (call.hasValueHere ? call.value : await future.result()) as T
      else if (throwExcept && !isTolerated(call)) throw call.error
      else values[i] = undefined as T
    }
    if (futures !== undefined && !(futures instanceof CallHandle)) this.#unread.delete(futures)
    return futures instanceof CallHandle ? (values[0] as T) : values
  }

  /**
   * The futures of a job that another program has started with `durable: true` or `monitoring: storage`, by its key
   * (`a1b2c3-0-M000`). Results that are there are read from storage; when that program is gone, this one runs what it has
   * left. Closing the executor removes the job if all its results were read.
   *
   * Throws ObjectNotFoundError, code LITHOPS_JOB_NOT_FOUND, when there is no such job in the storage of the config.
   */
  async attach<T = unknown>(jobKey: string, options: AttachOptions = {}): Promise<AttachedJob<T>> {
    const storage = await this.#surroundings.jobStorage()
    const { record, fn } = await readRecord(storage, jobKey)
    const job = await reviveJob(record, fn, await this.#directory.get())
    job.isAdopted = true
    const futures = this.#runner.adopt<T>(job, record.calls)
    const calls = futures.map(future => future.call)
    const durable = await this.#surroundings.durableJobs(record.executorId)
    durable.adopt(job, record.calls, { keep: options.keep ?? false })
    this.#invoker.add(job, await this.#surroundings.of(job, this.#directory.get))
    const adopted = this.#invoker.adopt(job, calls)
    for await (const { frames } of readStatuses(storage, job.jobKey)) this.#invoker.readFrames(job, frames)
    job.isSent = true // somebody has: the monitor may expect news
    this.#unread.add(futures)
    void this.#resume(record, job, adopted, calls, durable, options.resume ?? true)
    return new AttachedJob(infoOf(record, storage), futures, {
      getResult: () => this.getResult(futures),
      close: () => this.close(),
      remove: async () => {
        this.#runner.cancelJob(job, 'remove() was called')
        await durable.remove(job)
      },
    })
  }

  /** As `attach`, with an executor of its own that `close()` of the job closes. */
  static async attach<T = unknown>(
    jobKey: string,
    options: ExecutorOptions & AttachOptions = {},
  ): Promise<AttachedJob<T>> {
    const { resume = true, keep = false, ...executorOptions } = options
    const fexec = new FunctionExecutor(executorOptions)
    try {
      return await fexec.attach<T>(jobKey, { resume, keep })
    } catch (error) {
      await fexec.close()
      throw error
    }
  }

  /** The jobs in the storage of the config that can be attached to, of this and of other programs. */
  async listJobs(): Promise<readonly JobListing[]> {
    return listJobs(await this.#surroundings.jobStorage())
  }

  async #resume(
    record: JobRecord,
    job: Job,
    adopted: AdoptedCalls,
    calls: readonly Call[],
    durable: DurableJobs,
    resume: boolean,
  ): Promise<void> {
    try {
      const storage = await this.#surroundings.jobStorage()
      const backends = await this.#surroundings.backends()
      await takeOverWhenGone(record, job, calls, adopted, {
        storage,
        resume,
        signal: this.#ending.signal,
        workersOutliveClient: backends.every(
          ({ capabilities }) => capabilities.workersOutliveClient !== false,
        ),
        takeOver: () => durable.takeOver(this.#ending.signal),
        send: open => {
          for (const call of open) job.enqueue(call)
          this.#invoker.pump()
        },
        awaitSilent: () => this.#invoker.awaitAdopted(adopted),
      })
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#runner.failJob(job, error)
    }
  }

  /** The object storage of this executor's jobs, for the program itself. */
  storage(): Promise<Storage> {
    return this.#surroundings.storage()
  }

  /** Runtimes that are deployed on this executor's backends. */
  async listRuntimes(): Promise<readonly (RuntimeListing & { readonly backend: string })[]> {
    const backends = await this.#surroundings.backends()
    const lists = await Promise.all(
      backends.map(async backend =>
        (await backend.listRuntimes()).map(runtime => ({ ...runtime, backend: backend.name })),
      ),
    )
    return lists.flat()
  }

  /** Removes what ended jobs of this executor left in storage and on disk. Called by `close`. */
  async clean(): Promise<void> {
    await this.#directory.remove()
    await this.#surroundings.clean()
  }

  /** Removes everything that this tool left on the backends and in storage for this user; returns the names of it. */
  async cleanAll(options: { readonly dryRun?: boolean } = {}): Promise<readonly string[]> {
    return this.#surroundings.cleanAll(options)
  }

  /** Cancels what has not ended, removes what jobs left, and ends the workers. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#ending.abort()
    this.#surroundings.freeze()
    this.#runner.close()
    this.#invoker.close()
    this.#unread.clear()
    try {
      await this.#directory.remove()
    } finally {
      await this.#surroundings.close()
    }
  }

  #newJob(
    kind: 'A' | 'M' | 'R',
    fn: unknown,
    options: CallOptions,
    workers: number,
    known?: readonly string[],
  ): Job {
    if (this.#closing !== undefined) {
      throw new CallCancelledError('The executor is closed.', {
        code: 'LITHOPS_CLOSED',
        executorId: this.executorId,
      })
    }
    if (typeof fn !== 'function')
      throw new TypeError(`Expected a function, got ${fn === null ? 'null' : typeof fn}.`)
    const compiled = compileJobOptions(options, this.#parts.jobDefaults, known)
    this.#invoker.prepare(workers)
    return this.#runner.createJob(kind, fn as (...args: never[]) => unknown, compiled, options.extraArgs)
  }

  async #fetchValue(call: Call): Promise<unknown> {
    const result = call.result
    if (result === undefined || !('location' in result)) return call.value
    const bytes = await this.#surroundings.readLocation(result.location)
    call.setValue(decodeValue(bytes, call.job.classes))
    return call.value
  }

  async #streamResult<T>(stream: FuturesStream<T>, options: GetResultOptions): Promise<T[]> {
    const values: T[] = []
    const throwExcept = options.throwExcept ?? true
    const deadline = options.timeoutMs === undefined ? undefined : performance.now() + options.timeoutMs
    let firstError: { readonly error: unknown } | undefined
    for await (const future of stream) {
      const { call } = future
      options.signal?.throwIfAborted()
      if (deadline !== undefined && performance.now() > deadline) {
        throw new WaitTimeoutError(`The results were not all there after ${options.timeoutMs} ms.`)
      }
      if (call.state === 'success')
        values[call.id] = (call.hasValueHere ? call.value : await future.result()) as T
      else if (throwExcept && !isTolerated(call)) {
        firstError = { error: call.error }
        break
      } else values[call.id] = undefined as T
    }
    this.#unread.delete(stream)
    if (firstError !== undefined) throw firstError.error
    return values
  }

  #allUnread<T>(): CallHandle<T>[] {
    const all: CallHandle<T>[] = []
    for (const futures of this.#unread) if (Array.isArray(futures)) all.push(...(futures as CallHandle<T>[]))
    this.#unread.clear()
    return all
  }
}

/** Values in storage that are read at the same time. */
const FETCHES_AT_ONCE = 32

/** Reads the values that were left in storage, several at once. What fails here fails again where it is reported. */
async function fetchAll(futures: readonly CallHandle<unknown>[]): Promise<void> {
  const away = futures.filter(({ call }) => call.state === 'success' && !call.hasValueHere).values()
  const fetchNext = async () => {
    for (const future of away) await future.result().catch(() => {})
  }
  await Promise.all(Array.from({ length: FETCHES_AT_ONCE }, fetchNext))
}

function countOf(items: unknown): number | undefined {
  if (Array.isArray(items)) return items.length
  if (ArrayBuffer.isView(items) && 'length' in items) return items.length as number
  if (items instanceof Set || items instanceof Map) return items.size
  return undefined
}

function checkItems(items: unknown): void {
  if (
    typeof items === 'object' &&
    items !== null &&
    (Symbol.iterator in items || Symbol.asyncIterator in items)
  )
    return
  const what = items === null ? 'null' : typeof items
  const hint =
    what === 'string' ? ' Put it in an array, or use callAsync.' : ' Use callAsync for a single value.'
  throw new TypeError(
    `map needs an array, a set, an iterable or an async iterable of items, not ${what}.${hint}`,
  )
}

function toleratesFailures(future: CallHandle<unknown>): boolean {
  return future.call.job.options.toleratedFailures !== undefined
}

/** A failure within the job's tolerance does not fail the reading of its results. */
function isTolerated(call: Call): boolean {
  return call.job.options.toleratedFailures !== undefined && !call.job.isStopped
}
