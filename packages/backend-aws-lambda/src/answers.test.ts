import {
  CallOutOfMemoryError,
  CallTimeoutError,
  InvocationError,
  ProtocolError,
  TIMEOUT_MARK,
  WorkerLostError,
} from '@lithops/core/driver'
import { describe, expect, test } from 'vitest'
import { brokenConnection, factsOf, functionError, refusal } from './answers.ts'
import { type HttpAnswer, RequestBroken } from './exchange.ts'

const ID = '8f507cfc-xmpl-4697-b07a-ac58fc914c95'

function answer(body: unknown, { status = 200, log = '', headers = {} } = {}): HttpAnswer {
  return {
    status,
    headers: {
      'x-amzn-requestid': ID,
      ...(log === '' ? {} : { 'x-amz-log-result': Buffer.from(log).toString('base64') }),
      ...headers,
    },
    body: Buffer.from(JSON.stringify(body)),
  }
}

const report = (used: number) =>
  `END RequestId: ${ID}\nREPORT RequestId: ${ID}\tDuration: 12.34 ms\tBilled Duration: 150 ms\tMemory Size: 256 MB\tMax Memory Used: ${used} MB\tInit Duration: 137.20 ms\t\n`

test('the last line of the log tells what is billed', () => {
  expect(factsOf(answer('', { log: `START RequestId: ${ID}\n${report(80)}` }))).toMatchObject({
    requestId: ID,
    billedMs: 150,
    memoryMiB: 256,
    maxMemoryMiB: 80,
  })
  expect(factsOf(answer(''))).toMatchObject({ billedMs: undefined, log: undefined })
})

describe('a worker that broke', () => {
  const fail = (errorType: string, errorMessage: string, log = '') =>
    functionError(answer({ errorType, errorMessage }, { log }), 3000)

  test('is a timeout of Lambda', () => {
    const error = fail('Sandbox.Timedout', `RequestId: ${ID} Error: Task timed out after 3.00 seconds`)
    expect(error).toBeInstanceOf(CallTimeoutError)
    expect(error.message).toContain('3 s')
    expect(error.details).toMatchObject({ requestId: ID })
  })

  test('is a timeout of the call, by what the worker wrote before its end', () => {
    const error = fail(
      'Runtime.ExitError',
      `RequestId: ${ID} Error: Runtime exited with error: signal: alarm clock`,
      `START RequestId: ${ID}\n${TIMEOUT_MARK} of 300 ms: call 3 never let go\n${report(80)}`,
    )
    expect(error).toBeInstanceOf(CallTimeoutError)
    expect(error.message).toBe(`${TIMEOUT_MARK} of 300 ms: call 3 never let go.`)
  })

  test('is one that ran out of memory: killed at its limit, or by V8', () => {
    const killed = `RequestId: ${ID} Error: Runtime exited with error: signal: killed`
    expect(fail('Runtime.ExitError', killed, report(256))).toBeInstanceOf(CallOutOfMemoryError)
    expect(fail('Runtime.OutOfMemory', killed, report(256))).toBeInstanceOf(CallOutOfMemoryError)
    expect(fail('Runtime.ExitError', killed, report(80))).toBeInstanceOf(WorkerLostError)
    const aborted = `RequestId: ${ID} Error: Runtime exited with error: signal: aborted`
    const v8 = `FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n${report(200)}`
    expect(fail('Runtime.ExitError', aborted, v8)).toBeInstanceOf(CallOutOfMemoryError)
  })

  test('has exited: the error has how, and its last lines', () => {
    const error = fail(
      'Runtime.ExitError',
      `RequestId: ${ID} Error: Runtime exited with error: exit status 3`,
      `START RequestId: ${ID}\nabout to exit\n${report(80)}`,
    )
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error.message).toContain('Runtime exited with error: exit status 3')
    expect(error.isRetryable).toBe(true)
    expect(error.details).toMatchObject({ output: 'about to exit', peakMemoryMiB: 80, billedMs: 150 })
  })

  test('speaks another version, answers too much, or cannot start: it is not tried again', () => {
    expect(fail('ProtocolError', 'The client speaks protocol version 2')).toBeInstanceOf(ProtocolError)
    for (const type of ['Function.ResponseSizeTooLarge', 'Runtime.ImportModuleError']) {
      expect(fail(type, 'message')).toMatchObject({ name: 'InvocationError', isRetryable: false })
    }
  })
})

describe('a refusal', () => {
  const refuse = (status: number, code: string, fields = {}, headers = {}) =>
    refusal(answer(fields, { status, headers: { 'x-amzn-errortype': code, ...headers } }), 'fn')

  test.each([
    'ConcurrentInvocationLimitExceeded',
    'ReservedFunctionConcurrentInvocationLimitExceeded',
    'FunctionInvocationRateLimitExceeded',
    'ReservedFunctionInvocationRateLimitExceeded',
    'CallerRateLimitExceeded',
    'ConcurrentSnapshotCreateLimitExceeded',
  ])('for %s only slows down', Reason => {
    const error = refuse(429, 'TooManyRequestsException', { Reason, message: 'Rate Exceeded.' })
    expect(error).toMatchObject({ isThrottled: true, isRetryable: true, mayHaveRun: false })
    expect(error.details).toMatchObject({ reason: Reason })
    expect(error.message).toContain(Reason)
  })

  test('says how long to wait', () => {
    const error = refuse(429, 'TooManyRequestsException', {}, { 'retry-after': '2' })
    expect(error.details).toMatchObject({ retryAfterMs: 2000 })
  })

  test.each([
    [500, 'ServiceException', true, true],
    [502, 'ENINotReadyException', true, false],
    [502, 'EC2ThrottledException', true, false],
    [502, 'InvalidRuntimeException', false, false],
    [502, 'KMSDisabledException', false, false],
    [404, 'ResourceNotFoundException', true, false],
    [409, 'ResourceConflictException', true, false],
    [413, 'RequestTooLargeException', false, false],
    [400, 'InvalidRequestContentException', false, false],
    [403, 'AccessDeniedException', false, false],
    [403, 'ExpiredTokenException', true, false],
  ])('of status %i, %s', (status, code, isRetryable, mayHaveRun) => {
    expect(refuse(status, code)).toMatchObject({ isRetryable, mayHaveRun, isThrottled: false })
  })

  test('for want of a right names it', () => {
    const message = 'User: arn:… is not authorized to perform: lambda:InvokeFunction on resource: …'
    expect(refuse(403, 'AccessDeniedException', { Message: message }).message).toContain(
      'needs the right lambda:InvokeFunction',
    )
  })
})

test('a connection that breaks before anything was sent has run nothing', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  expect(brokenConnection(new RequestBroken(cause, false), 'fn')).toMatchObject({ mayHaveRun: false })
  const error = brokenConnection(new RequestBroken(cause, true), 'fn')
  expect(error).toBeInstanceOf(InvocationError)
  expect(error).toMatchObject({ mayHaveRun: true, isRetryable: true })
})
