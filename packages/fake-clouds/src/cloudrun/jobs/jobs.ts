import { randomUUID } from 'node:crypto'
import { PullError } from '../../knative/containers/containers.ts'
import { refusals } from '../api/refusal.ts'
import { environmentFor } from '../serving/environment.ts'
import { type Condition, NotReady } from '../serving/not-ready.ts'
import { type Operation, OperationFailure } from '../serving/operations.ts'
import type { Executions, ExecutionsOptions } from './executions.ts'
import { type GivenJob, type JobTemplate, type Overrides, overridden, readJob } from './job-template.ts'

interface StoredJob {
  given: GivenJob
  template: JobTemplate
  readonly uid: string
  createTime: string
  updateTime: string
  etag: string
  generation: number
  observedGeneration: number
  condition: Condition
  executionCount: number
  latestExecution: { readonly name: string; createTime: string } | undefined
}

const TYPE = 'type.googleapis.com/google.cloud.run.v2.Job'
const FAILED_PRECONDITION = 9
/** Pages are short, so that clients show that they read all of them; but not so short that a thousand jobs take their time. */
const PAGE = 2
const MOST_PAGES = 20

/** The jobs of one project and region. */
export class Jobs {
  readonly #options: ExecutionsOptions
  readonly #executions: Executions
  readonly #jobs = new Map<string, StoredJob>()

  constructor(options: ExecutionsOptions, executions: Executions) {
    this.#options = options
    this.#executions = executions
  }

  get names(): string[] {
    return [...this.#jobs.keys()]
  }

  /** As it was given, to look at it. */
  given(id: string): GivenJob | undefined {
    return this.#jobs.get(id)?.given
  }

  /** All that there are were made, changed and run so much earlier. */
  age(ms: number): void {
    const earlier = (time: string) => new Date(Date.parse(time) - ms).toISOString()
    for (const job of this.#jobs.values()) {
      job.createTime = earlier(job.createTime)
      job.updateTime = earlier(job.updateTime)
      if (job.latestExecution !== undefined)
        job.latestExecution.createTime = earlier(job.latestExecution.createTime)
    }
  }

  create(id: string, given: GivenJob): Operation {
    const template = readJob(id, given)
    if (this.#jobs.has(id)) throw refusals.exists(`Resource '${id}'`)
    if (this.#jobs.size >= (this.#options.quota?.jobs ?? 1000)) throw refusals.full('jobs')
    const now = new Date().toISOString()
    const job: StoredJob = {
      given,
      template,
      uid: randomUUID(),
      createTime: now,
      updateTime: now,
      etag: `"${randomUUID()}"`,
      generation: 1,
      observedGeneration: 0,
      condition: { type: 'Ready', state: 'CONDITION_RECONCILING' },
      executionCount: 0,
      latestExecution: undefined,
    }
    this.#jobs.set(id, job)
    return this.#reconcile(id, job)
  }

  update(id: string, given: GivenJob): Operation {
    const job = this.#find(id)
    if (given.etag !== undefined && given.etag !== '' && given.etag !== job.etag)
      throw refusals.aborted(this.#full(id))
    job.template = readJob(id, given)
    job.given = given
    job.generation++
    job.updateTime = new Date().toISOString()
    job.etag = `"${randomUUID()}"`
    return this.#reconcile(id, job)
  }

  /** A job whose executions run is not removed. */
  remove(id: string): Operation {
    this.#find(id)
    if (this.#executions.isAnyRunning(id))
      throw refusals.failedPrecondition(
        `Job '${id}' cannot be deleted because it has running executions. Cancel them first.`,
      )
    return this.drop(id)
  }

  /** Removes it with all of its executions. */
  drop(id: string): Operation {
    const removed = this.read(id)
    this.#jobs.delete(id)
    this.#executions.removeOf(id)
    return this.#options.operations.begin(async () => {
      await pause(this.#options.timing.operationMs)
      return { '@type': TYPE, ...removed }
    })
  }

  run(id: string, overrides: Overrides): Operation {
    const job = this.#find(id)
    const { state, message } = job.condition
    if (state === 'CONDITION_FAILED' || job.observedGeneration === 0)
      throw refusals.failedPrecondition(`Job '${id}' is not ready: ${message ?? 'reconciling'}`)
    const template = overridden(job.template, overrides)
    const begun = this.#executions.begin(id, template)
    job.executionCount++
    const name = this.#executions.names.at(-1) ?? ''
    job.latestExecution = { name, createTime: new Date().toISOString() }
    return begun
  }

  read(id: string): object {
    const job = this.#find(id)
    const { given, condition } = job
    return {
      ...given,
      name: this.#full(id),
      uid: job.uid,
      generation: String(job.generation),
      observedGeneration: String(job.observedGeneration),
      createTime: job.createTime,
      updateTime: job.updateTime,
      etag: job.etag,
      terminalCondition: condition,
      reconciling: condition.state === 'CONDITION_RECONCILING',
      ...(job.executionCount === 0 ? {} : { executionCount: job.executionCount }),
      ...(job.latestExecution === undefined ? {} : { latestCreatedExecution: job.latestExecution }),
    }
  }

  list(pageToken: string): object {
    const start = Number(pageToken || '0')
    const names = this.names.reverse()
    const end = start + Math.max(PAGE, Math.ceil(names.length / MOST_PAGES))
    return {
      jobs: names.slice(start, end).map(name => this.read(name)),
      ...(end < names.length ? { nextPageToken: String(end) } : {}),
    }
  }

  #reconcile(id: string, job: StoredJob): Operation {
    const { operations, timing } = this.#options
    const { generation } = job
    job.condition = { type: 'Ready', state: 'CONDITION_RECONCILING' }
    return operations.begin(async () => {
      await pause(timing.operationMs)
      const failure = await this.#check(job.template)
      if (job.generation === generation) {
        job.observedGeneration = generation
        job.condition =
          failure === undefined
            ? { type: 'Ready', state: 'CONDITION_SUCCEEDED' }
            : { type: 'Ready', state: 'CONDITION_FAILED', reason: failure.reason, message: failure.message }
      }
      if (failure !== undefined) throw new OperationFailure(FAILED_PRECONDITION, failure.message)
      return { '@type': TYPE, ...(this.#jobs.has(id) ? this.read(id) : {}) }
    })
  }

  /** Image and secrets are looked at when a job is made. */
  async #check({ image, env, serviceAccount }: JobTemplate): Promise<NotReady | undefined> {
    const { runtime, pullLogin } = this.#options
    try {
      environmentFor(env, this.#options, { serviceAccount, owner: 'Job' })
      await runtime.pull(image, pullLogin)
      return undefined
    } catch (error) {
      if (error instanceof PullError) return new NotReady('CONTAINER_MISSING', `Image '${image}' not found.`)
      return error instanceof NotReady ? error : new NotReady('INTERNAL', (error as Error).message)
    }
  }

  #find(id: string): StoredJob {
    const found = this.#jobs.get(id)
    if (found === undefined)
      throw refusals.notFound(`Resource '${id}' of kind 'JOB' in region '${this.#options.region}'`)
    return found
  }

  #full(id: string): string {
    return `${this.#options.parent}/jobs/${id}`
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}
