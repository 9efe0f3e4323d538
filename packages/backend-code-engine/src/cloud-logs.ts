import type { CodeEngineClient } from './client.ts'

/** The most that one query gives. From: "Limits for querying data" of IBM Cloud Logs, for its tier of frequent searches. */
const MOST_RECORDS = 12_000
const DAY_MS = 86_400_000
/** Where nothing says since when. */
const LOOKED_BACK_MS = 7 * DAY_MS
/** Clocks of the platform and of this machine differ a little. */
const CLOCK_SLACK_MS = 5_000

/** A line that something of Code Engine wrote. */
export interface LoggedLine {
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** Of a job, its run; of an application, its revision. */
  readonly subcomponent: string
  /** The pod. */
  readonly instance: string
  readonly text: string
}

export interface LineQuery {
  /** In the language of Lucene. */
  readonly query: string
  /** Milliseconds since 1970. Default: seven days ago. */
  readonly sinceMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

interface StreamItem {
  readonly result?: { readonly results?: readonly RecordItem[] }
  readonly error?: { readonly message?: string }
}

interface RecordItem {
  readonly metadata?: readonly { readonly key?: string; readonly value?: string }[]
  /** JSON */
  readonly user_data?: string
}

/** From: "Logging fields" of https://cloud.ibm.com/docs/codeengine?topic=codeengine-logging. */
interface UserData {
  readonly codeengine?: { readonly subcomponent?: string; readonly instanceId?: string }
  readonly message?: string | { readonly message?: string; readonly _app?: string }
}

/**
 * IBM Cloud Logs, where the project's platform logs are sent to an instance of it. From: "query" of its API,
 * https://cloud.ibm.com/apidocs/logs-service-api, as its SDK for Go speaks it.
 */
export class CloudLogs {
  readonly #client: CodeEngineClient
  readonly #endpoint: string

  constructor(client: CodeEngineClient, endpoint: string) {
    this.#client = client
    this.#endpoint = endpoint
  }

  /** In the order in which they were written. Rejects with ApiError or ConnectionError. */
  async lines({ query, sinceMs, signal }: LineQuery): Promise<LoggedLine[]> {
    const now = Date.now()
    const from = (sinceMs ?? now - LOOKED_BACK_MS) - CLOCK_SLACK_MS
    const text = await this.#client.call<unknown>({
      method: 'POST',
      serviceUrl: this.#endpoint,
      path: '/v1/query',
      accept: 'text/event-stream',
      body: {
        query,
        metadata: {
          syntax: 'lucene',
          tier: 'frequent_search',
          limit: MOST_RECORDS,
          start_date: new Date(from).toISOString(),
          end_date: new Date(now + CLOCK_SLACK_MS).toISOString(),
        },
      },
      signal,
    })
    return itemsOf(String(text))
      .flatMap(({ result, error }) => {
        if (error !== undefined) throw new Error(`IBM Cloud Logs: ${error.message ?? 'the query failed'}`)
        return (result?.results ?? []).map(lineOf)
      })
      .sort((a, b) => a.atMs - b.atMs)
  }
}

/** A term of a query: that a field has this text, and no other. */
export function hasText(field: string, text: string): string {
  return `${field}:${phrase(text)}`
}

/** Text that is somewhere in a record, word by word. */
export function phrase(text: string): string {
  return `"${text.replace(/[\\"+\-!(){}[\]^~*?:/&|]/g, '\\$&')}"`
}

/** What a stream of events carries: a comment before each, and empty ones that keep the connection. */
function itemsOf(text: string): StreamItem[] {
  return text
    .split('\n')
    .flatMap(line => /^data: ?(\{.*)$/.exec(line.trimEnd())?.[1] ?? [])
    .map(json => JSON.parse(json) as StreamItem)
}

function lineOf({ metadata = [], user_data: text = '{}' }: RecordItem): LoggedLine {
  const { codeengine = {}, message } = JSON.parse(text) as UserData
  const at = metadata.find(({ key }) => key === 'timestamp')?.value ?? ''
  const said = typeof message === 'object' ? message : { message }
  return {
    // without a zone it is UTC
    atMs: Date.parse(/[Zz]|[+-]\d\d:?\d\d$/.test(at) ? at : `${at}Z`),
    subcomponent: codeengine.subcomponent ?? '',
    instance: codeengine.instanceId ?? said._app ?? '',
    text: said.message ?? '',
  }
}
