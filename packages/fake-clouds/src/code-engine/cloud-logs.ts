import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A line that an instance wrote. */
export interface LoggedLine {
  readonly atMs: number
  readonly project: string
  readonly projectId: string
  /** Of a job or an application. */
  readonly component: string
  /** Of its run, or its revision. */
  readonly subcomponent: string
  readonly instance: string
  readonly text: string
}

export interface CloudLogsOptions {
  readonly accepts: (authorization: string | undefined) => boolean
  readonly lines: () => readonly LoggedLine[]
}

interface Query {
  readonly query?: string
  readonly metadata?: {
    readonly syntax?: string
    readonly start_date?: string
    readonly end_date?: string
    readonly limit?: number
  }
}

/** From: "Querying data" of IBM Cloud Logs. */
const DEFAULT_LIMIT = 2_000
const MOST_RECORDS = 12_000

/**
 * An instance of IBM Cloud Logs that gets the platform logs of Code Engine: `POST /v1/query`, whose answer is a stream of events.
 * Of Lucene it knows terms `field:"text"` and `"text"` with AND between them. From: https://cloud.ibm.com/apidocs/logs-service-api, the
 * SDK logs-go-sdk, and "Logging fields" of https://cloud.ibm.com/docs/codeengine?topic=codeengine-logging.
 */
export class CloudLogs {
  /** Queries that were asked. */
  readonly queries: string[] = []
  readonly #options: CloudLogsOptions
  readonly #server: Server

  private constructor(options: CloudLogsOptions) {
    this.#options = options
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  static async start(options: CloudLogsOptions): Promise<CloudLogs> {
    const logs = new CloudLogs(options)
    await new Promise<void>(resolve => logs.#server.listen(0, '127.0.0.1', resolve))
    return logs
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const piece of request) text += piece
    const refuse = (status: number, code: string, message: string) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ errors: [{ code, message }], trace: randomUUID(), status_code: status }))
    }
    if (!this.#options.accepts(request.headers.authorization))
      return refuse(401, 'unauthorized', 'The token is expired or invalid.')
    if (request.method !== 'POST' || request.url !== '/v1/query')
      return refuse(404, 'not_found', 'Not found.')
    const { query = '', metadata = {} } = JSON.parse(text) as Query
    this.queries.push(query)
    if (metadata.syntax !== 'lucene') return refuse(400, 'bad_request', 'This stand-in knows lucene alone.')
    const matches = readQuery(query)
    const from = Date.parse(metadata.start_date ?? '')
    const to = Date.parse(metadata.end_date ?? '')
    const results = this.#options
      .lines()
      .filter(({ atMs }) => atMs >= from && atMs <= to)
      .map(recordOf)
      .filter(({ fields }) => matches(fields))
      .slice(0, Math.min(MOST_RECORDS, metadata.limit ?? DEFAULT_LIMIT))
      .map(({ record }) => record)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const item of [{ query_id: { query_id: randomUUID() } }, { result: { results } }])
      response.write(`: success\ndata: ${JSON.stringify(item)}\n\n`)
    response.end(':\n\n')
  }
}

function recordOf(line: LoggedLine) {
  const codeengine = {
    project: line.project,
    projectGuid: line.projectId,
    component: line.component,
    subcomponent: line.subcomponent,
    instanceId: line.instance,
  }
  const data = { app: 'codeengine', originator: 'user', codeengine, message: { message: line.text } }
  const record = {
    // nanoseconds, and no zone
    metadata: [{ key: 'timestamp', value: `${new Date(line.atMs).toISOString().slice(0, -1)}000000` }],
    labels: [{ key: 'applicationname', value: 'ibm-platform-logs' }],
    user_data: JSON.stringify(data),
  }
  const fields: Readonly<Record<string, string>> = {
    app: data.app,
    ...Object.fromEntries(Object.entries(codeengine).map(([key, value]) => [`codeengine.${key}`, value])),
    'message.message': line.text,
  }
  return { record, fields }
}

/** A term names one field, or none for any. */
function readQuery(query: string): (fields: Readonly<Record<string, string>>) => boolean {
  const terms = [...query.matchAll(/(?:([\w.]+):)?"((?:[^"\\]|\\.)*)"/g)].map(([, field, text = '']) => ({
    field,
    text: text.replace(/\\(.)/g, '$1'),
  }))
  return fields =>
    terms.every(({ field, text }) =>
      field === undefined
        ? Object.values(fields).some(value => value.includes(text))
        : fields[field] === text,
    )
}
