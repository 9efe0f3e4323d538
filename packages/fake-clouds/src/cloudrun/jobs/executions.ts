import { InstanceSlots } from '../../batch/instance-slots.ts'
import { runToEnd } from '../../batch/run-to-end.ts'
import { type ContainerRuntime, PullError, type PullLogin } from '../../knative/containers/containers.ts'
import { faultFor, type KnativeFaults } from '../../knative/faults.ts'
import type { Accounts } from '../api/accounts.ts'
import type { CloudLog } from '../api/cloud-log.ts'
import { refusals } from '../api/refusal.ts'
import type { SecretStore } from '../api/secret-store.ts'
import type { CloudRunQuota, CloudRunTiming } from '../options.ts'
import { environmentFor } from '../serving/environment.ts'
import type { LogStream } from '../serving/instance.ts'
import { NotReady } from '../serving/not-ready.ts'
import { type Operation, OperationFailure, type Operations } from '../serving/operations.ts'
import { Execution } from './execution.ts'
import type { JobTemplate } from './job-template.ts'
import { resultOf, type Task } from './task.ts'

export interface ExecutionsOptions {
  readonly parent: string
  readonly region: string
  readonly operations: Operations
  readonly accounts: Accounts
  readonly secrets: SecretStore
  readonly log: CloudLog
  readonly runtime: ContainerRuntime
  readonly pullLogin: PullLogin | undefined
  readonly timing: CloudRunTiming
  readonly quota: CloudRunQuota | undefined
  readonly mostInstances: number
  readonly faults: KnativeFaults
}

const TYPE = 'type.googleapis.com/google.cloud.run.v2.Execution'
const UNKNOWN = 2
const PAGE = 3
const TASKS_PAGE = 20
const LOOK_MS = 15

/** Executions of jobs: each task is a container of the job's image that ends, as many at once as there is room for. */
export class Executions {
  readonly #options: ExecutionsOptions
  readonly #executions = new Map<string, Execution>()
  readonly #slots: InstanceSlots
  #isClosed = false
  /** Tasks that have begun, since the start. */
  startedCount = 0

  constructor(options: ExecutionsOptions) {
    this.#options = options
    this.#slots = new InstanceSlots(options.mostInstances)
  }

  get names(): readonly string[] {
    return [...this.#executions.keys()]
  }

  /** Tasks that run now. */
  get activeCount(): number {
    return [...this.#executions.values()].reduce((sum, one) => sum + one.count('running'), 0)
  }

  /** As the API shows them, to search it. */
  get text(): string {
    return JSON.stringify([...this.#executions.values()].map(one => one.read('')))
  }

  /** Begins one. Its operation ends with it. */
  begin(job: string, template: JobTemplate): Operation {
    const { operations, quota } = this.#options
    const running = [...this.#executions.values()].filter(one => !one.isOver).length
    if (running >= (quota?.executions ?? 1000)) throw refusals.full('running executions')
    const execution = new Execution(job, template)
    this.#executions.set(execution.name, execution)
    void this.#start(execution)
    const told = () => ({ '@type': TYPE, ...execution.read(this.#parentOf(execution)) })
    return operations.begin(async () => {
      while (!execution.isOver && !this.#isClosed) await pause(LOOK_MS)
      const failed = execution.count('failed') + execution.count('cancelled')
      if (failed > 0) throw new OperationFailure(UNKNOWN, `${failed} tasks failed to complete`)
      return told()
    }, told())
  }

  read(name: string): object {
    const execution = this.#find(name)
    return execution.read(this.#parentOf(execution))
  }

  /** The newest first. */
  list(job: string, pageToken: string): object {
    const ofJob = [...this.#executions.values()].filter(one => one.job === job).reverse()
    const start = Number(pageToken || '0')
    const end = start + PAGE
    return {
      executions: ofJob.slice(start, end).map(({ name }) => this.read(name)),
      ...(end < ofJob.length ? { nextPageToken: String(end) } : {}),
    }
  }

  listTasks(name: string, pageToken: string): object {
    const execution = this.#find(name)
    const full = `${this.#parentOf(execution)}/executions/${name}`
    const start = Number(pageToken || '0')
    const end = start + TASKS_PAGE
    return {
      tasks: execution.tasks.slice(start, end).map(task => task.read(full)),
      ...(end < execution.tasks.length ? { nextPageToken: String(end) } : {}),
    }
  }

  cancel(name: string): Operation {
    const execution = this.#find(name)
    if (execution.isOver) throw refusals.failedPrecondition(`Execution '${name}' has already completed.`)
    execution.isCancelled = true
    this.#endTasks(execution)
    return this.#options.operations.begin(async () => {
      await pause(this.#options.timing.operationMs)
      return { '@type': TYPE, ...execution.read(this.#parentOf(execution)) }
    })
  }

  remove(name: string): Operation {
    const execution = this.#find(name)
    execution.isRemoved = true
    this.#endTasks(execution)
    this.#executions.delete(name)
    return this.#options.operations.begin(async () => {
      await pause(this.#options.timing.operationMs)
      return { '@type': TYPE, ...execution.read(this.#parentOf(execution)) }
    })
  }

  /** A job was removed: its executions go with it. */
  removeOf(job: string): void {
    for (const { name, job: owner } of [...this.#executions.values()]) if (owner === job) this.remove(name)
  }

  isAnyRunning(job: string): boolean {
    return [...this.#executions.values()].some(one => one.job === job && !one.isOver)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const execution of this.#executions.values()) {
      execution.isRemoved = true
      for (const { container } of execution.tasks) void container?.kill()
    }
    await this.#slots.close()
  }

  #endTasks(execution: Execution): void {
    for (const task of execution.tasks) {
      if (task.state === 'pending') task.end('cancelled')
      if (task.state !== 'running') continue
      void task.container?.stop(this.#options.timing.graceMs)
    }
  }

  /** What none of the tasks could do without is looked at first. */
  async #start(execution: Execution): Promise<void> {
    const { template } = execution
    const { runtime, pullLogin, timing } = this.#options
    await pause(timing.operationMs)
    try {
      const env = this.#environmentOf(execution)
      await runtime.pull(template.image, pullLogin).catch(error => {
        if (!(error instanceof PullError)) throw error
        throw new NotReady('CONTAINER_MISSING', `Image '${template.image}' not found.`)
      })
      const most = template.parallelism || execution.tasks.length
      const waiting = [...execution.tasks]
      const next = async (): Promise<void> => {
        const task = waiting.shift()
        if (task === undefined) return
        if (!task.isOver && !execution.isRemoved) await this.#live(execution, task, env)
        if (waiting.length > 0) this.#slots.enter(next)
      }
      for (let i = 0; i < Math.min(most, execution.tasks.length); i++) this.#slots.enter(next)
    } catch (error) {
      if (!(error instanceof NotReady)) throw error
      execution.failure = { reason: error.reason, message: error.message }
      for (const task of execution.tasks) task.end('failed', { message: error.message })
    }
  }

  #environmentOf({ name, job, template }: Execution): Record<string, string> {
    const { env, serviceAccount, taskCount } = template
    const all = environmentFor(env, this.#options, { serviceAccount, owner: 'Job' })
    return {
      ...all,
      CLOUD_RUN_JOB: job,
      CLOUD_RUN_EXECUTION: name,
      CLOUD_RUN_TASK_COUNT: String(taskCount),
      // what the platform's containers see as the name of their machine
      HOSTNAME: 'localhost',
    }
  }

  async #live(execution: Execution, task: Task, env: Readonly<Record<string, string>>): Promise<void> {
    const { timing, faults, runtime } = this.#options
    const { template } = execution
    if (timing.scaleUpMs > 0) await pause(timing.scaleUpMs)
    for (;;) {
      const write = (stream: LogStream, text: string) => this.#write(execution, task, stream, text)
      const fault = faultFor(faults, { place: 'task', action: 'task', name: execution.name })
      const end = await runToEnd(
        {
          image: template.image,
          env: {
            ...env,
            CLOUD_RUN_TASK_INDEX: String(task.index),
            CLOUD_RUN_TASK_ATTEMPT: String(task.retried),
          },
          ...(template.command.length === 0 ? {} : { command: [...template.command, ...template.args] }),
          memoryBytes: template.memoryMiB * 1024 * 1024,
          cpuMillis: template.cpuMillis,
        },
        {
          runtime,
          timeLimitMs: template.timeoutMs,
          graceMs: timing.graceMs,
          killAfterMs: fault?.kind === 'killContainer' ? fault.afterMs : undefined,
          onOutput: text => write('stdout', text),
          onStart: container => {
            this.startedCount++
            task.container = container
            task.state = 'running'
            task.startTime = new Date().toISOString()
            if (execution.isRemoved || execution.isCancelled) void container.kill()
          },
        },
      )
      if (execution.isCancelled || execution.isRemoved) return task.end('cancelled')
      const result = resultOf(end)
      if (result !== undefined) write('varlog%2Fsystem', systemLine(result, template))
      if (result === undefined) return task.end('succeeded')
      if (task.retried >= template.maxRetries) return task.end('failed', result)
      task.retried++
    }
  }

  #write(execution: Execution, task: Task, stream: LogStream, text: string): void {
    const { accounts, region, log } = this.#options
    for (const line of text.split('\n'))
      if (line !== '')
        log.write({
          logName: `projects/${accounts.project}/logs/run.googleapis.com%2F${stream}`,
          timestamp: new Date().toISOString(),
          textPayload: line,
          labels: {
            instanceId: task.uid,
            'run.googleapis.com/execution_name': execution.name,
            'run.googleapis.com/task_index': String(task.index),
            'run.googleapis.com/task_attempt': String(task.retried),
          },
          resource: {
            type: 'cloud_run_job',
            labels: { project_id: accounts.project, location: region, job_name: execution.job },
          },
        })
  }

  #find(name: string): Execution {
    const found = this.#executions.get(name)
    if (found === undefined)
      throw refusals.notFound(`Resource '${name}' of kind 'EXECUTION' in region '${this.#options.region}'`)
    return found
  }

  #parentOf({ job }: Execution): string {
    return `${this.#options.parent}/jobs/${job}`
  }
}

/** From: "Troubleshoot Cloud Run issues". */
function systemLine(
  { message, exitCode, termSignal }: ReturnType<typeof resultOf> & object,
  { memoryMiB, timeoutMs }: JobTemplate,
): string {
  if (/memory/.test(message))
    return `Memory limit of ${memoryMiB} MiB exceeded with ${memoryMiB + 4} MiB used. Consider increasing the memory limit, see https://cloud.google.com/run/docs/configuring/memory-limits`
  if (/timeout/.test(message))
    return `Terminating task because it has reached the maximum timeout of ${timeoutMs / 1000} seconds. To change this limit, see https://cloud.google.com/run/docs/configuring/task-timeout`
  return termSignal === undefined
    ? `Container called exit(${exitCode}).`
    : `Container terminated on signal ${termSignal}.`
}

function pause(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}
