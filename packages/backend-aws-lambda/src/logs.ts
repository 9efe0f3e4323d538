import type { LogQuery } from '@lithops/core/driver'
import type { AwsClients } from './clients.ts'
import { logGroupOf } from './names.ts'
import { attempt, isNamed } from './vendor-errors.ts'

/** Lines of a request are found by its id, which Lambda puts into each; a job's requests by what workers say of them. */
interface LogLine {
  readonly atMs: number
  readonly stream: string
  readonly text: string
}

/** Requests of a job whose lines are fetched. */
const MOST_REQUESTS = 200

/** What functions wrote into CloudWatch Logs. */
export class WorkerLogs {
  readonly #clients: AwsClients

  constructor(clients: AwsClients) {
    this.#clients = clients
  }

  /** `functions`: names of those that may have written it. */
  async find(query: LogQuery, functions: readonly string[]): Promise<string> {
    const { requestId, jobKey } = query
    const lines: LogLine[] = []
    for (const name of functions) {
      const group = logGroupOf(name)
      if (requestId !== undefined) lines.push(...(await this.#lines(group, requestId, query)))
      else if (jobKey !== undefined) lines.push(...(await this.#linesOfJob(group, jobKey, query)))
    }
    return lines
      .sort((a, b) => a.atMs - b.atMs || (a.stream < b.stream ? -1 : 1))
      .map(({ text }) => (text.endsWith('\n') ? text : `${text}\n`))
      .join('')
  }

  async #linesOfJob(group: string, jobKey: string, query: LogQuery): Promise<LogLine[]> {
    const begun = await this.#lines(group, jobKey, query)
    const requests = new Set(
      begun.flatMap(({ text }) => /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(text) ?? []),
    )
    const lines: LogLine[] = []
    for (const requestId of [...requests].slice(0, MOST_REQUESTS))
      lines.push(...(await this.#lines(group, requestId, query)))
    return lines
  }

  async #lines(group: string, word: string, { sinceMs, signal }: LogQuery): Promise<LogLine[]> {
    const client = await this.#clients.logs()
    const { paginateFilterLogEvents } = await import('@aws-sdk/client-cloudwatch-logs')
    const lines: LogLine[] = []
    await attempt(`reading the log group ${group}`, signal, async () => {
      try {
        const pages = paginateFilterLogEvents(
          { client },
          {
            logGroupName: group,
            filterPattern: `"${word.replaceAll('"', '')}"`,
            ...(sinceMs === undefined ? {} : { startTime: Math.floor(sinceMs) }),
          },
        )
        for await (const page of pages) {
          signal?.throwIfAborted()
          for (const { timestamp = 0, logStreamName = '', message = '' } of page.events ?? [])
            lines.push({ atMs: timestamp, stream: logStreamName, text: message })
        }
      } catch (error) {
        // nothing was written yet
        if (!isNamed(error, 'ResourceNotFoundException')) throw error
      }
    })
    return lines
  }
}
