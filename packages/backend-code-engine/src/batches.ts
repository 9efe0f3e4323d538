import {
  type Activation,
  type ActivationReport,
  type DriverLog,
  InvocationError,
  LithopsError,
} from '@lithops/core/driver'
import { formatIndices } from './array-spec.ts'
import type { JobPlace } from './deployments.ts'
import { JobIndices } from './job-indices.ts'
import { JobRun, packItems, type RunItem } from './job-run.ts'
import { ARRAY_SPEC_CHARACTERS, RUN_INDICES, VALUE_CHARACTERS } from './limits.ts'
import { runName } from './names.ts'
import type { ProjectApi } from './project.ts'
import type { RunRoom } from './run-room.ts'
import { ApiError, hasStatus, mayPass, platformError, quotaIn } from './vendor-errors.ts'

/** Core hands in the activations of a job one after the other: so long it is waited for the next one. */
const GATHER_MS = 20
/** While runs of a job are under way, its next one begins when so much of `max_workers` is free: few runs, and few idle workers. */
const FREE_SHARE = 0.25
/** Indices of one run may be so far from each other: each between them takes some bytes of the batch. */
const INDEX_SPAN = 50_000
/** Messages of one batch before they are packed. */
const BATCH_BYTES = 16 * 1024 * 1024

export interface BatchesOptions {
  readonly project: ProjectApi
  readonly maxWorkers: number
  /** Part of names that tells users apart. */
  readonly user: string
  readonly room: RunRoom
  readonly log: DriverLog
  /** The job of a runtime is not there any more: it is made again. */
  readonly restore: (activation: Activation) => Promise<void>
}

interface WaitingItem extends RunItem {
  readonly activation: Activation
  readonly place: JobPlace
  run: JobRun | undefined
}

/** Activations that wait for their run, of one job and one runtime. */
interface Queue {
  readonly place: JobPlace
  readonly label: string
  items: WaitingItem[]
  /** Of it that is under way. */
  runs: number
}

/** Gathers activations into array runs, as many at once as `max_workers` lets, and tells how each of them ended. */
export class Batches {
  readonly #options: BatchesOptions
  readonly #indices = new JobIndices()
  readonly #queues = new Map<string, Queue>()
  readonly #runs = new Set<JobRun>()
  readonly #underWay = new Set<Promise<void>>()
  #gathering: NodeJS.Timeout | undefined
  #progressMs = performance.now()
  #isClosed = false

  constructor(options: BatchesOptions) {
    this.#options = options
  }

  /** Resolves when the activation's instance has ended in order; see `ComputeBackend.invoke` for how it rejects. */
  run(activation: Activation, place: JobPlace, signal: AbortSignal | undefined): Promise<ActivationReport> {
    const jobKey = `${activation.executorId}-${activation.jobId}`
    return new Promise((resolve, reject) => {
      const settled = () => signal?.removeEventListener('abort', onAbort)
      const item: WaitingItem = {
        activation,
        place,
        payload: activation.payload,
        index: this.#indices.of(jobKey, activation.callIds),
        run: undefined,
        resolve: report => {
          settled()
          this.#indices.ended(jobKey, activation.callIds)
          resolve(report)
        },
        reject: error => {
          settled()
          reject(error)
        },
      }
      const onAbort = () => {
        this.#drop(item)
        this.#indices.ended(jobKey, activation.callIds)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queueOf(jobKey, place).items.push(item)
      this.#gather()
    })
  }

  /** Runs whose activations nobody has cancelled go on by themselves; those that were cancelled are removed first. */
  async close(error: InvocationError): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#gathering)
    for (const { items } of this.#queues.values()) for (const item of items.splice(0)) item.reject(error)
    for (const run of this.#runs)
      for (const item of run.openCount === 0 ? [] : run.leave()) item.reject(error)
    await Promise.all(this.#underWay)
  }

  #queueOf(jobKey: string, place: JobPlace): Queue {
    const key = `${jobKey} ${place.jobName}`
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = { place, label: jobKey, items: [], runs: 0 }
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

  #drop(item: WaitingItem): void {
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
    const share = Math.ceil(this.#options.maxWorkers * FREE_SHARE)
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
        this.#begin(queue, takeSlice(queue, Math.min(RUN_INDICES, free)))
        hasBegun = true
      }
    }
  }

  #begin(queue: Queue, items: WaitingItem[]): void {
    const { user, project, log } = this.#options
    const run = new JobRun(runName(user, queue.label), queue.place, items, {
      project,
      log,
      progressed: () => {
        this.#progressMs = performance.now()
        this.#start()
      },
      silentMs: () => performance.now() - this.#progressMs,
    })
    for (const item of items) item.run = run
    if (this.#runs.size === 0) this.#progressMs = performance.now()
    this.#runs.add(run)
    queue.runs++
    const running = this.#runToEnd(queue, run, items).finally(() => {
      this.#runs.delete(run)
      this.#underWay.delete(running)
      this.#options.room.left(run.name)
      queue.runs--
      this.#start()
    })
    this.#underWay.add(running)
  }

  async #runToEnd(queue: Queue, run: JobRun, items: WaitingItem[]): Promise<void> {
    const { log } = this.#options
    try {
      const packed = await this.#pack(queue, run, items)
      if (run.openCount === 0) return
      log.debug(`the job run ${run.name} begins: ${formatIndices(run.openIndices)} of ${queue.label}`)
      await this.#enter(run, packed)
    } catch (error) {
      const explained = await this.#explained(items, run.name, error)
      for (const item of run.leave()) item.reject(explained)
      return
    }
    await run.watch()
  }

  /** What does not fit into a config map goes back to its queue. */
  async #pack(queue: Queue, run: JobRun, items: WaitingItem[]): Promise<string> {
    for (;;) {
      const packed = await packItems(items)
      if (packed.length <= VALUE_CHARACTERS || items.length === 1) return packed
      const back = items.splice(Math.ceil(items.length / 2)).filter(item => run.release(item))
      for (const item of back) item.run = undefined
      queue.items.unshift(...back)
      this.#gather()
    }
  }

  /** Makes room first where the project has so many runs that it refuses more. */
  async #enter(run: JobRun, packed: string): Promise<void> {
    await this.#options.room.enter(run.name)
    try {
      await run.begin(packed)
    } catch (error) {
      const { quota } = quotaIn(error) ?? {}
      const removed =
        quota === 'job runs'
          ? await this.#options.room.makeRoom()
          : quota === 'config maps'
            ? await this.#options.room.removeOrphans()
            : 0
      if (removed === 0) throw error
      await run.begin(packed)
    }
  }

  /** Why a run did not begin, as core knows it. */
  async #explained(items: readonly WaitingItem[], name: string, error: unknown): Promise<LithopsError> {
    if (LithopsError.isInstance(error)) return error
    const told = platformError(error, `beginning the job run ${name}`)
    const { details, message } = told
    if (error instanceof ApiError && error.status === 429 && details.quota === undefined) {
      const { retryAfterMs } = error
      return new InvocationError(message, {
        isThrottled: true,
        cause: error,
        details: { ...details, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
      })
    }
    const [first] = items
    if (hasStatus(error, 404) && first !== undefined) {
      await this.#options.restore(first.activation).catch(() => {})
      return new InvocationError(message, { cause: error, details })
    }
    const isPassing = mayPass(error) && details.quota === undefined
    return new InvocationError(message, {
      isRetryable: isPassing,
      mayHaveRun: isPassing,
      cause: error,
      details,
    })
  }
}

/** Takes activations for one run out of a queue: no more than so many, and no more than a run and its config map can name. */
function takeSlice(queue: Queue, most: number): WaitingItem[] {
  const sorted = queue.items.toSorted((a, b) => a.index - b.index)
  const taken = new Map<number, WaitingItem>()
  const first = sorted[0]?.index ?? 0
  let bytes = 0
  for (const item of sorted) {
    bytes += item.payload.length
    const isFull = taken.size >= most || item.index - first > INDEX_SPAN || bytes > BATCH_BYTES
    if (taken.size > 0 && isFull) break
    if (!taken.has(item.index)) taken.set(item.index, item)
  }
  const slice = [...taken.values()]
  while (formatIndices(slice.map(({ index }) => index)).length > ARRAY_SPEC_CHARACTERS)
    slice.length = Math.ceil(slice.length / 2)
  const isTaken = new Set(slice)
  queue.items = queue.items.filter(item => !isTaken.has(item))
  return slice
}
