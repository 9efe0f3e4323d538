import type { CallHandle } from '../future/call-handle.ts'
import { CompletionQueue } from '../future/completion-queue.ts'
import { FuturesStream } from '../future/futures-stream.ts'
import type { Call } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import { descriptorOf } from '../piece/index.ts'
import type { JobRunner } from './job-runner.ts'
import { type GroupedMapReduceOptions, groupOf, type MapReduceCalls } from './map-reduce.ts'

/** Ended reducers that nobody has taken, before the source is read no further. */
const MAX_UNTAKEN = 1024

/**
 * The reducers' futures of a source of unknown length, one per group, as they end. The pieces of an object come one
 * after the other, so its reducer runs as soon as they have ended; groups by a function end with the source.
 */
export class GroupedFuturesStream<K, T> extends FuturesStream<T> {
  /** What the groups are called that were met so far, in the order in which they first appeared. */
  readonly groupKeys: K[] = []
  readonly #positions = new WeakMap<Call, number>()

  /** What the group of one of its futures is called. */
  keyOf(future: CallHandle<T>): K {
    return this.groupKeys[this.positionOf(future.call)] as K
  }

  /** @internal */
  addGroup(key: K, reducer: CallHandle<T>): void {
    this.#positions.set(reducer.call, this.groupKeys.push(key) - 1)
    this.add(reducer)
  }

  /** @internal */
  override positionOf(call: Call): number {
    return this.#positions.get(call) ?? -1
  }
}

interface Group<T> {
  readonly reducer: CallHandle<T>
  readonly calls: Call[]
  /** Calls that have not ended. */
  open: number
  /** Items met so far. */
  met: number
  /** No more items will come. */
  isComplete: boolean
}

interface Jobs {
  readonly mapJob: Job
  readonly reduceJob: Job
  readonly calls: MapReduceCalls
}

/** Maps a source of unknown length, and reduces each of its groups as soon as it is complete. */
export function reduceGroups<T, K, U>(
  runner: JobRunner,
  jobs: Jobs,
  source: Iterable<unknown> | AsyncIterable<unknown>,
  reduceBy: GroupedMapReduceOptions<T, K>['reduceBy'],
): GroupedFuturesStream<K, U> {
  return new GroupReduction<T, K, U>(runner, jobs, reduceBy).run(source)
}

class GroupReduction<T, K, U> {
  readonly #runner: JobRunner
  readonly #jobs: Jobs
  readonly #reduceBy: GroupedMapReduceOptions<T, K>['reduceBy']
  readonly #reducers: GroupedFuturesStream<K, U>
  /** Groups that more items may come for. */
  readonly #growing = new Map<K, Group<U>>()
  readonly #unfinished = new Set<Group<U>>()
  /** By the number of the call, until it has ended. */
  readonly #groups = new Map<number, Group<U>>()
  readonly #taken = new CompletionQueue<undefined>()
  #items = 0

  constructor(runner: JobRunner, jobs: Jobs, reduceBy: GroupedMapReduceOptions<T, K>['reduceBy']) {
    this.#runner = runner
    this.#jobs = jobs
    this.#reduceBy = reduceBy
    const cancel = (reason: string) => {
      const cancelled = runner.cancelJob(jobs.reduceJob, reason) + runner.cancelJob(jobs.mapJob, reason)
      this.#taken.poke()
      return cancelled
    }
    this.#reducers = new GroupedFuturesStream<K, U>({
      taken: () => this.#taken.poke(),
      abandon: () => cancel('the loop over its futures was left'),
      cancel: reason => cancel(reason ?? 'cancel() was called'),
      progress: jobs.mapJob.options.progress,
    })
  }

  run(source: Iterable<unknown> | AsyncIterable<unknown>): GroupedFuturesStream<K, U> {
    const mapped = this.#runner.stream<unknown>(this.#jobs.mapJob, this.#watch(source))
    void this.#collect(mapped)
    return this.#reducers
  }

  /** Notes the group of each item before its call is made. */
  async *#watch(
    source: Iterable<unknown> | AsyncIterable<unknown>,
  ): AsyncGenerator<unknown, void, undefined> {
    for await (const item of source) {
      this.#meet(item as T)
      yield item
    }
  }

  #meet(item: T): void {
    const index = this.#items++
    const key = groupOf(item, index, this.#reduceBy)
    let group = this.#growing.get(key)
    if (group === undefined) {
      const reducer = this.#runner.waitingHandle<U>(this.#jobs.reduceJob)
      group = { reducer, calls: [], open: 0, met: 0, isComplete: false }
      this.#growing.set(key, group)
      this.#unfinished.add(group)
      this.#reducers.addGroup(key, reducer)
    }
    group.open++
    group.met++
    this.#groups.set(index, group)
    const piece = this.#reduceBy === 'object' ? descriptorOf(item) : undefined
    if (piece !== undefined && group.met === piece.totalParts) {
      group.isComplete = true
      this.#growing.delete(key)
    }
  }

  async #collect(mapped: FuturesStream<unknown>): Promise<void> {
    try {
      for await (const { call } of mapped) {
        const group = this.#groups.get(call.id) as Group<U>
        this.#groups.delete(call.id)
        group.calls.push(call)
        group.open--
        if (group.isComplete && group.open === 0) this.#finish(group)
        while (this.#reducers.untaken >= MAX_UNTAKEN && !this.#jobs.mapJob.isStopped)
          await this.#taken.changed()
      }
      for (const group of this.#unfinished) this.#finish(group)
      this.#end()
    } catch (error) {
      for (const { reducer } of this.#unfinished) if (!reducer.call.isEnded) reducer.call.fail(error)
      this.#end({ error })
    }
  }

  #finish(group: Group<U>): void {
    this.#unfinished.delete(group)
    const { reducer, calls } = group
    if (reducer.call.isEnded) return
    if (group.open > 0) {
      reducer.call.cancel('the calls of its group were stopped')
      return
    }
    calls.sort((a, b) => a.id - b.id)
    this.#jobs.calls.reduceWith(reducer.call, calls)
  }

  #end(error?: { readonly error: unknown }): void {
    this.#runner.complete(this.#jobs.reduceJob)
    this.#reducers.end(error)
  }
}
