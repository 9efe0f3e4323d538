import { prefixOf } from '@lithops/container-runtime'
import type { LogQuery } from '@lithops/core/driver'
import type { CloudRunSettings } from './config.ts'
import type { GoogleAccount } from './google-account.ts'
import { type GoogleApi, googleRequest, originOf } from './google-requests.ts'
import { attempt } from './vendor-errors.ts'

/** A line of a worker that names the job whose calls come next. From: CloudWorker of @lithops/core/worker. */
const JOB_LINE = /lithops: calls of job (\S+)/
/** Clocks of the platform and of this machine differ a little, and its log tells times of its own. */
const CLOCK_SLACK_MS = 5_000
/** What a request's lines are looked for in before it was sent and after it has ended. */
const PAGE_ENTRIES = 1000
/** More than a person reads; a job of many calls may have written more. */
const MOST_PAGES = 50
const LAST_LINES = 10
/** Of lines of jobs. From: "Log entries for jobs". */
const EXECUTION_LABEL = 'run.googleapis.com/execution_name'
const TASK_LABEL = 'run.googleapis.com/task_index'

/** Where and when an activation ran: what its lines are found by. */
export interface RequestPlace {
  readonly serviceName: string
  readonly jobKey: string
  /** In milliseconds since 1970. */
  readonly startedMs: number
  readonly endedMs: number
}

interface LogEntry {
  readonly textPayload?: string
  readonly jsonPayload?: { readonly message?: string }
  readonly timestamp?: string
  readonly labels?: Readonly<Record<string, string>>
}

interface LogLine {
  readonly atMs: number
  readonly instance: string
  readonly text: string
}

/** The platform gives requests to services no id that is in the workers' log: ours says where and when. */
export function requestIdOf({ serviceName, jobKey, startedMs, endedMs }: RequestPlace): string {
  return `${serviceName}/${jobKey}/${Math.floor(startedMs)}-${Math.ceil(endedMs)}`
}

/** A task of an execution, which the platform's log names. */
interface TaskPlace {
  readonly execution: string
  readonly index: string
}

function taskIn(requestId: string): TaskPlace | undefined {
  const [, execution = '', index = ''] = /^([a-z0-9-]+)\/(\d+)$/.exec(requestId) ?? []
  return execution === '' ? undefined : { execution, index }
}

function placeIn(requestId: string): RequestPlace | undefined {
  const found = /^([a-z0-9-]+)\/([\w-]+)\/(\d+)-(\d+)$/.exec(requestId)
  if (found === null) return undefined
  const [, serviceName = '', jobKey = '', startedMs, endedMs] = found
  return { serviceName, jobKey, startedMs: Number(startedMs), endedMs: Number(endedMs) }
}

/** What workers wrote, in Cloud Logging, which keeps it for 30 days. */
export class WorkerLogs {
  readonly #account: GoogleAccount
  readonly #api: GoogleApi
  readonly #user: string
  readonly #isOfJobs: boolean

  constructor(
    account: GoogleAccount,
    { endpoint, workload }: Pick<CloudRunSettings, 'endpoint' | 'workload'>,
    user: string,
  ) {
    this.#account = account
    this.#api = { account, origin: originOf('logging', endpoint) }
    this.#user = user
    this.#isOfJobs = workload === 'jobs'
  }

  async find(query: LogQuery): Promise<string> {
    const { requestId, jobKey = '', sinceMs = 0, signal } = query
    const task = requestId === undefined ? undefined : taskIn(requestId)
    if (task !== undefined) return this.#ofTask(task, query)
    const place = requestId === undefined ? undefined : placeIn(requestId)
    if (requestId !== undefined && place === undefined) return ''
    const filter =
      place === undefined
        ? [ofNames(this.#isOfJobs ? 'job_name' : 'service_name', prefixOf(this.#user)), since(sinceMs)]
        : [
            `resource.labels.service_name="${place.serviceName}"`,
            since(Math.max(sinceMs, place.startedMs - CLOCK_SLACK_MS)),
            until(place.endedMs + CLOCK_SLACK_MS),
          ]
    const lines = await attempt('reading the log', signal, () =>
      this.#read([...filter, ofContainers()], { signal, order: 'asc' }),
    )
    const found: LogLine[] = []
    for (const ofInstance of byInstance(lines))
      found.push(...(place === undefined ? ofJob(ofInstance, jobKey) : ofRequest(ofInstance, place)))
    const chosen = place === undefined ? found : nearest(found, place)
    return textOf(chosen)
  }

  async #ofTask({ execution, index }: TaskPlace, { sinceMs = 0, signal }: LogQuery): Promise<string> {
    const filter = [
      `labels."${EXECUTION_LABEL}"="${execution}"`,
      `labels."${TASK_LABEL}"="${index}"`,
      since(sinceMs),
      ofContainers(),
    ]
    return textOf(
      await attempt('reading the log', signal, () => this.#read(filter, { signal, order: 'asc' })),
    )
  }

  /** The last lines of an execution's tasks; empty where they may not be read. */
  lastOfExecution(execution: string, signal: AbortSignal | undefined): Promise<string> {
    return this.#last(`labels."${EXECUTION_LABEL}"="${execution}"`, signal)
  }

  /** The last lines of a revision's containers; empty where they may not be read. */
  last(revision: string, signal: AbortSignal | undefined): Promise<string> {
    return this.#last(`resource.labels.revision_name="${revision}"`, signal)
  }

  async #last(of: string, signal: AbortSignal | undefined): Promise<string> {
    const filter = [of, ofContainers()]
    const lines = await this.#read(filter, { signal, order: 'desc', most: LAST_LINES }).catch(() => [])
    signal?.throwIfAborted()
    return lines
      .reverse()
      .map(({ text }) => text)
      .join('\n')
  }

  /** What the platform itself wrote about a service's instances. Rejects where it may not be read. */
  async ofPlatform(
    serviceName: string,
    { fromMs, signal }: { readonly fromMs: number; readonly signal: AbortSignal | undefined },
  ): Promise<readonly string[]> {
    const filter = [`resource.labels.service_name="${serviceName}"`, since(fromMs), OF_PLATFORM]
    return (await this.#read(filter, { signal, order: 'asc' })).map(({ text }) => text)
  }

  async #read(
    filter: readonly string[],
    {
      signal,
      order,
      most,
    }: { readonly signal: AbortSignal | undefined; readonly order: 'asc' | 'desc'; readonly most?: number },
  ): Promise<LogLine[]> {
    const lines: LogLine[] = []
    let pageToken: string | undefined
    const type = this.#isOfJobs ? 'cloud_run_job' : 'cloud_run_revision'
    for (let page = 0; page < MOST_PAGES; page++) {
      const body = {
        resourceNames: [`projects/${await this.#account.project()}`],
        filter: [`resource.type="${type}"`, ...filter].join(' AND '),
        orderBy: `timestamp ${order}`,
        pageSize: Math.min(PAGE_ENTRIES, most ?? PAGE_ENTRIES),
        ...(pageToken === undefined ? {} : { pageToken }),
      }
      const answer = await googleRequest<{
        readonly entries?: readonly LogEntry[]
        readonly nextPageToken?: string
      }>(this.#api, 'POST', '/v2/entries:list', { body, signal })
      // pages may be empty, and others come after them
      for (const { textPayload, jsonPayload, timestamp = '', labels } of answer.entries ?? []) {
        const text = textPayload ?? jsonPayload?.message
        if (text !== undefined)
          lines.push({ atMs: Date.parse(timestamp), instance: instanceOf(labels), text })
      }
      pageToken = answer.nextPageToken
      if (pageToken === undefined || pageToken === '' || lines.length >= (most ?? Number.POSITIVE_INFINITY))
        break
    }
    return lines
  }
}

const OF_PLATFORM = 'logName:"run.googleapis.com%2Fvarlog%2Fsystem"'

function ofNames(label: 'service_name' | 'job_name', prefix: string): string {
  return `resource.labels.${label}=~"^${prefix}"`
}

/** What wrote a line: a container of a service, or a task. */
function instanceOf(labels: Readonly<Record<string, string>> = {}): string {
  const { instanceId = '', [EXECUTION_LABEL]: execution = '', [TASK_LABEL]: index = '' } = labels
  return execution === '' ? instanceId : `${execution}/${index}`
}

function textOf(lines: readonly LogLine[]): string {
  return lines
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ text }) => `${text}\n`)
    .join('')
}

function ofContainers(): string {
  return '(logName:"run.googleapis.com%2Fstdout" OR logName:"run.googleapis.com%2Fstderr")'
}

function since(ms: number): string {
  return `timestamp>="${new Date(ms).toISOString()}"`
}

function until(ms: number): string {
  return `timestamp<="${new Date(ms).toISOString()}"`
}

function byInstance(lines: readonly LogLine[]): readonly (readonly LogLine[])[] {
  const all = new Map<string, LogLine[]>()
  for (const line of lines) {
    const ofInstance = all.get(line.instance)
    if (ofInstance === undefined) all.set(line.instance, [line])
    else ofInstance.push(line)
  }
  return [...all.values()]
}

/** From each line that names the job to the next one that names another. */
function ofJob(lines: readonly LogLine[], jobKey: string): readonly LogLine[] {
  let isOfJob = false
  return lines.filter(({ text }) => {
    const named = JOB_LINE.exec(text)?.[1]
    if (named !== undefined) isOfJob = named === jobKey
    return isOfJob
  })
}

/** Of one instance, from the line that names the job and is nearest to when the request was sent, to the next such line. */
function ofRequest(lines: readonly LogLine[], { jobKey, startedMs }: RequestPlace): readonly LogLine[] {
  const begins = lines.flatMap((line, index) => {
    const named = JOB_LINE.exec(line.text)?.[1]
    return named === undefined ? [] : [{ named, index, distanceMs: Math.abs(line.atMs - startedMs) }]
  })
  const near = begins.filter(({ named }) => named === jobKey).sort((a, b) => a.distanceMs - b.distanceMs)[0]
  if (near === undefined) return []
  return lines.slice(near.index, begins.find(({ index }) => index > near.index)?.index)
}

/** Several instances may have begun calls of the job: that whose line is nearest to when the request was sent. */
function nearest(lines: readonly LogLine[], { startedMs }: RequestPlace): LogLine[] {
  const begin = lines
    .filter(({ text }) => JOB_LINE.test(text))
    .sort((a, b) => Math.abs(a.atMs - startedMs) - Math.abs(b.atMs - startedMs))[0]
  return lines.filter(({ instance }) => instance === begin?.instance)
}
