import { randomBytes, randomUUID } from 'node:crypto'
import type { JobTemplate } from './job-template.ts'
import { Task, type TaskState } from './task.ts'

const NAME_BYTES = 3

/** One execution of a job: its tasks, and what became of them. */
export class Execution {
  readonly name: string
  readonly job: string
  readonly template: JobTemplate
  readonly tasks: readonly Task[]
  readonly createTime = new Date().toISOString()
  readonly uid = randomUUID()
  isCancelled = false
  isRemoved = false
  /** Of what keeps all of its tasks from running; a reason of the platform's list. */
  failure: { readonly reason: string; readonly message: string } | undefined

  constructor(job: string, template: JobTemplate) {
    this.job = job
    this.template = template
    this.name = `${job}-${randomBytes(NAME_BYTES).toString('hex').slice(0, 5)}`
    this.tasks = Array.from({ length: template.taskCount }, (_, index) => new Task(index))
  }

  get isOver(): boolean {
    return this.tasks.every(task => task.isOver)
  }

  count(state: TaskState): number {
    return this.tasks.filter(task => task.state === state).length
  }

  /**
   * As the API has it.
   *
   * @param parent the name of its job, in full
   */
  read(parent: string): object {
    const { template, isOver } = this
    const last = this.tasks.map(task => task.completionTime ?? '').sort()
    const { image, command, args, env, taskCount, parallelism, maxRetries, timeoutMs } = template
    const counts = {
      runningCount: this.count('running'),
      succeededCount: this.count('succeeded'),
      failedCount: this.count('failed'),
      cancelledCount: this.count('cancelled'),
    }
    const began = this.tasks.map(({ startTime }) => startTime ?? '').filter(time => time !== '')
    return {
      name: `${parent}/executions/${this.name}`,
      uid: this.uid,
      generation: '1',
      observedGeneration: '1',
      createTime: this.createTime,
      ...(began.length === 0 ? {} : { startTime: began.sort()[0] }),
      ...(isOver ? { completionTime: last.at(-1) } : {}),
      job: this.job,
      taskCount,
      parallelism: parallelism || taskCount,
      template: {
        containers: [{ image, command, args, env }],
        maxRetries,
        timeout: `${timeoutMs / 1000}s`,
        ...(template.serviceAccount === undefined ? {} : { serviceAccount: template.serviceAccount }),
      },
      reconciling: !isOver,
      conditions: [this.#condition()],
      // JSON leaves zeros out
      ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    }
  }

  #condition(): object {
    if (!this.isOver) return { type: 'Completed', state: 'CONDITION_RECONCILING' }
    if (this.isCancelled)
      return {
        type: 'Completed',
        state: 'CONDITION_FAILED',
        executionReason: 'CANCELLED',
        message: 'The execution was cancelled.',
      }
    if (this.failure !== undefined) return { type: 'Completed', state: 'CONDITION_FAILED', ...this.failure }
    const failed = this.tasks.find(({ state }) => state === 'failed')
    if (failed === undefined) return { type: 'Completed', state: 'CONDITION_SUCCEEDED' }
    const { exitCode, message } = failed.result ?? {}
    return {
      type: 'Completed',
      state: 'CONDITION_FAILED',
      executionReason: 'NON_ZERO_EXIT_CODE',
      message: `Task ${this.name}-task${failed.index} failed with exit code: ${exitCode ?? 0} and message: ${message}`,
    }
  }
}
