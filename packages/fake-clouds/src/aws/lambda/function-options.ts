import type { Admission } from '../data-plane/admission.ts'
import { type AwsAnswer, type AwsRequest, jsonAnswer } from '../http/aws-service.ts'
import type { AwsSetting } from '../options.ts'
import type { Functions } from './functions.ts'
import type { EventInvokeConfig, LambdaFunction } from './lambda-function.ts'
import { constraint, functionArn, invalidParameter, notFound } from './names.ts'

const MAX_TAGS = 50
/** What must stay for functions without a reservation. From: "Configuring reserved concurrency". */
const MIN_UNRESERVED = 100

/** What a function has beside its configuration: retries, concurrency, tags. */
export class FunctionOptions {
  readonly #setting: AwsSetting
  readonly #functions: Functions
  readonly #admission: Admission

  constructor(options: {
    readonly setting: AwsSetting
    readonly functions: Functions
    readonly admission: Admission
  }) {
    this.#setting = options.setting
    this.#functions = options.functions
    this.#admission = options.admission
  }

  putEventInvokeConfig(name: string, request: AwsRequest, isUpdate: boolean): AwsAnswer {
    const { fn, qualifier } = this.#functions.find(name, request.query)
    if (Date.now() < fn.createdAtMs + this.#setting.timing.eventInvokeConfigMs) {
      throw notFound(`Function not found: ${functionArn(this.#setting, fn.name, qualifier)}`)
    }
    const input = JSON.parse(request.body.toString()) as Partial<EventInvokeConfig>
    checkRange(input.MaximumRetryAttempts, 'maximumRetryAttempts', 0, 2)
    checkRange(input.MaximumEventAgeInSeconds, 'maximumEventAgeInSeconds', 60, 21_600)
    fn.eventInvokeConfig = {
      ...(isUpdate && fn.eventInvokeConfig),
      ...input,
      modifiedAtMs: Date.now(),
    }
    return this.#eventInvokeAnswer(fn, fn.eventInvokeConfig, qualifier)
  }

  getEventInvokeConfig(name: string, query: URLSearchParams): AwsAnswer {
    const { fn, qualifier } = this.#functions.find(name, query)
    if (fn.eventInvokeConfig === undefined) throw this.#noEventInvokeConfig(fn, qualifier)
    return this.#eventInvokeAnswer(fn, fn.eventInvokeConfig, qualifier)
  }

  deleteEventInvokeConfig(name: string, query: URLSearchParams): AwsAnswer {
    const { fn, qualifier } = this.#functions.find(name, query)
    if (fn.eventInvokeConfig === undefined) throw this.#noEventInvokeConfig(fn, qualifier)
    fn.eventInvokeConfig = undefined
    return { status: 204 }
  }

  putConcurrency(name: string, request: AwsRequest): AwsAnswer {
    const { fn } = this.#functions.find(name, request.query)
    const input = JSON.parse(request.body.toString()) as { readonly ReservedConcurrentExecutions: number }
    const count = input.ReservedConcurrentExecutions
    checkRange(count, 'reservedConcurrentExecutions', 0, Number.MAX_SAFE_INTEGER)
    const least = Math.min(MIN_UNRESERVED, this.#setting.quotas.concurrentExecutions)
    if (this.#admission.unreserved + (fn.reservedConcurrency ?? 0) - count < least) {
      throw invalidParameter(
        `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${least}].`,
      )
    }
    this.#setReserved(fn, count)
    return jsonAnswer({ ReservedConcurrentExecutions: count })
  }

  getConcurrency(name: string, query: URLSearchParams): AwsAnswer {
    const { fn } = this.#functions.find(name, query)
    return jsonAnswer({ ReservedConcurrentExecutions: fn.reservedConcurrency })
  }

  deleteConcurrency(name: string, query: URLSearchParams): AwsAnswer {
    this.#setReserved(this.#functions.find(name, query).fn, undefined)
    return { status: 204 }
  }

  putRecursion(name: string, request: AwsRequest): AwsAnswer {
    const { fn } = this.#functions.find(name, request.query)
    const { RecursiveLoop } = JSON.parse(request.body.toString()) as { readonly RecursiveLoop: string }
    if (RecursiveLoop !== 'Allow' && RecursiveLoop !== 'Terminate') {
      throw constraint(
        RecursiveLoop,
        'recursiveLoop',
        'Member must satisfy enum value set: [Allow, Terminate]',
      )
    }
    fn.recursiveLoop = RecursiveLoop
    return jsonAnswer({ RecursiveLoop })
  }

  getRecursion(name: string, query: URLSearchParams): AwsAnswer {
    return jsonAnswer({ RecursiveLoop: this.#functions.find(name, query).fn.recursiveLoop })
  }

  tag(arn: string, request: AwsRequest): AwsAnswer {
    const { fn } = this.#functions.find(arn, request.query)
    const { Tags = {} } = JSON.parse(request.body.toString()) as { readonly Tags?: Record<string, string> }
    const after = new Map([...fn.tags, ...Object.entries(Tags)])
    if (after.size > MAX_TAGS) throw invalidParameter(`The maximum number of tags is ${MAX_TAGS}.`)
    for (const [key, value] of Object.entries(Tags)) fn.tags.set(key, value)
    return { status: 204 }
  }

  untag(arn: string, query: URLSearchParams): AwsAnswer {
    const { fn } = this.#functions.find(arn, query)
    for (const key of query.getAll('tagKeys')) fn.tags.delete(key)
    return { status: 204 }
  }

  listTags(arn: string, query: URLSearchParams): AwsAnswer {
    return jsonAnswer({ Tags: Object.fromEntries(this.#functions.find(arn, query).fn.tags) })
  }

  #setReserved(fn: LambdaFunction, count: number | undefined): void {
    fn.reservedConcurrency = count
    this.#admission.reserve(fn.name, count)
  }

  #eventInvokeAnswer(fn: LambdaFunction, config: EventInvokeConfig, qualifier = '$LATEST'): AwsAnswer {
    const { modifiedAtMs, ...rest } = config
    return jsonAnswer({
      LastModified: modifiedAtMs / 1000,
      FunctionArn: functionArn(this.#setting, fn.name, qualifier),
      DestinationConfig: { OnSuccess: {}, OnFailure: {} },
      ...rest,
    })
  }

  #noEventInvokeConfig(fn: LambdaFunction, qualifier = '$LATEST') {
    const arn = functionArn(this.#setting, fn.name, qualifier)
    return notFound(`The function ${arn} doesn't have an EventInvokeConfig`)
  }
}

function checkRange(value: number | undefined | null, member: string, least: number, most: number): void {
  if (value === undefined || value === null) return
  if (value < least) {
    throw constraint(value, member, `Member must have value greater than or equal to ${least}`)
  }
  if (value > most) throw constraint(value, member, `Member must have value less than or equal to ${most}`)
}
