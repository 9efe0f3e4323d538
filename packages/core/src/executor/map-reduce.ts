import { ConfigError } from '../errors/index.ts'
import { FuturesList } from '../future/futures-list.ts'
import type { FuturesStream } from '../future/futures-stream.ts'
import type { ResponseFuture } from '../future/response-future.ts'
import type { Call } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import type { CallOptions } from '../job/job-options.ts'
import { checker, isPositive, isPositiveInteger } from '../job/option-checks.ts'
import type { JobRunner } from './job-runner.ts'

/** Options of `mapReduce` beside those of its map calls. */
export interface MapReduceOptions<Extra extends readonly unknown[] = readonly unknown[]>
  extends CallOptions<Extra> {
  /** Combine results in a tree: each reducer gets at most so many results, then their results are reduced again. */
  readonly fanIn?: number
  /** Percentage of map calls that have ended when the reducer's runtime is made ready. Default: 20. */
  readonly spawnReducer?: number
  /** Memory of the reducer's workers in MiB. Default: as for the map calls. */
  readonly reducerMemoryMiB?: number
  /** Time limit of a reducer in milliseconds. Default: as for the map calls. */
  readonly reducerTimeoutMs?: number
}

/** One reducer per group of items. */
export interface GroupedMapReduceOptions<T, K, Extra extends readonly unknown[] = readonly unknown[]>
  extends MapReduceOptions<Extra> {
  /** Which group an item belongs to, or 'object': one reducer per object (its path, URL, or bucket and key). */
  readonly reduceBy: 'object' | ((item: T, index: number) => K)
}

/** One reducer per object: all pieces of an object go to the same one. */
export interface ObjectMapReduceOptions<Extra extends readonly unknown[] = readonly unknown[]>
  extends MapReduceOptions<Extra> {
  /** The same as `reduceBy: 'object'`, by the name that it has in Lithops (`obj_reduce_by_key`). */
  readonly reduceByKey: true
}

/** Any way to choose the reducers. */
export interface ReducerChoice<T, K> {
  readonly reduceBy?: GroupedMapReduceOptions<T, K>['reduceBy']
  readonly reduceByKey?: boolean
}

/** How items are grouped, if they are. */
export function groupingOf<T, K>({
  reduceBy,
  reduceByKey,
}: ReducerChoice<T, K>): GroupedMapReduceOptions<T, K>['reduceBy'] | undefined {
  return reduceByKey === true ? 'object' : reduceBy
}

export const MAP_REDUCE_OPTIONS = [
  'fanIn',
  'spawnReducer',
  'reducerMemoryMiB',
  'reducerTimeoutMs',
  'reduceBy',
  'reduceByKey',
] as const

const DEFAULT_SPAWN_REDUCER = 20

/** The reducers' futures, one per group, in the order in which the groups first appear. */
export class GroupedFutures<K, T> extends FuturesList<T> {
  /** What each reducer's group was called, in the same order. */
  groupKeys: K[] = []
}

/** Throws ConfigError that names every problem. The options of the map calls are checked elsewhere. */
export function checkMapReduceOptions(
  options: MapReduceOptions & { readonly reduceBy?: unknown; readonly reduceByKey?: unknown },
): void {
  if (typeof options !== 'object' || options === null) return
  const problems: string[] = []
  const is = checker({ ...options }, problems)
  const isPercentage = (value: unknown) => typeof value === 'number' && value >= 0 && value <= 100
  is('fanIn', 'a whole number from 2', value => Number.isInteger(value) && Number(value) >= 2)
  is('spawnReducer', 'a percentage from 0 to 100', isPercentage)
  is('reducerMemoryMiB', 'a positive whole number', isPositiveInteger)
  is('reducerTimeoutMs', 'a positive number', isPositive)
  const isGrouping = (value: unknown) => value === 'object' || typeof value === 'function'
  is('reduceBy', "'object' or a function of the item that returns its group", isGrouping)
  is('reduceByKey', 'true or false', value => typeof value === 'boolean')
  if (options.reduceByKey === true && options.reduceBy !== undefined && options.reduceBy !== 'object') {
    problems.push("reduceByKey is reduceBy: 'object': give one of the two")
  }
  if (options.durable === true) {
    problems.push(
      'the reducers of a durable job would wait for values that are lost with this program: use map with durable, and reduce what you read',
    )
  }
  if (problems.length > 0)
    throw new ConfigError(`The options of mapReduce are wrong: ${problems.join('; ')}.`)
}

/** The options of the reducers' job. */
export function reducerOptions(options: MapReduceOptions): CallOptions {
  const {
    reducerMemoryMiB,
    reducerTimeoutMs,
    extraArgs: _,
    chunksize: __,
    toleratedFailures: ___,
    ...same
  } = options
  return {
    ...same,
    ...(reducerMemoryMiB === undefined ? {} : { runtimeMemoryMiB: reducerMemoryMiB }),
    ...(reducerTimeoutMs === undefined ? {} : { timeoutMs: reducerTimeoutMs }),
  }
}

/** Makes the reducers of one `mapReduce` and ties them to its map calls. */
export class MapReduceCalls {
  readonly #runner: JobRunner
  readonly #job: Job
  readonly #options: MapReduceOptions
  readonly #tolerates: boolean
  #isStarted = false

  constructor(runner: JobRunner, reduceJob: Job, options: MapReduceOptions) {
    this.#runner = runner
    this.#job = reduceJob
    this.#options = options
    this.#tolerates = options.toleratedFailures !== undefined
  }

  /** One reducer, or a tree of them, over calls that are all known. */
  over<U>(mapCalls: readonly Call[]): ResponseFuture<U> {
    const top = this.#tree(mapCalls)
    const reducer = this.#runner.callOfCalls<U>(this.#job, top.calls, top.tolerates)
    this.#link(mapCalls, [reducer])
    return reducer
  }

  /** One reducer per group of items. */
  perGroup<T, K, U>(
    items: readonly T[],
    mapCalls: readonly Call[],
    reduceBy: GroupedMapReduceOptions<T, K>['reduceBy'],
  ): GroupedFutures<K, U> {
    const reducers = new GroupedFutures<K, U>()
    for (const [key, group] of groupCalls(items, mapCalls, reduceBy)) {
      const top = this.#tree(group)
      reducers.push(this.#runner.callOfCalls<U>(this.#job, top.calls, top.tolerates))
      reducers.groupKeys.push(key)
    }
    this.#link(mapCalls, reducers)
    return reducers
  }

  /** One reducer, or a tree of them, over a source that is still being read. */
  overStream<U>(stream: FuturesStream<unknown>): ResponseFuture<U> {
    const reducer = this.#runner.waitingCall<U>(this.#job)
    reducer.call.onEnd(() => stream.cancel('its reducer cannot succeed any more'))
    const collect = async () => {
      const mapCalls: Call[] = []
      for await (const { call } of stream) {
        mapCalls[call.id] = call
        if (reducer.isDone) return
        if (call.state !== 'success' && !this.#tolerates) throw call.error
      }
      const top = this.#tree(mapCalls)
      this.#start()
      this.#runner.dependOn(reducer.call, top.calls, top.tolerates)
    }
    collect()
      .catch(error => {
        if (!reducer.isDone) reducer.call.fail(error)
      })
      .finally(() => this.#runner.complete(this.#job))
    return reducer
  }

  /** Reduces in groups of `fanIn` until one reducer can take the rest. */
  #tree(calls: readonly Call[]): { readonly calls: readonly Call[]; readonly tolerates: boolean } {
    const { fanIn } = this.#options
    let level = calls
    while (fanIn !== undefined && level.length > fanIn) {
      const next: Call[] = []
      for (let i = 0; i < level.length; i += fanIn) {
        const group = level.slice(i, i + fanIn)
        next.push(this.#runner.callOfCalls(this.#job, group, this.#tolerates && level === calls).call)
      }
      level = next
    }
    return { calls: level, tolerates: this.#tolerates && level === calls }
  }

  #start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#runner.start(this.#job)
  }

  /** Starts the reducers' job when enough map calls have ended, and stops the map when no reducer can succeed. */
  #link(mapCalls: readonly Call[], reducers: readonly ResponseFuture<unknown>[]): void {
    this.#runner.complete(this.#job)
    const needed = Math.ceil((mapCalls.length * (this.#options.spawnReducer ?? DEFAULT_SPAWN_REDUCER)) / 100)
    let ended = 0
    if (needed === 0) this.#start()
    for (const call of mapCalls) {
      call.onEnd(() => {
        if (++ended === needed) this.#start()
      })
    }
    const mapJob = mapCalls[0]?.job
    this.#job.feedingJob = mapJob
    let openReducers = reducers.length
    for (const reducer of reducers) {
      reducer.call.onEnd(() => {
        openReducers--
        if (openReducers > 0 || mapJob === undefined || mapJob.openCount === 0) return
        this.#runner.cancelJob(mapJob, 'its reducer cannot succeed any more')
      })
    }
  }
}

/** Groups calls by what `reduceBy` says of their items. */
export function groupCalls<T, K>(
  items: readonly T[],
  calls: readonly Call[],
  reduceBy: GroupedMapReduceOptions<T, K>['reduceBy'],
): Map<K, Call[]> {
  const groups = new Map<K, Call[]>()
  calls.forEach((call, i) => {
    const item = items[i] as T
    const key = reduceBy === 'object' ? (objectNameOf(item) as K) : reduceBy(item, i)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [call])
    else group.push(call)
  })
  return groups
}

function objectNameOf(item: unknown): string {
  if (typeof item === 'string') return item
  if (item instanceof URL) return item.href
  if (typeof item === 'object' && item !== null) {
    const { bucket, key, path, url } = item as Record<string, unknown>
    if (typeof key === 'string') return typeof bucket === 'string' ? `${bucket}/${key}` : key
    if (typeof path === 'string') return path
    if (typeof url === 'string') return url
  }
  throw new ConfigError(
    "reduceBy: 'object' needs items that name an object: a string, a URL, or something with key, path or url. Give a function instead.",
  )
}
