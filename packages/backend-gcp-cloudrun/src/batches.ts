import {
  type Activation,
  type ActivationReport,
  type DriverLog,
  InvocationError,
  LithopsError,
} from '@lithops/core/driver'
import type { RuntimePlace } from './deployments.ts'
import type { ExecutionApi } from './execution-api.ts'
import { ExecutionRun, type RunItem } from './execution-run.ts'
import { BATCH_VARIABLES, EXECUTION_TASKS, VARIABLE_CHARACTERS } from './limits.ts'
import { failureOf, googleError, hasCode, mayPass, quotaIn } from './vendor-errors.ts'

/** Core hands in the activations of a job one after the other: so long it is waited for the next one. */
const GATHER_MS = 20
/** While executions of a job are under way, its next one begins when so much of `max_workers` is free: few, and few idle workers. */
const FREE_SHARE = 0.25
/** Messages of one batch before they are packed: what is more is no longer much alike, and takes its time. */
const BATCH_BYTES = 16 * 1024 * 1024
const PACKED_CHARACTERS = BATCH_VARIABLES * VARIABLE_CHARACTERS

export interface BatchesOptions {
  readonly executions: ExecutionApi
  readonly maxWorkers: number
  readonly timeoutMs: number
  readonly log: DriverLog
  /** The job of a runtime is not there any more: it is made again. */
  readonly restore: (activation: Activation) => Promise<void>
}

interface WaitingItem extends RunItem {
  readonly activation: Activation
  run: ExecutionRun | undefined
}

/** Activations that wait for their execution, of one job of core's and one runtime. */
interface Queue {
  readonly place: RuntimePlace
  items: WaitingItem[]
  /** Of it that are under way. */
  runs: number
}

/** Gathers activations into executions, with as many tasks at once as `max_workers` lets, and tells how each of them ended. */
export class Batches {
  readonly #options: BatchesOptions
  readonly #queues = new Map<string, Queue>()
  readonly #runs = new Set<ExecutionRun>()
  readonly #underWay = new Set<Promise<void>>()
  #gathering: NodeJS.Timeout | undefined
  #progressMs = performance.now()
  #isClosed = false

  constructor(options: BatchesOptions) {
    this.#options = options
  }

  /** Resolves when the activation's task has ended in order; see `ComputeBackend.invoke` for how it rejects. */
  run(
    activation: Activation,
    place: RuntimePlace,
    signal: AbortSignal | undefined,
  ): Promise<ActivationReport> {
    return new Promise((resolve, reject) => {
      const settled = () => signal?.removeEventListener('abort', onAbort)
      const item: WaitingItem = {
        activation,
        payload: activation.payload,
        run: undefined,
        resolve: report => {
          settled()
          resolve(report)
        },
        reject: error => {
          settled()
          reject(error)
        },
      }
      const onAbort = () => {
        this.#drop(item)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queueOf(activation, place).items.push(item)
      this.#gather()
    })
  }

  /** Executions whose activations nobody has cancelled go on by themselves; those that were cancelled are removed first. */
  async close(error: InvocationError): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#gathering)
    for (const { items } of this.#queues.values()) for (const item of items.splice(0)) item.reject(error)
    const left = [...this.#runs].filter(run => run.openCount > 0)
    for (const run of left) for (const item of run.leave()) item.reject(error)
    await Promise.all([...this.#underWay, ...left.map(run => run.removeIfOver())])
  }

  #queueOf({ executorId, jobId }: Activation, place: RuntimePlace): Queue {
    const key = `${executorId}-${jobId} ${place.serviceName}`
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = { place, items: [], runs: 0 }
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

  /** Tasks that may still be begun. */
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
        this.#begin(queue, takeSlice(queue, Math.min(EXECUTION_TASKS, free)))
        hasBegun = true
      }
    }
  }

  #begin(queue: Queue, items: WaitingItem[]): void {
    const { executions, timeoutMs, log } = this.#options
    const run = new ExecutionRun(queue.place, items, {
      executions,
      timeoutMs,
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
      queue.runs--
      this.#start()
    })
    this.#underWay.add(running)
  }

  async #runToEnd(queue: Queue, run: ExecutionRun, items: readonly WaitingItem[]): Promise<void> {
    try {
      if (run.openCount === 0) return
      const packed = await run.pack()
      if (packed.length > PACKED_CHARACTERS && run.openCount > 1) {
        this.#split(queue, run, items)
        return
      }
      if (run.openCount === 0 || this.#isClosed) return
      await run.begin(packed)
    } catch (error) {
      const explained = await this.#explained(items, queue.place.serviceName, error)
      for (const item of run.leave()) item.reject(explained)
      return
    }
    await run.watch()
  }

  /** What does not fit into one execution is two. */
  #split(queue: Queue, run: ExecutionRun, items: readonly WaitingItem[]): void {
    const wanted = new Set(run.leave())
    const half = Math.ceil(items.length / 2)
    for (const part of [items.slice(0, half), items.slice(half)]) {
      const open = part.filter(item => wanted.has(item))
      if (open.length > 0) this.#begin(queue, open)
    }
  }

  /** Why an execution did not begin, as core knows it. */
  async #explained(items: readonly WaitingItem[], job: string, error: unknown): Promise<LithopsError> {
    if (LithopsError.isInstance(error)) return error
    const { details, message, cause } = googleError(error, `beginning an execution of ${job}`)
    const quota = quotaIn(failureOf(error))
    const isBusy = failureOf(error).httpStatus === 429 && (quota === undefined || quota.isRate)
    // executions that run end, and others may begin then
    if (isBusy || /running executions/.test(quota?.quota ?? ''))
      return new InvocationError(message, { isThrottled: true, cause, details })
    const [first] = items
    // it is not there, or not ready any more: nothing ran
    if (hasCode(error, 'NOT_FOUND', 'FAILED_PRECONDITION', 'ABORTED') && first !== undefined) {
      await this.#options.restore(first.activation).catch(() => {})
      return new InvocationError(message, { cause, details })
    }
    const isPassing = mayPass(error) && quota === undefined
    return new InvocationError(message, {
      isRetryable: isPassing,
      mayHaveRun: isPassing,
      cause,
      details,
    })
  }
}

/** Takes activations for one execution out of a queue: no more than so many, and no more than are quickly packed. */
function takeSlice(queue: Queue, most: number): WaitingItem[] {
  let bytes = 0
  let count = 0
  for (const { payload } of queue.items) {
    bytes += payload.length
    if (count > 0 && (count >= most || bytes > BATCH_BYTES)) break
    count++
  }
  return queue.items.splice(0, count)
}
