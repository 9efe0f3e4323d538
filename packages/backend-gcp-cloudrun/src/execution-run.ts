import { batchVariables, encodeBatch, packBatch } from '@lithops/container-runtime'
import {
  type ActivationReport,
  CallTimeoutError,
  type DriverLog,
  InvocationError,
  pause,
  WorkerLostError,
} from '@lithops/core/driver'
import type { RuntimePlace } from './deployments.ts'
import type { ExecutionApi, SeenExecution, SeenTask } from './execution-api.ts'
import { VARIABLE_CHARACTERS } from './limits.ts'
import { runMark } from './names.ts'
import { billedMsOf, errorOfTask, taskIdOf } from './task-ends.ts'

const FIRST_LOOK_MS = 250
const LOOK_GROWTH = 1.3
/** One that takes long is looked at this seldom: a twentieth of its age is late enough for nobody. */
const LONGEST_LOOK_MS = 10_000
const LOOK_SHARE = 0.05
/** Closing waits no longer than for so many looks; what goes on then is a durable job's. */
const LEAVING_LOOKS = 8
/** What a worker has told by the monitor before it was lost comes so much later than the platform says so. */
const NEWS_MS = 1_000
/** An execution of which the API says nothing for so long is given up. */
const UNSEEN_MS = 300_000
/** A task is ended by the platform itself at its time limit: so much later it counts as ended. */
const OVERDUE_MS = 120_000
/** No task of a program has begun or run for so long, though some wait: they will not any more. */
const STUCK_MS = 900_000

/** One activation in an execution. */
export interface RunItem {
  readonly payload: Uint8Array
  /** Either is called once. */
  resolve(report: ActivationReport): void
  reject(error: unknown): void
}

/** What has to do with the other executions of the program. */
export interface RunSurroundings {
  readonly executions: ExecutionApi
  readonly timeoutMs: number
  readonly log: DriverLog
  /** Tasks were seen to run, or have ended. */
  progressed(): void
  /** Milliseconds since the last time that it was so, of any execution. */
  silentMs(): number
}

/** One execution of a job: begun with its batch in its environment, watched by its tasks, removed at its end. */
export class ExecutionRun {
  readonly #place: RuntimePlace
  /** By index of the task. */
  #open: Map<number, RunItem>
  #taskCount: number
  readonly #surroundings: RunSurroundings
  readonly #stopping = new AbortController()
  readonly #told: Promise<void>[] = []
  #name: string | undefined
  #endedCount = 0
  #isOver = false
  #isLeft = false

  constructor(place: RuntimePlace, items: readonly RunItem[], surroundings: RunSurroundings) {
    this.#place = place
    this.#open = new Map(items.entries())
    this.#taskCount = items.length
    this.#surroundings = surroundings
  }

  /** Activations whose end is not known. */
  get openCount(): number {
    return this.#open.size
  }

  /** The messages of its activations as text, each at the index of its task. Those that nobody waits for any more have none. */
  pack(): Promise<string> {
    const items = [...this.#open.values()]
    this.#open = new Map(items.entries())
    this.#taskCount = items.length
    return packBatch(encodeBatch(items.map(({ payload }) => payload)))
  }

  /** Begins it with the text of `pack`. Rejects with an error of the API. */
  async begin(packed: string): Promise<void> {
    this.#name = await this.#surroundings.executions.start(this.#place.serviceName, {
      run: runMark(),
      taskCount: this.#taskCount,
      environment: batchVariables(packed, VARIABLE_CHARACTERS),
    })
    this.#surroundings.log.debug(`the execution ${this.#name} has begun: ${this.#taskCount} tasks`)
  }

  /** Watches it until the end of all activations is known, and removes it. Never rejects. */
  async watch(): Promise<void> {
    try {
      await this.#look()
    } catch (error) {
      for (const item of this.#take()) item.reject(error)
    }
    await Promise.all(this.#told)
    await this.#remove()
  }

  /** Nobody waits for that activation any more. When it was the last one, the execution ends. */
  drop(item: RunItem): void {
    for (const [index, one] of this.#open) if (one === item) this.#open.delete(index)
    if (this.#open.size === 0) this.#stopping.abort()
  }

  /** Looks at it no longer, and leaves it where it is: its calls go on. Returns the activations that it still has. */
  leave(): readonly RunItem[] {
    this.#isLeft = true
    const items = this.#take()
    this.#stopping.abort()
    return items
  }

  /**
   * Removes one that was left, where it is over in a moment: calls are told by their monitor before the platform tells of their tasks.
   * Never rejects.
   */
  async removeIfOver(): Promise<void> {
    const { executions, log } = this.#surroundings
    const { serviceName: job } = this.#place
    if (this.#name === undefined) return
    try {
      for (let looks = 0; looks < LEAVING_LOOKS; looks++) {
        const seen = await executions.find(job, this.#name)
        if (seen === undefined) return
        if (seen.isOver) return await executions.remove(job, this.#name)
        await pause(FIRST_LOOK_MS, undefined)
      }
    } catch (error) {
      log.debug(`the execution ${this.#name} is left: ${(error as Error).message}`)
    }
  }

  async #remove(): Promise<void> {
    const { executions, log } = this.#surroundings
    if (this.#isLeft || this.#name === undefined) return
    try {
      if (!this.#isOver) await executions.cancel(this.#place.serviceName, this.#name)
      await executions.remove(this.#place.serviceName, this.#name)
    } catch (error) {
      log.debug(`the execution ${this.#name} could not be removed: ${(error as Error).message}`)
    }
  }

  #take(): RunItem[] {
    const items = [...this.#open.values()]
    this.#open.clear()
    return items
  }

  async #look(): Promise<void> {
    const { executions, silentMs } = this.#surroundings
    const { serviceName: job } = this.#place
    const name = this.#name ?? ''
    const { signal } = this.#stopping
    const begunMs = performance.now()
    let seenMs = begunMs
    for (let lookMs = FIRST_LOOK_MS; this.#open.size > 0; ) {
      const ageMs = performance.now() - begunMs
      lookMs = Math.min(LONGEST_LOOK_MS, lookMs * LOOK_GROWTH, Math.max(FIRST_LOOK_MS, ageMs * LOOK_SHARE))
      try {
        await pause(lookMs, signal)
        const seen = await executions.find(job, name, { signal })
        if (seen === undefined)
          throw new WorkerLostError(`The execution ${name} was removed while its calls ran.`, {
            details: { execution: name },
          })
        await this.#read(seen, ageMs)
        seenMs = performance.now()
        if (silentMs() > STUCK_MS) throw this.#stuck(seen)
      } catch (error) {
        if (signal.aborted) return
        if (WorkerLostError.isInstance(error) || InvocationError.isInstance(error)) throw error
        if (performance.now() - seenMs > UNSEEN_MS)
          throw new InvocationError(
            `Cloud Run has not told of the execution ${name} for ${UNSEEN_MS / 1000} s: ${(error as Error).message}`,
            { mayHaveRun: true, cause: error, details: { execution: name } },
          )
      }
    }
  }

  /** Tasks are asked for when some have ended, or should have. */
  async #read(seen: SeenExecution, ageMs: number): Promise<void> {
    const { executions, progressed, timeoutMs } = this.#surroundings
    const hasMoved = seen.endedCount > this.#endedCount
    if (seen.runningCount > 0 || hasMoved) progressed()
    const mayBeOverdue = ageMs > timeoutMs + OVERDUE_MS
    if (!hasMoved && !seen.isOver && !mayBeOverdue) return
    const { signal } = this.#stopping
    const tasks = await executions.tasks(this.#place.serviceName, seen.name, { signal })
    this.#endedCount = seen.endedCount
    this.#isOver = seen.isOver
    for (const task of tasks) {
      if (task.end === 'succeeded') this.#succeeded(task)
      if (task.end === 'failed') this.#failed(task.index, task, seen)
      const ranMs = Date.now() - (task.startedMs ?? Date.now())
      if (task.end === undefined && ranMs > timeoutMs + OVERDUE_MS) this.#overdue(task.index)
    }
    if (!seen.isOver) return
    for (const index of [...this.#open.keys()])
      this.#failed(
        index,
        tasks.find(task => task.index === index),
        seen,
      )
  }

  #succeeded(task: SeenTask): void {
    const item = this.#open.get(task.index)
    if (item === undefined) return
    this.#open.delete(task.index)
    const billedMs = billedMsOf(task)
    item.resolve({
      requestId: taskIdOf(this.#name ?? '', task.index),
      ...(billedMs === undefined ? {} : { billedMs }),
    })
  }

  #failed(index: number, task: SeenTask | undefined, { message: said }: SeenExecution): void {
    const item = this.#open.get(index)
    if (item === undefined) return
    this.#open.delete(index)
    const { memoryMiB } = this.#place
    const { timeoutMs } = this.#surroundings
    const error = errorOfTask({ execution: this.#name ?? '', index, memoryMiB, timeoutMs, task, said })
    this.#told.push(pause(NEWS_MS, undefined).then(() => item.reject(error)))
  }

  #overdue(index: number): void {
    const item = this.#open.get(index)
    if (item === undefined) return
    this.#open.delete(index)
    item.reject(
      new CallTimeoutError(
        `Task ${index} of the execution ${this.#name} was over its time limit, ${this.#surroundings.timeoutMs / 1000} s, and did not end.`,
        { details: { execution: this.#name, index } },
      ),
    )
  }

  #stuck({ name, message }: SeenExecution): InvocationError {
    return new InvocationError(
      `No task of the execution ${name} has run for ${STUCK_MS / 1000} s${message === '' ? '' : `: ${message}`}. ` +
        `The quotas of the region are taken by others, as a rule; \`gcloud run jobs executions describe ${name}\` tells.`,
      { details: { execution: name } },
    )
  }
}
