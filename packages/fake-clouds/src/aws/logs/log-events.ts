import { AwsError } from '../http/aws-error.ts'
import type { LogEvent, LogGroup } from './log-store.ts'

type Input = Readonly<Record<string, unknown>>

/** Events of a page, and bytes, at most. From: FilterLogEvents of the CloudWatch Logs API reference. */
const MAX_EVENTS = 10_000
const MAX_BYTES = 1024 * 1024
/** What each event counts besides its message. */
const EVENT_BYTES = 26

interface FoundEvent extends LogEvent {
  readonly logStreamName: string
}

/**
 * FilterLogEvents. A page ends also where the service has looked at enough: it may be empty and still name the next one. Here
 * it does so at the borders of streams.
 */
export function filterEvents(group: LogGroup, input: Input): object {
  const names = input.logStreamNames as readonly string[] | undefined
  const prefix = String(input.logStreamNamePrefix ?? '')
  const streams = [...group.streams.values()].filter(
    ({ name }) => name.startsWith(prefix) && (names === undefined || names.includes(name)),
  )
  const isWanted = compilePattern(String(input.filterPattern ?? ''))
  const [streamNumber = 0, eventNumber = 0] = String(input.nextToken ?? '0.0')
    .split('.')
    .map(Number)
  const stream = streams[streamNumber]
  if (stream === undefined) return { events: [], searchedLogStreams: [] }
  const found: FoundEvent[] = stream.events
    .filter(event => isVisible(event, input) && isWanted(event.message))
    .map(event => ({ ...event, logStreamName: stream.name }))
  const end = endOfPage(found, eventNumber, Number(input.limit ?? MAX_EVENTS))
  const isStreamDone = end >= found.length
  const isLast = isStreamDone && streamNumber + 1 >= streams.length
  const next = isStreamDone ? `${streamNumber + 1}.0` : `${streamNumber}.${end}`
  return {
    events: found.slice(eventNumber, end),
    searchedLogStreams: [],
    ...(!isLast && { nextToken: next }),
  }
}

/** GetLogEvents: tokens are always given, and the same one again at the end. */
export function getEvents(group: LogGroup, input: Input): object {
  const stream = group.streams.get(String(input.logStreamName ?? ''))
  if (stream === undefined) {
    throw new AwsError(400, 'ResourceNotFoundException', 'The specified log stream does not exist.')
  }
  const all = stream.events.filter(event => isVisible(event, input))
  const limit = Number(input.limit ?? MAX_EVENTS)
  const token = /^([fb])\/(\d+)$/.exec(String(input.nextToken ?? ''))
  const isForward = token === null ? input.startFromHead === true : token[1] === 'f'
  const at = token === null ? (isForward ? 0 : all.length) : Number(token[2])
  const [start, end] = isForward
    ? [at, endOfPage(all, at, limit)]
    : [Math.max(0, at - Math.min(limit, MAX_EVENTS)), at]
  return {
    events: all.slice(start, end).map(({ timestamp, message, ingestionTime }) => ({
      timestamp,
      message,
      ingestionTime,
    })),
    nextForwardToken: `f/${end}`,
    nextBackwardToken: `b/${start}`,
  }
}

function endOfPage(events: readonly LogEvent[], start: number, limit: number): number {
  let bytes = 0
  let end = start
  while (end < events.length && end - start < Math.min(limit, MAX_EVENTS)) {
    bytes += Buffer.byteLength((events[end] as LogEvent).message) + EVENT_BYTES
    if (bytes > MAX_BYTES && end > start) break
    end++
  }
  return end
}

function isVisible({ timestamp, ingestionTime }: LogEvent, { startTime, endTime }: Input): boolean {
  if (ingestionTime > Date.now()) return false
  if (startTime != null && timestamp < Number(startTime)) return false
  return endTime == null || timestamp < Number(endTime)
}

/** Terms that must all be there, quoted or not; '?term' of which one must, '-term' that must not. */
function compilePattern(pattern: string): (message: string) => boolean {
  if (/^\s*[{[%]/.test(pattern)) {
    throw new AwsError(400, 'InvalidParameterException', 'Invalid filter pattern: only terms are known here')
  }
  const terms = [...pattern.matchAll(/([?-]?)(?:"([^"]*)"|(\S+))/g)].map(([, sign, quoted, plain]) => ({
    sign,
    text: quoted ?? plain ?? '',
  }))
  const all = terms.filter(({ sign }) => sign === '')
  const some = terms.filter(({ sign }) => sign === '?')
  const none = terms.filter(({ sign }) => sign === '-')
  return message =>
    all.every(({ text }) => message.includes(text)) &&
    none.every(({ text }) => !message.includes(text)) &&
    (some.length === 0 || some.some(({ text }) => message.includes(text)))
}
