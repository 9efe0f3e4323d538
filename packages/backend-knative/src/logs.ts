import type { LogQuery } from '@lithops/core/driver'
import type { Cluster } from './cluster.ts'
import { selectorOf, WORKER_CONTAINER } from './names.ts'
import { attempt, hasStatus } from './vendor-errors.ts'

/** A line of a worker that names the job whose calls come next. From: CloudWorker of @lithops/core/worker. */
const JOB_LINE = /lithops: calls of job (\S+)/
/** Clocks of nodes and of this machine differ a little. */
const CLOCK_SLACK_MS = 2_000

/** Where and when an activation ran: what its lines are found by. */
export interface RequestPlace {
  readonly podName: string
  /** In milliseconds since 1970. */
  readonly startedMs: number
  readonly endedMs: number
}

interface LogLine {
  readonly atMs: number
  readonly pod: string
  readonly text: string
}

/** The platform gives requests no id that is in the log: ours says where and when. */
export function requestIdOf({ podName, startedMs, endedMs }: RequestPlace): string {
  return `${podName}/${Math.floor(startedMs)}-${Math.ceil(endedMs)}`
}

function placeIn(requestId: string): RequestPlace | undefined {
  const found = /^([^/]+)\/(\d+)-(\d+)$/.exec(requestId)
  if (found === null) return undefined
  return { podName: found[1] as string, startedMs: Number(found[2]), endedMs: Number(found[3]) }
}

/** What workers wrote, as far as their pods are there: Kubernetes keeps logs no longer. */
export class WorkerLogs {
  readonly #cluster: Cluster
  readonly #user: string

  constructor(cluster: Cluster, user: string) {
    this.#cluster = cluster
    this.#user = user
  }

  async find(query: LogQuery): Promise<string> {
    const { requestId, jobKey, sinceMs = 0, signal } = query
    const place = requestId === undefined ? undefined : placeIn(requestId)
    if (requestId !== undefined && place === undefined) return ''
    const pods =
      place === undefined
        ? (
            await attempt('listing pods', signal, () =>
              this.#cluster.listPods(selectorOf(this.#user), { signal }),
            )
          ).flatMap(({ metadata }) => metadata?.name ?? [])
        : [place.podName]
    const lines: LogLine[] = []
    for (const pod of pods) {
      const all = (await this.#linesOf(pod, signal)).filter(({ atMs }) => atMs >= sinceMs)
      lines.push(...(place !== undefined ? ofRequest(all, place) : ofJob(all, jobKey ?? '')))
    }
    return lines
      .sort((a, b) => a.atMs - b.atMs || (a.pod < b.pod ? -1 : 1))
      .map(({ text }) => `${text}\n`)
      .join('')
  }

  /** Of before the last restart as well, where there was one. */
  async #linesOf(pod: string, signal: AbortSignal | undefined): Promise<LogLine[]> {
    const query = { container: WORKER_CONTAINER, timestamps: true }
    const read = (previous: boolean) =>
      attempt(`reading the log of ${pod}`, signal, async () => {
        try {
          return await this.#cluster.podLog(pod, previous ? { ...query, previous } : query, { signal })
        } catch (error) {
          // 400: the container has not begun, or was never started again; 404: the pod is gone
          if (hasStatus(error, 400, 404)) return ''
          throw error
        }
      })
    const text = `${await read(true)}${await read(false)}`
    return text.split('\n').flatMap(line => {
      const space = line.indexOf(' ')
      const atMs = Date.parse(line.slice(0, space))
      return space < 0 || Number.isNaN(atMs) ? [] : [{ atMs, pod, text: line.slice(space + 1) }]
    })
  }
}

/**
 * Each activation begins with a line that names its job: of those of that time, the lines of the one that is nearest to when
 * it was sent. Where several run at once in one worker, their lines are mixed.
 */
function ofRequest(lines: readonly LogLine[], { startedMs, endedMs }: RequestPlace): readonly LogLine[] {
  const begins = lines.flatMap(({ atMs, text }, index) => (JOB_LINE.test(text) ? [{ atMs, index }] : []))
  const near = begins
    .filter(({ atMs }) => atMs >= startedMs - CLOCK_SLACK_MS && atMs <= endedMs + CLOCK_SLACK_MS)
    .sort((a, b) => Math.abs(a.atMs - startedMs) - Math.abs(b.atMs - startedMs))[0]
  if (near === undefined) return []
  const next = begins.find(({ index }) => index > near.index)?.index
  return lines.slice(near.index, next)
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
