import {
  EXIT_FACTS,
  functionFacts,
  functionsOfExits,
  METADATA_ARGUMENT,
  metadataOfExits,
  startOnce,
  TELL_BY_EXIT_VARIABLE,
  WORKER_PATH,
} from '@lithops/container-runtime'
import { pause, RuntimeDeployError, type RuntimeMetadata } from '@lithops/core/driver'
import { changed, type Deployer, type EnsureOptions } from './deployer.ts'
import type { KnownRuntime, Workers } from './deployments.ts'
import type { ExecutionApi, ExecutionStart, SeenTask } from './execution-api.ts'
import type { JobApi } from './job-api.ts'
import type { WorkerLogs } from './logs.ts'
import { metadataAnnotation, metadataIn, runMark } from './names.ts'
import { jobOf, type RuntimePlan, secretsSeenByJob } from './objects.ts'
import { adviceFor } from './readiness.ts'
import type { RunJob } from './resource-api.ts'
import { isPullFailure } from './task-ends.ts'
import { attempt, hasCode, mayHaveBegun } from './vendor-errors.ts'

const FIRST_LOOK_MS = 250
const MOST_LOOK_MS = 3_000
/** Workers tell what they are in a moment. */
const TELL_MS = 120_000
/** The pauses until then are some eight seconds together. */
const LAST_LOG_LOOK_MS = 4_000
/** None of them has begun in that time: the quota of the region is taken by others, as a rule. */
const STUCK_MS = 15 * 60_000
/** Node and shells end so when the worker could not be started at all: no such program, or ended by a signal. */
const UNSTARTED_FROM = 126

export interface JobWorkersOptions {
  readonly deployer: Deployer<RunJob>
  readonly jobs: JobApi
  readonly executions: ExecutionApi
  readonly logs: WorkerLogs
}

/**
 * Workers that are tasks of jobs. What they are is told by the exit codes of a short execution, as the API tells nothing else of them
 * at once, and written down at the job, so that other programs need not ask.
 */
export class JobWorkers implements Workers {
  readonly #options: JobWorkersOptions

  constructor(options: JobWorkersOptions) {
    this.#options = options
  }

  async ensure(plan: RuntimePlan, options: EnsureOptions): Promise<KnownRuntime> {
    const { deployer, jobs } = this.#options
    const job = await deployer.ensure(plan, options)
    const known = metadataIn(job.annotations)
    if (known !== undefined) return { metadata: known }
    const { signal } = options
    return attempt(`asking the workers of ${plan.name} what they are`, signal, async () => {
      try {
        const metadata = await this.#ask(plan, signal)
        const told = changed(jobOf(plan, secretsSeenByJob(job)), job)
        const annotations = { ...told.annotations, ...metadataAnnotation(metadata) }
        await jobs.update({ ...told, annotations }, { signal }).catch(error => {
          // another program has written down the same, or placed secrets: the next one asks again
          if (!hasCode(error, 'ABORTED', 'FAILED_PRECONDITION', 'NOT_FOUND', 'PERMISSION_DENIED')) throw error
        })
        return { metadata }
      } catch (error) {
        // what does not work goes again: the next use finds nothing broken
        if (signal?.aborted !== true && RuntimeDeployError.isInstance(error) && !error.isRetryable)
          await jobs.remove(plan.name).catch(() => {})
        throw error
      }
    })
  }

  async #ask(plan: RuntimePlan, signal: AbortSignal | undefined): Promise<RuntimeMetadata> {
    const { functionHashes } = plan
    const head = await this.#numbers(plan, { count: EXIT_FACTS, read: metadataOfExits, signal })
    const { functionCount, ...metadata } = head
    if (functionCount === 0) return metadata
    // those that were put beside the worker need not be asked for; a runtime that was extended has others
    if (functionCount === functionHashes.length) return { ...metadata, functions: functionHashes }
    const functions = await this.#numbers(plan, {
      count: EXIT_FACTS + functionFacts(functionCount).length,
      read: codes => functionsOfExits(codes.slice(EXIT_FACTS)),
      signal,
    })
    return { ...metadata, functions }
  }

  /** What so many tasks have told by their exit codes, which are read with `read`. */
  async #numbers<Told>(
    { name: job, image }: RuntimePlan,
    {
      count,
      read,
      signal,
    }: {
      readonly count: number
      readonly read: (codes: readonly number[]) => Told | undefined
      readonly signal: AbortSignal | undefined
    },
  ): Promise<Told> {
    const { executions } = this.#options
    const start: ExecutionStart = {
      run: runMark(),
      taskCount: count,
      args: [WORKER_PATH, METADATA_ARGUMENT],
      environment: { [TELL_BY_EXIT_VARIABLE]: '1' },
      timeoutMs: TELL_MS,
    }
    const execution = await startOnce({
      start: () => executions.start(job, start),
      mayHaveBegun,
      find: () => executions.findStarted(job, start.run),
    })
    try {
      const message = await this.#waitForEnd(job, execution, signal)
      const tasks = await executions.tasks(job, execution, { signal })
      const codes: number[] = []
      for (const task of tasks) codes[task.index] = await this.#codeOf(task, { execution, image, message })
      const told = read(codes)
      if (told !== undefined) return told
      throw await this.#notReady(image, execution, {
        reason: `they end with exit code ${codes[0]}; is node in the image, and does it know NODE_OPTIONS`,
        signal,
      })
    } finally {
      await executions.remove(job, execution).catch(() => {})
    }
  }

  /** Resolves to what the platform says of it. */
  async #waitForEnd(job: string, name: string, signal: AbortSignal | undefined): Promise<string> {
    const endMs = performance.now() + STUCK_MS
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(MOST_LOOK_MS, lookMs * 1.3)) {
      await pause(lookMs, signal)
      const execution = await this.#options.executions.find(job, name, { signal })
      if (execution === undefined)
        throw new RuntimeDeployError(`The execution ${name} was removed while it ran.`, { isRetryable: true })
      if (execution.isOver) return execution.message
      if (performance.now() > endMs)
        throw new RuntimeDeployError(
          `The workers of ${job} do not start: no task has ended in ${STUCK_MS / 60_000} minutes${
            execution.message === '' ? '' : `: ${execution.message}`
          }.`,
          { isRetryable: true, details: { execution: name } },
        )
    }
  }

  /** The number that a task has told. */
  async #codeOf(
    { end, exitCode, message: said, startedMs }: SeenTask,
    at: { readonly execution: string; readonly image: string; readonly message: string },
  ): Promise<number> {
    if (end === 'succeeded') return 0
    if (exitCode !== undefined && exitCode > 0 && exitCode < UNSTARTED_FROM) return exitCode
    const reason = (startedMs === undefined && at.message) || said || at.message || 'no reason is given'
    throw await this.#notReady(at.image, at.execution, { reason, signal: undefined })
  }

  async #notReady(
    image: string,
    execution: string,
    { reason, signal }: { readonly reason: string; readonly signal: AbortSignal | undefined },
  ): Promise<RuntimeDeployError> {
    const wrote = isPullFailure(reason) ? '' : await this.#wrote(execution, signal)
    return new RuntimeDeployError(
      `The workers of ${image} do not start: ${reason.replace(/\.$/, '')}.${adviceFor('', reason)}${
        wrote === '' ? '' : ` They wrote:\n${wrote}`
      }`,
      { details: { reason, image, execution } },
    )
  }

  /** The platform's log has it some seconds later, where it may be read at all. */
  async #wrote(execution: string, signal: AbortSignal | undefined): Promise<string> {
    for (let lookMs = FIRST_LOOK_MS; ; lookMs *= 2) {
      const lines = await this.#options.logs.lastOfExecution(execution, signal)
      if (lines !== '' || lookMs > LAST_LOG_LOOK_MS) return lines
      await pause(lookMs, signal)
    }
  }
}
