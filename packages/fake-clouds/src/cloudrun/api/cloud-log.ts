import { refusals } from './refusal.ts'

export interface LogEntry {
  readonly logName: string
  readonly timestamp: string
  readonly textPayload: string
  readonly labels: Readonly<Record<string, string>>
  readonly resource: {
    readonly type: 'cloud_run_revision' | 'cloud_run_job'
    readonly labels: Readonly<Record<string, string>>
  }
}

interface Query {
  readonly filter?: string
  readonly orderBy?: string
  readonly pageSize?: number
  readonly pageToken?: string
}

/** Pages are shorter than was asked for, as the service's may be. */
const MOST_ENTRIES = 40

/** Entries of Cloud Logging, and the part of its query language that clients of Cloud Run need. */
export class CloudLog {
  readonly #entries: { readonly entry: LogEntry; readonly visibleAtMs: number }[] = []
  readonly #delayMs: number

  constructor(delayMs: number) {
    this.#delayMs = delayMs
  }

  /** Everything that was ever written, to search it. */
  get text(): string {
    return this.#entries.map(({ entry }) => entry.textPayload).join('\n')
  }

  write(entry: LogEntry): void {
    this.#entries.push({ entry, visibleAtMs: Date.now() + this.#delayMs })
  }

  /** The answer to `entries:list`. */
  list({ filter = '', orderBy = 'timestamp asc', pageSize = 50, pageToken = '0' }: Query): object {
    const fits = parse(filter)
    const found = this.#entries
      .filter(({ entry, visibleAtMs }) => visibleAtMs <= Date.now() && fits(entry))
      .map(({ entry }) => entry)
    if (orderBy === 'timestamp desc') found.reverse()
    const start = Number(pageToken)
    const end = start + Math.min(pageSize, MOST_ENTRIES)
    return {
      entries: found.slice(start, end),
      ...(end < found.length ? { nextPageToken: String(end) } : {}),
    }
  }
}

type Fits = (entry: LogEntry) => boolean

function parse(filter: string): Fits {
  const parts = split(filter, ' AND ').map(part =>
    /^\(.*\)$/.test(part) ? anyOf(split(part.slice(1, -1), ' OR ').map(comparison)) : comparison(part),
  )
  return entry => parts.every(fits => fits(entry))
}

function anyOf(all: readonly Fits[]): Fits {
  return entry => all.some(fits => fits(entry))
}

/** At the separators that are not within parentheses. */
function split(text: string, separator: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')') depth--
    else if (depth === 0 && text.startsWith(separator, at)) {
      parts.push(text.slice(from, at))
      from = at + separator.length
    }
  }
  return [...parts, text.slice(from)]
}

function comparison(text: string): Fits {
  const [, field = '', operator = '', value = ''] =
    /^((?:[\w.]|"[^"]+")+?)(=~|>=|<=|=|:)"([^"]*)"$/.exec(text) ?? []
  // names with other characters stand in quotation marks
  const path = [...field.matchAll(/"([^"]+)"|([^."]+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  const read = (entry: LogEntry): string =>
    path.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], entry) as string
  switch (operator) {
    case '=':
      return entry => read(entry) === value
    case '=~':
      return entry => new RegExp(value).test(read(entry) ?? '')
    case ':':
      return entry => (read(entry) ?? '').toLowerCase().includes(value.toLowerCase())
    case '>=':
      return entry => Date.parse(read(entry)) >= Date.parse(value)
    case '<=':
      return entry => Date.parse(read(entry)) <= Date.parse(value)
    default:
      throw refusals.invalid(`Unparseable filter: syntax error at '${text}'`)
  }
}
