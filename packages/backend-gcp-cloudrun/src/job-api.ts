import { pause } from '@lithops/core/driver'
import type { ExecutionApi } from './execution-api.ts'
import { again, type CallOptions } from './google-requests.ts'
import type { ResourceApi, RunJob } from './resource-api.ts'
import { ONCE, PAGES, type RunClients } from './run-clients.ts'
import { hasCode } from './vendor-errors.ts'

/** Tasks have ten seconds after SIGTERM, and the platform takes its time to tell. */
const STOP_MS = 60_000
const LOOK_MS = 500

/** Jobs of one project and region. */
export class JobApi implements ResourceApi<RunJob> {
  readonly noun = 'job'
  readonly #clients: RunClients
  readonly #executions: ExecutionApi

  constructor(clients: RunClients, executions: ExecutionApi) {
    this.#clients = clients
    this.#executions = executions
  }

  async find(name: string, { signal }: CallOptions = {}): Promise<RunJob | undefined> {
    const full = await this.#nameOf(name)
    try {
      const [job] = await again(signal, async () => {
        const client = await this.#clients.get('JobsClient')
        return this.#clients.ask(signal, () => client.getJob({ name: full }, ONCE))
      })
      return job
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return undefined
      throw error
    }
  }

  async list({ signal }: CallOptions = {}): Promise<readonly RunJob[]> {
    const parent = await this.#clients.parent()
    return again(signal, async () => {
      const client = await this.#clients.get('JobsClient')
      return this.#clients.ask(signal, async () => {
        const jobs: RunJob[] = []
        for await (const job of client.listJobsAsync({ parent }, PAGES)) jobs.push(job)
        return jobs
      })
    })
  }

  async create(name: string, job: RunJob, { signal }: CallOptions = {}): Promise<void> {
    const [parent, client] = [await this.#clients.parent(), await this.#clients.get('JobsClient')]
    const [operation] = await again(signal, () =>
      this.#clients.ask(signal, () => client.createJob({ parent, jobId: name, job }, ONCE)),
    )
    await this.#clients.finished(operation, signal)
  }

  async update(job: RunJob, { signal }: CallOptions = {}): Promise<void> {
    const client = await this.#clients.get('JobsClient')
    const [operation] = await again(signal, () =>
      this.#clients.ask(signal, () => client.updateJob({ job }, ONCE)),
    )
    await this.#clients.finished(operation, signal)
  }

  /** Its executions end first: one that has some may not be removed. */
  async remove(name: string, options: CallOptions = {}): Promise<void> {
    const { signal } = options
    try {
      await this.#endExecutions(name, options)
      const [full, client] = [await this.#nameOf(name), await this.#clients.get('JobsClient')]
      const [operation] = await again(signal, () =>
        this.#clients.ask(signal, () => client.deleteJob({ name: full }, ONCE)),
      )
      await this.#clients.finished(operation, signal)
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) throw error
    }
  }

  imageOf({ template }: RunJob): string | undefined {
    return template?.template?.containers?.[0]?.image ?? undefined
  }

  isInPlace(): boolean {
    return true
  }

  async #endExecutions(job: string, options: CallOptions): Promise<void> {
    const endMs = performance.now() + STOP_MS
    for (let isFirst = true; ; isFirst = false) {
      const running = (await this.#executions.list(job, options)).filter(({ isOver }) => !isOver)
      if (running.length === 0 || performance.now() > endMs) return
      if (isFirst) await Promise.all(running.map(({ name }) => this.#executions.cancel(job, name, options)))
      await pause(LOOK_MS, options.signal)
    }
  }

  async #nameOf(name: string): Promise<string> {
    return `${await this.#clients.parent()}/jobs/${name}`
  }
}
