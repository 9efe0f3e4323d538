import { AwsError } from '../http/aws-error.ts'
import type { AwsAnswer, AwsRequest, AwsService } from '../http/aws-service.ts'
import { jsonInput, targetAnswer, targetOperation } from '../http/json-service.ts'
import type { AwsSetting } from '../options.ts'
import { filterEvents, getEvents } from './log-events.ts'
import type { LogGroup, LogStore } from './log-store.ts'

const BODY_LIMIT_BYTES = 1024 * 1024
const PAGE_LENGTH = 50
const RETENTIONS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557]
const OPERATIONS = [
  'CreateLogGroup',
  'DeleteLogGroup',
  'DeleteRetentionPolicy',
  'DescribeLogGroups',
  'DescribeLogStreams',
  'FilterLogEvents',
  'GetLogEvents',
  'PutRetentionPolicy',
]

/** CloudWatch Logs: groups, and the events that functions wrote. */
export class LogsService implements AwsService {
  readonly name = 'logs'
  readonly protocol = 'json'
  readonly #setting: AwsSetting
  readonly #store: LogStore

  constructor(setting: AwsSetting, store: LogStore) {
    this.#setting = setting
    this.#store = store
  }

  bodyLimitBytes(): number {
    return BODY_LIMIT_BYTES
  }

  operationOf(request: Omit<AwsRequest, 'caller'>): string | undefined {
    return targetOperation(request, 'Logs_20140328', OPERATIONS)
  }

  resourceOf(_operation: string, request: AwsRequest): string {
    const { logGroupName = '', logGroupIdentifier = logGroupName } = jsonInput(request)
    const { region, accountId } = this.#setting
    const name = String(logGroupIdentifier)
    return name.startsWith('arn:') ? name : `arn:aws:logs:${region}:${accountId}:log-group:${name}`
  }

  answer(operation: string, request: AwsRequest): AwsAnswer {
    const input = jsonInput(request)
    return targetAnswer(this.#run(operation, input))
  }

  #run(operation: string, input: Readonly<Record<string, unknown>>): object {
    const { groups } = this.#store
    switch (operation) {
      case 'CreateLogGroup': {
        const name = String(input.logGroupName ?? '')
        if (!/^[.\-_/#A-Za-z0-9]{1,512}$/.test(name)) throw invalid(`the log group name ${name} is invalid`)
        if (groups.has(name)) {
          throw new AwsError(400, 'ResourceAlreadyExistsException', 'The specified log group already exists')
        }
        this.#store.createGroup(name)
        return {}
      }
      case 'DescribeLogGroups':
        return this.#describeGroups(input)
      case 'DeleteLogGroup':
        groups.delete(this.#group(input).name)
        return {}
      case 'PutRetentionPolicy': {
        const days = Number(input.retentionInDays)
        if (!RETENTIONS.includes(days))
          throw invalid(`retentionInDays must be one of ${RETENTIONS.join(', ')}`)
        this.#group(input).retentionInDays = days
        return {}
      }
      case 'DeleteRetentionPolicy':
        this.#group(input).retentionInDays = undefined
        return {}
      case 'DescribeLogStreams':
        return this.#describeStreams(input)
      case 'FilterLogEvents':
        return filterEvents(this.#group(input), input)
      case 'GetLogEvents':
        return getEvents(this.#group(input), input)
      default:
        throw new Error(`CloudWatch Logs has no answer for ${operation}`)
    }
  }

  #group(input: Readonly<Record<string, unknown>>): LogGroup {
    const identifier = String(input.logGroupName ?? input.logGroupIdentifier ?? '')
    const name = identifier.replace(/^arn:.*:log-group:/, '').replace(/:\*$/, '')
    const group = this.#store.groups.get(name)
    if (group !== undefined) return group
    throw new AwsError(400, 'ResourceNotFoundException', 'The specified log group does not exist.')
  }

  #describeGroups(input: Readonly<Record<string, unknown>>): object {
    const prefix = String(input.logGroupNamePrefix ?? '')
    const pattern = String(input.logGroupNamePattern ?? '')
    const all = [...this.#store.groups.values()]
      .filter(({ name }) => name.startsWith(prefix) && name.includes(pattern))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const { items, nextToken } = slice(all, input)
    const logGroups = items.map(group => ({
      logGroupName: group.name,
      arn: group.arn,
      logGroupArn: group.arn.replace(/:\*$/, ''),
      creationTime: group.createdAtMs,
      retentionInDays: group.retentionInDays,
      metricFilterCount: 0,
      storedBytes: 0,
      logGroupClass: 'STANDARD',
    }))
    return { logGroups, nextToken }
  }

  #describeStreams(input: Readonly<Record<string, unknown>>): object {
    const group = this.#group(input)
    const prefix = String(input.logStreamNamePrefix ?? '')
    const byTime = input.orderBy === 'LastEventTime'
    const lastOf = (name: string) => group.streams.get(name)?.events.at(-1)?.timestamp ?? 0
    const all = [...group.streams.values()]
      .filter(({ name }) => name.startsWith(prefix))
      .toSorted((a, b) => (byTime ? lastOf(a.name) - lastOf(b.name) : a.name < b.name ? -1 : 1))
    if (input.descending === true) all.reverse()
    const { items, nextToken } = slice(all, input)
    const logStreams = items.map(({ name, createdAtMs, events }) => ({
      logStreamName: name,
      arn: `${group.arn.replace(/\*$/, '')}log-stream:${name}`,
      creationTime: createdAtMs,
      firstEventTimestamp: events[0]?.timestamp,
      lastEventTimestamp: events.at(-1)?.timestamp,
      lastIngestionTime: events.at(-1)?.ingestionTime,
    }))
    return { logStreams, nextToken }
  }
}

function slice<T>(all: readonly T[], input: Readonly<Record<string, unknown>>) {
  const start = Number(input.nextToken ?? 0)
  const end = start + Number(input.limit ?? PAGE_LENGTH)
  return { items: all.slice(start, end), nextToken: end < all.length ? String(end) : undefined }
}

function invalid(message: string): AwsError {
  return new AwsError(400, 'InvalidParameterException', message)
}
