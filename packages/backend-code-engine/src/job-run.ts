import { BATCH_VARIABLE, encodeBatch, packBatch } from '@lithops/container-runtime'
import {
  type ActivationReport,
  CallTimeoutError,
  type DriverLog,
  InvocationError,
  pause,
  WorkerLostError,
} from '@lithops/core/driver'
import { formatIndices, parseIndices } from './array-spec.ts'
import type { JobPlace } from './deployments.ts'
import { errorOfIndex, ranMsOf, requestIdOf } from './index-ends.ts'
import { RUN_BYTES } from './limits.ts'
import type { ProjectApi } from './project.ts'
import type { JobRun as SeenRun } from './resources.ts'
import { hasStatus } from './vendor-errors.ts'

/** Where the batch lies in the instances of a run. */
const BATCH_FOLDER = '/lithops-batch'
const BATCH_KEY = 'batch'
const FIRST_LOOK_MS = 250
const LOOK_GROWTH = 1.3
/** A run that takes long is looked at this seldom: a twentieth of its age is late enough for nobody. */
const LONGEST_LOOK_MS = 10_000
const LOOK_SHARE = 0.05
/** What a worker has told by the monitor before it was lost comes so much later than the platform says so. */
const NEWS_MS = 1_000
/** A run of which the API says nothing for so long is given up. */
const UNSEEN_MS = 300_000
/** An instance is ended by the platform itself at its time limit: so much later it counts as ended. */
const OVERDUE_MS = 120_000
/** No instance of a program has begun or run for so long, though some wait: they will not any more. */
export const STUCK_MS = 900_000

/** One activation in a run. */
export interface RunItem {
  readonly index: number
  readonly payload: Uint8Array
  /** Either is called once. */
  resolve(report: ActivationReport): void
  reject(error: unknown): void
}

/** What has to do with the other runs of the program. */
export interface RunSurroundings {
  readonly project: ProjectApi
  readonly log: DriverLog
  /** Instances were seen to run, or have ended. */
  progressed(): void
  /** Milliseconds since the last time that it was so, of any run. */
  silentMs(): number
}

/** One array run of a job: begun with its batch in a config map, watched by its status, removed at its end. */
export class JobRun {
  readonly name: string
  readonly #place: JobPlace
  readonly #open: Map<number, RunItem>
  readonly #surroundings: RunSurroundings
  readonly #stopping = new AbortController()
  readonly #runningSinceMs = new Map<number, number>()
  readonly #told: Promise<void>[] = []
  #isLeft = false

  constructor(name: string, place: JobPlace, items: readonly RunItem[], surroundings: RunSurroundings) {
    this.name = name
    this.#place = place
    this.#open = new Map(items.map(item => [item.index, item]))
    this.#surroundings = surroundings
  }

  /** Activations whose end is not known. */
  get openCount(): number {
    return this.#open.size
  }

  get openIndices(): readonly number[] {
    return [...this.#open.keys()]
  }

  /** Takes an activation out before the run has begun. False where it is not there any more. */
  release(item: RunItem): boolean {
    return this.#open.get(item.index) === item && this.#open.delete(item.index)
  }

  /** Rejects with an error of the API. Nothing is left behind then, as far as the API still answers. */
  async begin(packed: string): Promise<void> {
    const { project } = this.#surroundings
    try {
      await madeOnce(project.create('config_maps', { name: this.name, data: { [BATCH_KEY]: packed } }))
      const body = this.#body()
      const bytes = Buffer.byteLength(JSON.stringify(body))
      if (bytes > RUN_BYTES)
        throw new InvocationError(
          `The job run ${this.name} takes ${bytes} bytes, and Code Engine takes ${RUN_BYTES}: code_engine.env_vars is too large.`,
          { isRetryable: false },
        )
      await madeOnce(project.create('job_runs', body))
    } catch (error) {
      await this.remove().catch(() => {})
      throw error
    }
  }

  /** Watches it until the end of all activations is known, and removes it. Never rejects. */
  async watch(): Promise<void> {
    const { log } = this.#surroundings
    try {
      await this.#look()
    } catch (error) {
      for (const item of this.#take()) item.reject(error)
    }
    await Promise.all(this.#told)
    try {
      await this.remove()
    } catch (error) {
      log.debug(`the job run ${this.name} could not be removed: ${(error as Error).message}`)
    }
  }

  /** Nobody waits for that activation any more. When it was the last one, the run ends. */
  drop(item: RunItem): void {
    if (this.#open.get(item.index) !== item) return
    this.#open.delete(item.index)
    if (this.#open.size === 0) this.#stopping.abort()
  }

  /** Looks at it no longer, and leaves it where it is: its calls go on. Returns the activations that it still has. */
  leave(): readonly RunItem[] {
    this.#isLeft = true
    const items = this.#take()
    this.#stopping.abort()
    return items
  }

  /** What is not there is no error. */
  async remove(): Promise<void> {
    if (this.#isLeft) return
    const { project } = this.#surroundings
    await project.remove('job_runs', this.name)
    await project.remove('config_maps', this.name)
  }

  #body(): object {
    const { jobName, variables } = this.#place
    const indices = [...this.#open.keys()]
    const first = -Math.min(...indices)
    const batch = { file: `${BATCH_FOLDER}/${BATCH_KEY}`, isPacked: true, first }
    return {
      name: this.name,
      job_name: jobName,
      scale_array_spec: formatIndices(indices),
      run_env_variables: [
        ...variables,
        { type: 'literal', name: BATCH_VARIABLE, value: JSON.stringify(batch) },
      ],
      run_volume_mounts: [{ type: 'config_map', mount_path: BATCH_FOLDER, reference: this.name }],
    }
  }

  #take(): RunItem[] {
    const items = [...this.#open.values()]
    this.#open.clear()
    return items
  }

  async #look(): Promise<void> {
    const { project, silentMs } = this.#surroundings
    const { signal } = this.#stopping
    const begunMs = performance.now()
    let seenMs = begunMs
    for (let lookMs = FIRST_LOOK_MS; this.#open.size > 0; ) {
      const ageMs = performance.now() - begunMs
      lookMs = Math.min(LONGEST_LOOK_MS, lookMs * LOOK_GROWTH, Math.max(FIRST_LOOK_MS, ageMs * LOOK_SHARE))
      try {
        await pause(lookMs, signal)
        const run = await project.find('job_runs', this.name, { signal })
        if (run === undefined)
          throw new WorkerLostError(`The job run ${this.name} was removed while its calls ran.`, {
            details: { runName: this.name },
          })
        seenMs = performance.now()
        this.#read(run)
        if (silentMs() > STUCK_MS) throw this.#stuck(run)
      } catch (error) {
        if (signal.aborted) return
        if (WorkerLostError.isInstance(error) || InvocationError.isInstance(error)) throw error
        if (performance.now() - seenMs > UNSEEN_MS)
          throw new InvocationError(
            `Code Engine has not told of the job run ${this.name} for ${UNSEEN_MS / 1000} s: ${(error as Error).message}`,
            { mayHaveRun: true, cause: error, details: { runName: this.name } },
          )
      }
    }
  }

  #read(run: SeenRun): void {
    const { status, status_details: all = {} } = run
    const running = parseIndices(all.running_indices)
    const before = this.#open.size
    for (const index of parseIndices(all.succeeded_indices)) this.#succeeded(index, run)
    for (const index of parseIndices(all.failed_indices)) this.#failed(index, run)
    if (status === 'completed') for (const index of [...this.#open.keys()]) this.#succeeded(index, run)
    if (status === 'failed') for (const index of [...this.#open.keys()]) this.#failed(index, run)
    if (running.length > 0 || this.#open.size < before) this.#surroundings.progressed()
    this.#endOverdue(running)
  }

  #succeeded(index: number, run: SeenRun): void {
    const item = this.#open.get(index)
    if (item === undefined) return
    this.#open.delete(index)
    const billedMs = ranMsOf(run.status_details?.indices_details?.[index])
    item.resolve({
      requestId: requestIdOf(this.name, index),
      ...(billedMs === undefined ? {} : { billedMs }),
    })
  }

  #failed(index: number, run: SeenRun): void {
    const item = this.#open.get(index)
    if (item === undefined) return
    this.#open.delete(index)
    const { memoryMiB, timeoutMs } = this.#place
    const error = errorOfIndex({
      runName: this.name,
      index,
      memoryMiB,
      timeoutMs,
      details: run.status_details?.indices_details?.[index],
      reason: run.status_details?.reason,
    })
    this.#told.push(pause(NEWS_MS, undefined).then(() => item.reject(error)))
  }

  #endOverdue(running: readonly number[]): void {
    const { timeoutMs } = this.#place
    for (const index of running) {
      const sinceMs = this.#runningSinceMs.get(index) ?? performance.now()
      this.#runningSinceMs.set(index, sinceMs)
      const item = this.#open.get(index)
      if (item === undefined || performance.now() - sinceMs <= timeoutMs + OVERDUE_MS) continue
      this.#open.delete(index)
      item.reject(
        new CallTimeoutError(
          `Instance ${index} of the job run ${this.name} was over its time limit, ${timeoutMs / 1000} s, and did not end.`,
          { details: { runName: this.name, index } },
        ),
      )
    }
  }

  #stuck({ status, status_details: all }: SeenRun): InvocationError {
    const reason = all?.reason === undefined ? '' : `, ${all.reason}`
    return new InvocationError(
      `No instance of the job run ${this.name} has run for ${STUCK_MS / 1000} s (${status}${reason}): the quotas of the project are taken by others, or the image cannot be pulled. ` +
        `\`ibmcloud ce jobrun events --name ${this.name}\` tells which.`,
      { details: { runName: this.name, status } },
    )
  }
}

/** The messages of these activations as text, each at its index from the smallest on. */
export function packItems(items: readonly RunItem[]): Promise<string> {
  const first = Math.min(...items.map(({ index }) => index))
  const payloads: Uint8Array[] = []
  for (const { index, payload } of items) payloads[index - first] = payload
  for (let i = 0; i < payloads.length; i++) payloads[i] ??= NOTHING
  return packBatch(encodeBatch(payloads))
}

const NOTHING = new Uint8Array(0)

/** A name that was given once is there already when the answer to making it was lost. */
async function madeOnce(making: Promise<unknown>): Promise<void> {
  try {
    await making
  } catch (error) {
    if (!hasStatus(error, 409)) throw error
  }
}
