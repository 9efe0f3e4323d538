import {
  type ArrayPlace,
  type ArrayPlatform,
  type ArrayStart,
  type ArrayView,
  batchVariables,
  type LookOptions,
  type RefusedStart,
  type StartedRun,
} from '@lithops/container-runtime'
import type { ExecutionApi, ExecutionStart, SeenExecution, SeenTask } from './execution-api.ts'
import { BATCH_VARIABLES, EXECUTION_TASKS, VARIABLE_CHARACTERS } from './limits.ts'
import { runMark } from './names.ts'
import { billedMsOf, errorOfTask, taskIdOf } from './task-ends.ts'
import { failureOf, googleError, hasCode, mayHaveBegun, mayPass, quotaIn } from './vendor-errors.ts'

/** Of the jobs of one runtime. */
export interface JobPlace extends ArrayPlace {
  readonly memoryMiB: number
}

/** Executions of jobs: each has its batch in its environment, and is read by its tasks, whose indices are counted. */
export class JobExecutions implements ArrayPlatform<JobPlace> {
  readonly words = {
    platform: 'Cloud Run',
    run: 'execution',
    instance: 'task',
    nameKey: 'execution',
    whenStuck: (name: string) =>
      `the quotas of the region are taken by others, as a rule; \`gcloud run jobs executions describe ${name}\` tells.`,
  }
  readonly limits = {
    indices: EXECUTION_TASKS,
    packedCharacters: BATCH_VARIABLES * VARIABLE_CHARACTERS,
  }
  readonly #executions: ExecutionApi

  constructor(executions: ExecutionApi) {
    this.#executions = executions
  }

  newMark(): string {
    return runMark()
  }

  async start(start: ArrayStart<JobPlace>): Promise<StartedRun> {
    const { place, mark: run, indices, packed } = start
    const asked: ExecutionStart = {
      run,
      taskCount: indices.length,
      environment: batchVariables(packed, VARIABLE_CHARACTERS),
    }
    return this.#started(start, await this.#executions.start(place.jobName, asked))
  }

  mayHaveBegun(error: unknown): boolean {
    return mayHaveBegun(error)
  }

  async find(start: ArrayStart<JobPlace>): Promise<StartedRun | undefined> {
    const name = await this.#executions.findStarted(start.place.jobName, start.mark)
    return name === undefined ? undefined : this.#started(start, name)
  }

  explain(error: unknown, { place }: Pick<ArrayStart<JobPlace>, 'place'>): RefusedStart {
    const { details, message, cause } = googleError(error, `beginning an execution of ${place.jobName}`)
    const told = { message, details, cause }
    const quota = quotaIn(failureOf(error))
    const isBusy = failureOf(error).httpStatus === 429 && (quota === undefined || quota.isRate)
    // executions that run end, and others may begin then
    if (isBusy || /running executions/.test(quota?.quota ?? '')) return { kind: 'busy', ...told }
    if (hasCode(error, 'NOT_FOUND', 'FAILED_PRECONDITION', 'ABORTED')) return { kind: 'gone', ...told }
    return { kind: mayPass(error) && quota === undefined ? 'passing' : 'final', ...told }
  }

  #started({ place }: ArrayStart<JobPlace>, name: string): StartedRun {
    return new StartedExecution(name, place, this.#executions)
  }
}

/** Its tasks are asked for when some have ended, or should have. */
class StartedExecution implements StartedRun {
  readonly name: string
  readonly #place: JobPlace
  readonly #executions: ExecutionApi
  #endedCount = 0
  #isOver = false

  constructor(name: string, place: JobPlace, executions: ExecutionApi) {
    this.name = name
    this.#place = place
    this.#executions = executions
  }

  async look({ isLate, signal }: LookOptions): Promise<ArrayView | undefined> {
    const { jobName } = this.#place
    const seen = await this.#executions.find(jobName, this.name, { signal })
    if (seen === undefined) return undefined
    if (seen.endedCount <= this.#endedCount && !seen.isOver && !isLate) return this.#view(seen, [])
    const tasks = await this.#executions.tasks(jobName, this.name, { signal })
    this.#endedCount = seen.endedCount
    this.#isOver = seen.isOver
    return this.#view(seen, tasks)
  }

  async remove(): Promise<void> {
    const { jobName } = this.#place
    if (!this.#isOver) await this.#executions.cancel(jobName, this.name)
    await this.#executions.remove(jobName, this.name)
  }

  #view({ isOver, message, runningCount }: SeenExecution, tasks: readonly SeenTask[]): ArrayView {
    const execution = this.name
    const { memoryMiB, timeoutMs } = this.#place
    const byIndex = new Map(tasks.map(task => [task.index, task]))
    const indicesOf = (end: SeenTask['end']) => tasks.flatMap(task => (task.end === end ? [task.index] : []))
    return {
      isOver,
      said: message,
      succeeded: indicesOf('succeeded'),
      failed: indicesOf('failed'),
      runningCount,
      running: new Map(
        tasks.flatMap(({ index, end, startedMs }) =>
          end === undefined && startedMs !== undefined ? [[index, startedMs] as const] : [],
        ),
      ),
      reportOf: index => {
        const billedMs = billedMsOf(byIndex.get(index))
        return { requestId: taskIdOf(execution, index), ...(billedMs === undefined ? {} : { billedMs }) }
      },
      errorOf: index =>
        errorOfTask({
          execution,
          index,
          memoryMiB,
          timeoutMs,
          task: byIndex.get(index),
          said: message,
        }),
    }
  }
}
