import {
  type Activation,
  type ActivationReport,
  type DriverLog,
  InvocationError,
  LithopsError,
  type RuntimeSpec,
} from '@lithops/core/driver'
import type { ArrayPlace, ArrayPlatform } from './array-platform.ts'
import { ArrayRun, type PackedRun, type RunItem } from './array-run.ts'
import { JobIndices } from './job-indices.ts'
import { takeSlice } from './take-slice.ts'

/** Core hands in the activations of a job one after the other: so long it is waited for the next one. */
const GATHER_MS = 20
/** While runs of a job are under way, its next one begins when so much of `maxWorkers` is free: few runs, and few idle workers. */
const FREE_SHARE = 0.25

export interface BatchesOptions<Place extends ArrayPlace> {
  readonly platform: ArrayPlatform<Place>
  /** Instances at once, of all runs of the program. */
  readonly maxWorkers: number
  readonly log: DriverLog
  /** The job of a runtime is not there any more: it is made again. */
  readonly restore: (runtime: RuntimeSpec) => Promise<void>
}

interface WaitingItem<Place extends ArrayPlace> extends RunItem {
  readonly keptIndex: number | undefined
  run: ArrayRun<Place, WaitingItem<Place>> | undefined
}

/** Activations that wait for their run, of one job of core's and one runtime. */
interface Queue<Place extends ArrayPlace> {
  readonly place: Place
  readonly label: string
  readonly runtime: RuntimeSpec
  items: WaitingItem<Place>[]
  /** Of it that are under way. */
  runs: number
}

/**
 * Gathers activations into array runs of a platform, with as many instances at once as `maxWorkers` lets, and tells how each of them
 * ended: what `invoke` of a backend of batches comes down to. What a platform has to bring is `ArrayPlatform`.
 *
 * Activations of one job that come within 20 ms of each other are one run, as far as the platform's limits, 16 MiB of messages and
 * the free part of `maxWorkers` let it. What is too large when it is packed is two runs. Runs that nobody waits for any more are
 * ended and removed.
 */
export class Batches<Place extends ArrayPlace> {
  readonly #options: BatchesOptions<Place>
  readonly #indices: JobIndices | undefined
  readonly #queues = new Map<string, Queue<Place>>()
  readonly #runs = new Set<ArrayRun<Place, WaitingItem<Place>>>()
  readonly #underWay = new Set<Promise<void>>()
  #gathering: NodeJS.Timeout | undefined
  #progressMs = performance.now()
  #isClosed = false

  constructor(options: BatchesOptions<Place>) {
    const { keptIndices } = options.platform.limits
    this.#options = options
    this.#indices = keptIndices === undefined ? undefined : new JobIndices(keptIndices.largest)
  }

  /**
   * Resolves when the activation's instance has ended in order. Rejects with the signal's reason, or as `ComputeBackend.invoke` does:
   * with what the platform says of the instance, or with `InvocationError` where its run did not begin.
   *
   * @param place where the activation's runtime is
   */
  run(activation: Activation, place: Place, signal: AbortSignal | undefined): Promise<ActivationReport> {
    const { callIds } = activation
    const jobKey = `${activation.executorId}-${activation.jobId}`
    return new Promise((resolve, reject) => {
      const settled = () => signal?.removeEventListener('abort', onAbort)
      const item: WaitingItem<Place> = {
        payload: activation.payload,
        keptIndex: this.#indices?.of(jobKey, callIds),
        run: undefined,
        resolve: report => {
          settled()
          this.#indices?.ended(jobKey, callIds)
          resolve(report)
        },
        reject: error => {
          settled()
          reject(error)
        },
      }
      const onAbort = () => {
        this.#drop(item)
        this.#indices?.ended(jobKey, callIds)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queueOf(jobKey, place, activation.runtime).items.push(item)
      this.#gather()
    })
  }

  /**
   * Activations that wait, or run, reject with that error. Runs whose activations nobody has cancelled go on by themselves, but those
   * that are over in a moment are removed; those that were cancelled are removed first. Never rejects.
   */
  async close(error: InvocationError): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#gathering)
    for (const { items } of this.#queues.values()) for (const item of items.splice(0)) item.reject(error)
    for (const run of this.#runs) if (run.openCount > 0) for (const item of run.leave()) item.reject(error)
    await Promise.all(this.#underWay)
  }

  #queueOf(label: string, place: Place, runtime: RuntimeSpec): Queue<Place> {
    const key = `${label} ${place.jobName}`
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = { place, label, runtime, items: [], runs: 0 }
      this.#queues.set(key, queue)
    }
    return queue
  }

  #gather(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined
      this.#start()
    }, GATHER_MS)
  }

  #drop(item: WaitingItem<Place>): void {
    if (item.run !== undefined) item.run.drop(item)
    else for (const queue of this.#queues.values()) queue.items = queue.items.filter(other => other !== item)
  }

  /** Instances that may still be begun. */
  get #free(): number {
    let taken = 0
    for (const run of this.#runs) taken += run.openCount
    return this.#options.maxWorkers - taken
  }

  /** Begins what there is room for; each job in turn. */
  #start(): void {
    if (this.#isClosed) return
    const { maxWorkers, platform } = this.#options
    const share = Math.ceil(maxWorkers * FREE_SHARE)
    for (let hasBegun = true; hasBegun; ) {
      hasBegun = false
      for (const [key, queue] of this.#queues) {
        const waiting = queue.items.length
        if (waiting === 0) {
          if (queue.runs === 0) this.#queues.delete(key)
          continue
        }
        const free = this.#free
        if (free < (queue.runs === 0 ? 1 : Math.min(waiting, share))) continue
        const most = Math.min(platform.limits.indices, free)
        const { taken, rest } = takeSlice(queue.items, most, platform.limits)
        queue.items = rest
        this.#begin(queue, taken)
        hasBegun = true
      }
    }
  }

  #begin(queue: Queue<Place>, items: ReadonlyMap<number, WaitingItem<Place>>): void {
    const { platform, log } = this.#options
    const { place, label } = queue
    const run = new ArrayRun<Place, WaitingItem<Place>>(
      { place, label, items },
      {
        platform,
        log,
        progressed: () => {
          this.#progressMs = performance.now()
          this.#start()
        },
        silentMs: () => performance.now() - this.#progressMs,
      },
    )
    for (const item of items.values()) item.run = run
    if (this.#runs.size === 0) this.#progressMs = performance.now()
    this.#runs.add(run)
    queue.runs++
    const running = this.#runToEnd(queue, run).finally(() => {
      this.#runs.delete(run)
      this.#underWay.delete(running)
      queue.runs--
      this.#start()
    })
    this.#underWay.add(running)
  }

  /** Never rejects. */
  async #runToEnd(queue: Queue<Place>, run: ArrayRun<Place, WaitingItem<Place>>): Promise<void> {
    try {
      const packed = await this.#pack(queue, run)
      if (run.openCount === 0) return
      await run.begin(packed)
    } catch (error) {
      const explained = await this.#explained(queue, run.mark, error)
      for (const item of run.take()) item.reject(explained)
      return
    }
    await run.watch()
  }

  /** What does not fit goes back to its queue, for the next run. */
  async #pack(queue: Queue<Place>, run: ArrayRun<Place, WaitingItem<Place>>): Promise<PackedRun> {
    const { packedCharacters } = this.#options.platform.limits
    for (;;) {
      const packed = await run.pack()
      if (packed.packed.length <= packedCharacters || run.openCount <= 1) return packed
      const back = run.takeHalf()
      for (const item of back) item.run = undefined
      queue.items.unshift(...back)
      this.#gather()
    }
  }

  /** Why a run did not begin, as core knows it. */
  async #explained({ place, runtime }: Queue<Place>, mark: string, error: unknown): Promise<LithopsError> {
    if (LithopsError.isInstance(error)) return error
    const { platform, restore } = this.#options
    const { kind, message, details, cause } = platform.explain(error, { place, mark })
    switch (kind) {
      case 'busy':
        return new InvocationError(message, { isThrottled: true, cause, details })
      case 'gone':
        await restore(runtime).catch(() => {})
        return new InvocationError(message, { cause, details })
      case 'passing':
        return new InvocationError(message, { mayHaveRun: true, cause, details })
      case 'final':
        return new InvocationError(message, { isRetryable: false, cause, details })
    }
  }
}
