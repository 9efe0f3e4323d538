import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureAsyncDispose } from '../async-dispose.ts'
import { decodeValue } from '../codec/value.ts'
import { ObjectSource } from '../data/object-source.ts'
import type { LogQuery } from '../driver/compute-backend.ts'
import { CallCancelledError } from '../errors/index.ts'
import { CallHandle } from '../future/call-handle.ts'
import type { FuturesList } from '../future/futures-list.ts'
import { FuturesStream } from '../future/futures-stream.ts'
import type { ResponseFuture } from '../future/response-future.ts'
import { type WaitOptions, type WaitResult, waitFor } from '../future/wait.ts'
import { Invoker } from '../invoker/invoker.ts'
import { LazyDirectory } from '../invoker/job-message.ts'
import type { Call } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import { type CallOptions, compileJobOptions } from '../job/job-options.ts'
import { show } from '../job/option-checks.ts'
import type { ObjectPiece } from '../piece/index.ts'
import { type UsageReport, usageOfJobs } from '../stats/job-usage.ts'
import type { Storage } from '../storage/storage.ts'
import type { CallContext } from '../worker/call-context.ts'
import { attachJob } from './attach-job.ts'
import type { AttachedJob, AttachOptions } from './attached-job.ts'
import { newExecutorId } from './executor-id.ts'
import { type ExecutorKind, type ExecutorOptions, resolveExecutor } from './executor-options.ts'
import { type JobListing, listJobs } from './job-listing.ts'
import { type JobHost, JobRunner } from './job-runner.ts'
import { logsOfBackends } from './logs-of-backends.ts'
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
import { ProgressBar, progressOf, wantsProgress } from './progress-bar.ts'
import { type GetResultOptions, resultOfStream, toleratesFailures, valuesOf } from './read-results.ts'
import { type GroupedFuturesStream, reduceGroups } from './reduce-groups.ts'
import { type DeployedRuntime, Runtimes } from './runtimes.ts'
import { optionsWithSource, sourceItems } from './source-items.ts'
import { UnreadFutures } from './unread-futures.ts'

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

/** Failed calls are to give undefined. */
interface TakesFailures {
  readonly throwExcept: false
}

/**
 * Runs functions over data on the backend that the config names; with no config, on this machine. Make one, use it for
 * any number of jobs, and close it (`await using`, or `close()`).
 */
export class FunctionExecutor {
  static {
    ensureAsyncDispose(this)
  }

  /** Unique on this machine; part of the names of everything its jobs make. In a function it begins with those of its call. */
  readonly executorId: string
  /** The environments that workers run in: to deploy, list, build and remove them by hand. */
  readonly runtimes: Runtimes
  readonly #invoker = new Invoker()
  readonly #runner: JobRunner
  readonly #surroundings: ExecutorSurroundings
  readonly #parts: ExecutorParts
  readonly #directory: LazyDirectory
  readonly #unread = new UnreadFutures()
  readonly #ending = new AbortController()
  #closing: Promise<void> | undefined

  constructor(options: ExecutorOptions = {}, kind: ExecutorKind = { className: 'FunctionExecutor' }) {
    this.executorId = newExecutorId()
    const parts = resolveExecutor(options, kind)
    const folder = join(tmpdir(), `lithops-${this.executorId}-${process.pid}`)
    this.#directory = new LazyDirectory(folder, path => surroundings.removeAtEnd(path))
    const surroundings = new ExecutorSurroundings(parts, this.#invoker, this.executorId, {
      unsentIds: job => this.#runner.unsentIds(job),
      callsOf: job => this.#runner.callsOf(job),
      openJobs: () => this.#runner.openJobs,
    })
    this.#parts = parts
    this.#surroundings = surroundings
    this.runtimes = new Runtimes({
      backends: () => surroundings.backends(),
      workerNeeds: () => surroundings.workerNeeds(),
      runtime: parts.runtime,
      bundling: parts.jobDefaults,
    })
    const host: JobHost = {
      executorId: this.executorId,
      runtime: parts.runtime,
      bakedFunction: parts.bakedFunction,
      invoker: this.#invoker,
      warn: message => parts.log.warn(message),
      surroundingsOf: job => surroundings.of(job, this.#directory.get),
      jobEnded: job => surroundings.jobEnded(job),
      cancel: (call, reason, cause) => this.#invoker.cancel(call, reason, cause),
      fetchValue: call => this.#fetchValue(call),
      markRead: call => this.#markRead(call),
    }
    this.#runner = new JobRunner(host)
  }

  /** Runs `fn(data, context)` once. */
  callAsync<T, R, const Extra extends readonly unknown[] = []>(
    fn: MapFunction<T, R, Extra>,
    data: T | CallHandle<T>,
    options: CallOptions<Extra> = {},
  ): ResponseFuture<Awaited<R>> {
    this.#surroundings.checkItems([data])
    const job = this.#newJob('A', fn, options, 1)
    const futures = this.#runner.list<Awaited<R>>(job, [data])
    this.#unread.add(futures)
    return futures[0] as ResponseFuture<Awaited<R>>
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
    if (count !== undefined) this.#surroundings.checkItems(items as Iterable<unknown>)
    const job = this.#newJob('M', fn, optionsWithSource(items, options), count ?? Number.POSITIVE_INFINITY)
    if (count === undefined) {
      return this.#runner.stream<Awaited<R>>(job, sourceItems(items, options, this.#surroundings, job))
    }
    const futures = this.#runner.list<Awaited<R>>(job, items as Iterable<unknown>)
    this.#unread.add(futures)
    return futures
  }

  /**
   * Runs `mapFn` for every item and `reduceFn(results, context)` over the results in the order of the items: with one
   * reducer, a tree of them (`fanIn`), one per group of items (`reduceBy`), or one per object (`reduceByKey`). Groups of an
   * array or set come as a list of futures, groups of other sources as a stream of them.
   */
  mapReduce<T, R, U, K, const Extra extends readonly unknown[] = []>(
    mapFn: MapFunction<T, R, Extra>,
    items: ItemList<T>,
    reduceFn: ReduceFunction<Awaited<R>, U>,
    options: GroupedMapReduceOptions<T, K, Extra>,
  ): GroupedFutures<K, Awaited<U>>
  mapReduce<T, R, U, K, const Extra extends readonly unknown[] = []>(
    mapFn: MapFunction<T, R, Extra>,
    items: ItemSource<T>,
    reduceFn: ReduceFunction<Awaited<R>, U>,
    options: GroupedMapReduceOptions<T, K, Extra>,
  ): GroupedFuturesStream<K, Awaited<U>>
  mapReduce<T, R, U, const Extra extends readonly unknown[] = []>(
    mapFn: MapFunction<T, R, Extra>,
    items: ItemList<T>,
    reduceFn: ReduceFunction<Awaited<R>, U>,
    options: ObjectMapReduceOptions<Extra>,
  ): GroupedFutures<string, Awaited<U>>
  mapReduce<T, R, U, const Extra extends readonly unknown[] = []>(
    mapFn: MapFunction<T, R, Extra>,
    items: ItemSource<T>,
    reduceFn: ReduceFunction<Awaited<R>, U>,
    options: ObjectMapReduceOptions<Extra>,
  ): GroupedFuturesStream<string, Awaited<U>>
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
  ): ResponseFuture<Awaited<U>> | GroupedFutures<K, Awaited<U>> | GroupedFuturesStream<K, Awaited<U>> {
    checkItems(items)
    checkMapReduceOptions(options)
    const count = countOf(items)
    const reduceBy = groupingOf(options)
    if (count !== undefined) this.#surroundings.checkItems(items as Iterable<unknown>)
    const mapOptions = optionsWithSource(items, options)
    const mapJob = this.#newJob('M', mapFn, mapOptions, count ?? Number.POSITIVE_INFINITY, MAP_REDUCE_OPTIONS)
    mapJob.feedsWorkers = true
    const reduceJob = this.#newJob('R', reduceFn, reducerOptions(options), 1, MAP_REDUCE_OPTIONS)
    const calls = new MapReduceCalls(this.#runner, reduceJob, options)
    if (count !== undefined && reduceBy !== undefined) {
      const list = [...(items as Iterable<T>)]
      const mapCalls = this.#runner.list(mapJob, list).map(future => future.call)
      const reducers = calls.perGroup<T, K, Awaited<U>>(list, mapCalls, reduceBy)
      this.#unread.add(reducers)
      return reducers
    }
    const source = sourceItems(items, options, this.#surroundings, mapJob)
    if (count === undefined && reduceBy !== undefined) {
      return reduceGroups<T, K, Awaited<U>>(this.#runner, { mapJob, reduceJob, calls }, source, reduceBy)
    }
    const reducer =
      count === undefined
        ? calls.overStream<Awaited<U>>(this.#runner.stream(mapJob, source))
        : calls.over<Awaited<U>>(this.#runner.list(mapJob, items as Iterable<T>).map(future => future.call))
    this.#unread.add([reducer])
    return reducer
  }

  /**
   * The pieces of a source of objects, here: to see how it is cut, to try a function on one of them, or to have them as
   * an array of items. They are read where they are asked.
   */
  partition<Piece extends ObjectPiece>(
    source: ObjectSource<Piece>,
    options: Pick<CallOptions, 'objChunkSize' | 'objChunkNumber' | 'objNewline' | 'signal'> = {},
  ): AsyncIterable<Piece> {
    if (!(source instanceof ObjectSource)) throw new TypeError('partition needs a source: objects(...).')
    return sourceItems(source, options, this.#surroundings) as AsyncIterable<Piece>
  }

  /** Waits until enough of the futures have ended; of all whose outcome was not read yet when none are given. */
  async wait<T = unknown>(
    futures?: readonly CallHandle<T>[] | CallHandle<T>,
    options: WaitOptions = {},
  ): Promise<WaitResult<T>> {
    const list = this.#listOf(futures)
    const bar = ProgressBar.start(progressOf(list), options.progress ?? wantsProgress(list))
    try {
      return await waitFor(list, options)
    } finally {
      bar?.stop()
    }
  }

  /**
   * The value of a call, or the values of a job's calls in the order of the items; without futures, of all calls whose
   * outcome was not read yet. Throws the first error.
   */
  getResult<T>(future: CallHandle<T>, options: GetResultOptions & TakesFailures): Promise<T | undefined>
  getResult<T>(future: CallHandle<T>, options?: GetResultOptions): Promise<T>
  getResult<T>(futures: Futures<T>, options: GetResultOptions & TakesFailures): Promise<(T | undefined)[]>
  getResult<T>(futures: Futures<T>, options?: GetResultOptions): Promise<T[]>
  getResult(futures?: undefined, options?: GetResultOptions): Promise<unknown[]>
  async getResult<T>(
    futures?: CallHandle<T> | Futures<T>,
    options: GetResultOptions = {},
  ): Promise<T | T[] | unknown[]> {
    if (futures instanceof FuturesStream) return (await resultOfStream(futures, options)) as T[]
    const list = this.#listOf(futures)
    const throwExcept = options.throwExcept ?? true
    try {
      await this.wait(list, { ...options, throwExcept: throwExcept && !list.some(toleratesFailures) })
      const values = (await valuesOf(list, throwExcept)) as T[]
      return futures instanceof CallHandle ? (values[0] as T) : values
    } finally {
      for (const { call } of list) if (call.isEnded) this.#markRead(call)
    }
  }

  /**
   * The futures of a job that another program has started with `durable: true` or `monitoring: storage`, by its key
   * (`a1b2c3-0-M000`). Results that are there are read from storage; when that program is gone, this one runs what it has
   * left. Closing the executor removes the job if all its results were read.
   *
   * Throws ObjectNotFoundError, code LITHOPS_JOB_NOT_FOUND, when there is no such job in the storage of the config.
   */
  attach<T = unknown>(jobKey: string, options: AttachOptions = {}): Promise<AttachedJob<T>> {
    return attachJob<T>(
      {
        surroundings: this.#surroundings,
        runner: this.#runner,
        invoker: this.#invoker,
        directory: this.#directory,
        ending: this.#ending.signal,
        adopted: futures => this.#unread.add(futures),
        getResult: futures => this.getResult(futures),
        close: () => this.close(),
      },
      jobKey,
      options,
    )
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

  /** The object storage of this executor's jobs, for the program itself. */
  storage(): Promise<Storage> {
    return this.#surroundings.storage()
  }

  /** Runtimes that are deployed on this executor's backends. */
  async listRuntimes(): Promise<readonly DeployedRuntime[]> {
    return this.runtimes.list()
  }

  /**
   * Requests, billed time, cold starts and cost so far of the jobs that these futures are of: of whole jobs, also when some
   * of their futures are given.
   */
  async usageOf(futures: CallHandle<unknown> | readonly CallHandle<unknown>[]): Promise<UsageReport> {
    const jobs = new Set([futures].flat().map(({ call }) => call.job))
    await new Promise(setImmediate) // what the platform says of an activation comes right after its results
    return usageOfJobs(jobs)
  }

  /**
   * What the workers of a call wrote into the platform's own log: all of its last activation, with the platform's lines.
   * Empty where there is no such log, or nothing in it yet; `future.logs` has what came with the result.
   */
  async logsOf(future: CallHandle<unknown>): Promise<string> {
    const { requestId } = future.stats
    if (requestId === undefined) return ''
    return this.platformLogs({ requestId, sinceMs: future.stats.submittedMs })
  }

  /**
   * The same for a request of any program, by its id, or for all of a job, by its key. Of several backends those that have none are named
   * in the log of the program; it rejects where none has anything, and one could not be read.
   */
  async platformLogs(query: LogQuery): Promise<string> {
    const backends = await this.#surroundings.backends()
    return logsOfBackends(backends, query, this.#parts.log)
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
      await this.#surroundings.stopWorkers().finally(() => this.#directory.remove())
    } finally {
      await this.#surroundings.close()
    }
  }

  #markRead(call: Call): void {
    this.#unread.markRead(call)
    this.#surroundings.markRead(call)
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
    this.#surroundings.checkStorageless(fn, options.extraArgs)
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

  #listOf<T>(futures: readonly CallHandle<T>[] | CallHandle<T> | undefined): readonly CallHandle<T>[] {
    if (futures === undefined) return this.#unread.all() as CallHandle<T>[]
    const list = futures instanceof CallHandle ? [futures] : futures
    const isList = Array.isArray(list)
    const wrong = isList ? list.findIndex(future => !(future instanceof CallHandle)) : 0
    if (isList && wrong < 0) return list
    const what = isList ? `${show(list[wrong])} at ${wrong}` : show(list)
    throw new TypeError(
      `wait and getResult expected futures, got ${what}. They take what map and callAsync return.`,
    )
  }
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
  const isPromise = typeof (items as { then?: unknown } | null | undefined)?.then === 'function'
  const [what, hint] = isPromise
    ? ['a promise', 'Await it first.']
    : typeof items === 'string'
      ? ['a string', 'Put it in an array, or use callAsync.']
      : [show(items), 'Use callAsync for a single value.']
  throw new TypeError(
    `map needs an array, a set, an iterable or an async iterable of items, not ${what}. ${hint}`,
  )
}
