import type { protos } from '@google-cloud/run'
import { pause } from '@lithops/core/driver'
import { again, type CallOptions } from './google-requests.ts'
import { shortName } from './names.ts'
import { ONCE, type Operation, PAGES, type RunClients } from './run-clients.ts'
import { hasCode } from './vendor-errors.ts'

type ApiExecution = protos.google.cloud.run.v2.IExecution
type ApiTask = protos.google.cloud.run.v2.ITask

/** Marks an execution with what this program calls it: an answer that was lost can be found again. */
export const RUN_VARIABLE = 'LITHOPS_RUN'

/** A new execution may be listed a moment late. */
const FIND_TRIES = 3
const FIND_PAUSE_MS = 400
const REMOVE_TRIES = 8
const REMOVE_PAUSE_MS = 1_000
const TASKS_PAGE = 500

/** What an execution is started with. */
export interface ExecutionStart {
  /** Of no other one, ever. */
  readonly run: string
  readonly taskCount: number
  readonly environment: Readonly<Record<string, string>>
  /** In place of the job's. */
  readonly args?: readonly string[]
  readonly timeoutMs?: number
}

/** An execution, as far as it is looked at. */
export interface SeenExecution {
  readonly name: string
  readonly runningCount: number
  /** Tasks that have succeeded, failed or were cancelled. */
  readonly endedCount: number
  readonly isOver: boolean
  /** What the platform says of its end, or of why it does not begin; empty where it says nothing. */
  readonly message: string
  /** Of its tasks' environment. */
  readonly variables: readonly protos.google.cloud.run.v2.IEnvVar[]
}

/** A task, as far as it is looked at. */
export interface SeenTask {
  readonly index: number
  readonly end: 'succeeded' | 'failed' | undefined
  readonly message: string
  readonly exitCode: number | undefined
  readonly termSignal: number | undefined
  /** Milliseconds since 1970; undefined before. */
  readonly startedMs: number | undefined
  readonly endedMs: number | undefined
}

/** Executions of jobs, and their tasks. Names are short ones. */
export class ExecutionApi {
  readonly #clients: RunClients

  constructor(clients: RunClients) {
    this.#clients = clients
  }

  /**
   * Begins an execution. Returns its name. Rejects with errors of the API, made once: where the answer is lost (`mayHaveBegun`),
   * `findStarted` tells whether it has begun. NOT_FOUND says that there is no such job.
   */
  async start(
    job: string,
    { run, taskCount, environment, args, timeoutMs }: ExecutionStart,
  ): Promise<string> {
    const [parent, client] = [await this.#clients.parent(), await this.#clients.get('JobsClient')]
    const env = Object.entries({ ...environment, [RUN_VARIABLE]: run }).map(([name, value]) => ({
      name,
      value,
    }))
    const overrides = {
      containerOverrides: [{ env, ...(args === undefined ? {} : { args: [...args] }) }],
      taskCount,
      ...(timeoutMs === undefined ? {} : { timeout: { seconds: timeoutMs / 1000 } }),
    }
    const [operation] = await this.#clients.ask(undefined, () =>
      client.runJob({ name: `${parent}/jobs/${job}`, overrides }, ONCE),
    )
    const name = await nameIn(operation)
    return name ?? (await this.findStarted(job, run)) ?? Promise.reject(new Error('the answer has no name'))
  }

  /** The name of an execution, by its mark. Undefined where none has begun, as far as is known after a moment. */
  async findStarted(job: string, run: string): Promise<string | undefined> {
    for (let tries = 1; ; tries++) {
      const found = (await this.list(job)).find(({ variables }) =>
        variables.some(({ name, value }) => name === RUN_VARIABLE && value === run),
      )
      if (found !== undefined || tries >= FIND_TRIES) return found?.name
      await pause(FIND_PAUSE_MS * tries)
    }
  }

  /** Undefined when there is none of that name. */
  async find(job: string, name: string, { signal }: CallOptions = {}): Promise<SeenExecution | undefined> {
    const full = await this.#nameOf(job, name)
    try {
      const [execution] = await again(signal, async () => {
        const client = await this.#clients.get('ExecutionsClient')
        return this.#clients.ask(signal, () => client.getExecution({ name: full }, ONCE))
      })
      return seenExecution(execution)
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return undefined
      throw error
    }
  }

  /** The newest first. Empty where there is no such job. */
  async list(job: string, { signal }: CallOptions = {}): Promise<readonly SeenExecution[]> {
    const parent = `${await this.#clients.parent()}/jobs/${job}`
    try {
      return await again(signal, async () => {
        const client = await this.#clients.get('ExecutionsClient')
        return this.#clients.ask(signal, async () => {
          const executions: SeenExecution[] = []
          for await (const one of client.listExecutionsAsync({ parent }, PAGES))
            executions.push(seenExecution(one))
          return executions
        })
      })
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return []
      throw error
    }
  }

  async tasks(job: string, name: string, { signal }: CallOptions = {}): Promise<readonly SeenTask[]> {
    const parent = await this.#nameOf(job, name)
    return again(signal, async () => {
      const client = await this.#clients.get('TasksClient')
      return this.#clients.ask(signal, async () => {
        const tasks: SeenTask[] = []
        for await (const task of client.listTasksAsync({ parent, pageSize: TASKS_PAGE }, PAGES))
          tasks.push(seenTask(task))
        return tasks
      })
    })
  }

  /** Asks for its end. One that is over, or not there, is no error. */
  async cancel(job: string, name: string, { signal }: CallOptions = {}): Promise<void> {
    const full = await this.#nameOf(job, name)
    try {
      await again(signal, async () => {
        const client = await this.#clients.get('ExecutionsClient')
        return this.#clients.ask(signal, () => client.cancelExecution({ name: full }, ONCE))
      })
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND', 'FAILED_PRECONDITION')) throw error
    }
  }

  /** One that is not there is no error. */
  async remove(job: string, name: string, { signal }: CallOptions = {}): Promise<void> {
    const full = await this.#nameOf(job, name)
    for (let tries = 1; ; tries++) {
      try {
        await again(signal, async () => {
          const client = await this.#clients.get('ExecutionsClient')
          return this.#clients.ask(signal, () => client.deleteExecution({ name: full }, ONCE))
        })
        return
      } catch (error) {
        if (hasCode(error, 'NOT_FOUND')) return
        // its tasks have not ended yet
        if (!hasCode(error, 'FAILED_PRECONDITION', 'ABORTED') || tries >= REMOVE_TRIES) throw error
        await pause(REMOVE_PAUSE_MS, signal)
      }
    }
  }

  async #nameOf(job: string, name: string): Promise<string> {
    return `${await this.#clients.parent()}/jobs/${job}/executions/${name}`
  }
}

/** The execution that an operation is of is in what is told of it at once. */
async function nameIn({ latestResponse }: Operation): Promise<string | undefined> {
  const { value } = latestResponse.metadata ?? {}
  if (!(value instanceof Uint8Array)) return undefined
  const { protos } = await import('@google-cloud/run')
  return shortName(protos.google.cloud.run.v2.Execution.decode(value).name) || undefined
}

function seenExecution(execution: ApiExecution): SeenExecution {
  const { succeededCount, failedCount, cancelledCount, runningCount, completionTime, conditions } = execution
  const completed = conditions?.find(({ type }) => type === 'Completed')
  const failed = conditions?.find(({ state, message }) => state === 'CONDITION_FAILED' && message)
  return {
    name: shortName(execution.name),
    runningCount: runningCount ?? 0,
    endedCount: (succeededCount ?? 0) + (failedCount ?? 0) + (cancelledCount ?? 0),
    isOver: timeMs(completionTime) !== undefined || endOf(completed?.state) !== undefined,
    message: completed?.message || failed?.message || '',
    variables: execution.template?.containers?.[0]?.env ?? [],
  }
}

function seenTask(task: ApiTask): SeenTask {
  const { index, conditions, lastAttemptResult: result, startTime, completionTime } = task
  const completed = conditions?.find(({ type }) => type === 'Completed')
  const endedMs = timeMs(completionTime)
  const failed = (result?.exitCode ?? 0) !== 0 || (result?.status?.code ?? 0) !== 0
  return {
    index: index ?? 0,
    end: endOf(completed?.state) ?? (endedMs === undefined ? undefined : failed ? 'failed' : 'succeeded'),
    message: result?.status?.message || completed?.message || '',
    exitCode: result?.exitCode ?? undefined,
    termSignal: result?.termSignal || undefined,
    startedMs: timeMs(startTime),
    endedMs,
  }
}

function endOf(state: unknown): 'succeeded' | 'failed' | undefined {
  return state === 'CONDITION_SUCCEEDED' ? 'succeeded' : state === 'CONDITION_FAILED' ? 'failed' : undefined
}

function timeMs(time: protos.google.protobuf.ITimestamp | null | undefined): number | undefined {
  const ms = Number(time?.seconds ?? 0) * 1000 + Number(time?.nanos ?? 0) / 1e6
  return ms > 0 ? ms : undefined
}
