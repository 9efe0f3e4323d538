import { randomUUID } from 'node:crypto'
import type { AwsSetting } from '../options.ts'

export interface LogEvent {
  readonly eventId: string
  readonly timestamp: number
  readonly ingestionTime: number
  readonly message: string
}

export interface LogStream {
  readonly name: string
  readonly createdAtMs: number
  readonly events: LogEvent[]
}

export interface LogGroup {
  readonly name: string
  readonly arn: string
  readonly createdAtMs: number
  retentionInDays: number | undefined
  readonly streams: Map<string, LogStream>
}

/** Where the output of a function goes. Each line is an event. */
export interface LogSink {
  write(text: string): void
}

/** What CloudWatch Logs keeps. */
export class LogStore {
  readonly groups = new Map<string, LogGroup>()
  readonly #setting: AwsSetting

  constructor(setting: AwsSetting) {
    this.#setting = setting
  }

  createGroup(name: string): LogGroup {
    const { region, accountId } = this.#setting
    const group: LogGroup = {
      name,
      arn: `arn:aws:logs:${region}:${accountId}:log-group:${name}:*`,
      createdAtMs: Date.now(),
      retentionInDays: undefined,
      streams: new Map(),
    }
    this.groups.set(name, group)
    return group
  }

  /** Writes into a stream; it and its group are made when there is something to write, as Lambda does. */
  sink(groupName: string, streamName: string): LogSink {
    let rest = ''
    return {
      write: text => {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        const group = this.groups.get(groupName) ?? this.createGroup(groupName)
        let stream = group.streams.get(streamName)
        if (stream === undefined) {
          stream = { name: streamName, createdAtMs: Date.now(), events: [] }
          group.streams.set(streamName, stream)
        }
        for (const line of lines) {
          if (line === '') continue
          const timestamp = Date.now()
          const ingestionTime = timestamp + this.#setting.timing.logsMs
          stream.events.push({ eventId: randomUUID(), timestamp, ingestionTime, message: `${line}\n` })
        }
      },
    }
  }
}
