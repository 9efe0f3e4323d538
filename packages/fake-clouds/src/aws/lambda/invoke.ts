import { randomBytes } from 'node:crypto'
import type { Admission } from '../data-plane/admission.ts'
import { AsyncQueue } from '../data-plane/async-queue.ts'
import type { InvocationReport } from '../data-plane/invocation-log.ts'
import { AwsError } from '../http/aws-error.ts'
import { faultOf } from '../http/aws-server.ts'
import type { AwsAnswer, AwsRequest } from '../http/aws-service.ts'
import type { AwsSetting } from '../options.ts'
import type { LambdaFunction } from './lambda-function.ts'
import { conflict, functionArn, notFound } from './names.ts'

/** From: "Lambda quotas": the payload of a synchronous and of an asynchronous invocation. */
export const SYNC_LIMIT_BYTES = 6 * 1024 * 1024
export const ASYNC_LIMIT_BYTES = 1024 * 1024

interface InvokeInput {
  readonly fn: LambdaFunction
  readonly qualifier: string | undefined
  readonly requestId: string
  readonly body: Buffer
  readonly clientContext: string | undefined
  readonly killAfterMs: number | undefined
}

/** The Invoke operation. */
export class Invoker {
  readonly queue: AsyncQueue
  readonly #setting: AwsSetting
  readonly #admission: Admission
  readonly #isKnown: (fn: LambdaFunction) => boolean

  constructor(options: {
    readonly setting: AwsSetting
    readonly admission: Admission
    /** False for a function that was deleted since. */
    readonly isKnown: (fn: LambdaFunction) => boolean
  }) {
    this.#setting = options.setting
    this.#admission = options.admission
    this.#isKnown = options.isKnown
    this.queue = new AsyncQueue(options.setting.timing)
  }

  async invoke(fn: LambdaFunction, qualifier: string | undefined, request: AwsRequest): Promise<AwsAnswer> {
    const { headers, requestId, body } = request
    const type = headers['x-amz-invocation-type'] ?? 'RequestResponse'
    if (type !== 'RequestResponse' && type !== 'Event' && type !== 'DryRun') {
      throw new AwsError(400, 'InvalidRequestContentException', `${String(type)} is no invocation type`)
    }
    const limit = type === 'Event' ? ASYNC_LIMIT_BYTES : SYNC_LIMIT_BYTES
    if (body.length > limit) {
      throw new AwsError(
        413,
        'RequestTooLargeException',
        `${body.length} byte payload is too large for the ${type} invocation type (limit ${limit} bytes)`,
        { fields: { Type: 'User' } },
      )
    }
    checkJson(body)
    this.#versionOf(fn, qualifier)
    if (type === 'DryRun') return { status: 204 }
    const fault = faultOf(request)
    const context = headers['x-amz-client-context']
    const input: InvokeInput = {
      fn,
      qualifier,
      requestId,
      body: body.length === 0 ? Buffer.from('{}') : body,
      clientContext: typeof context === 'string' ? Buffer.from(context, 'base64').toString() : undefined,
      killAfterMs: fault?.kind === 'killEnvironment' ? fault.afterMs : undefined,
    }
    if (type === 'Event') {
      const copies = fault?.kind === 'duplicate' ? fault.copies : 0
      for (let i = 0; i <= copies; i++) this.#enqueue(input)
      return { status: 202 }
    }
    const { version, report } = await this.#run(input)
    const isFailed = report.outcome.errorType !== undefined
    return {
      status: 200,
      headers: {
        'content-type': 'application/json',
        'x-amz-executed-version': version,
        ...(isFailed && { 'x-amz-function-error': 'Unhandled' }),
        ...(headers['x-amz-log-type'] === 'Tail' && { 'x-amz-log-result': report.tail.toString('base64') }),
      },
      body: report.outcome.body,
    }
  }

  #enqueue(input: InvokeInput): void {
    let killAfterMs = input.killAfterMs
    this.queue.accept({
      requestId: input.requestId,
      functionName: input.fn.name,
      acceptedAtMs: Date.now(),
      policy: () => AsyncQueue.policy(input.fn.eventInvokeConfig),
      deliver: async () => {
        if (!this.#isKnown(input.fn)) throw notFound(`Function not found: ${input.fn.name}`)
        const { report } = await this.#run({ ...input, killAfterMs })
        // the fault was for one delivery
        killAfterMs = undefined
        return { hasFailed: report.outcome.errorType !== undefined }
      },
    })
  }

  async #run(input: InvokeInput): Promise<{ readonly version: string; readonly report: InvocationReport }> {
    const { fn, requestId, body, clientContext, killAfterMs } = input
    const { version, pool } = this.#versionOf(fn, input.qualifier)
    const done = this.#admission.admit(fn.name, pool.freeCount === 0)
    try {
      const report = await pool.use(environment =>
        environment.invoke(
          {
            requestId,
            body,
            functionArn: functionArn(this.#setting, fn.name, input.qualifier),
            traceId: traceId(),
            ...(clientContext !== undefined && { clientContext }),
          },
          killAfterMs === undefined ? {} : { killAfterMs },
        ),
      )
      return { version, report }
    } finally {
      done()
    }
  }

  #versionOf(fn: LambdaFunction, qualifier: string | undefined) {
    if (fn.state !== 'Active') {
      throw conflict(
        `The operation cannot be performed at this time. The function is currently in the following state: ${fn.state}`,
      )
    }
    const version = fn.find(qualifier)
    if (version === undefined) {
      throw notFound(`Function not found: ${functionArn(this.#setting, fn.name, qualifier)}`)
    }
    return version
  }
}

function checkJson(body: Buffer): void {
  if (body.length === 0) return
  try {
    JSON.parse(body.toString())
  } catch (error) {
    throw new AwsError(
      400,
      'InvalidRequestContentException',
      `Could not parse request body into json: ${(error as Error).message}`,
      { fields: { Type: 'User' } },
    )
  }
}

function traceId(): string {
  const time = Math.floor(Date.now() / 1000).toString(16)
  return `Root=1-${time}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`
}
