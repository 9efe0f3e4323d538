import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  LambdaClient,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { awsFaults, FakeAws, type FakeAwsOptions } from '../src/aws/index.ts'
import { invoke, makeFunction } from './fake-aws-functions.ts'

const ALWAYS = Number.POSITIVE_INFINITY
/** Ends when told to by a file, so that no test waits for a time. */
const HELD = `import { existsSync } from 'node:fs'
  export const handler = async file => { while (!existsSync(file)) await new Promise(r => setTimeout(r, 10)); return 'done' }`

let folder: string
let aws: FakeAws
let client: LambdaClient
beforeAll(async () => {
  aws = await FakeAws.start({ timing: { asyncRetryMs: [20, 40], asyncBackoffMs: 20 } })
  client = new LambdaClient({ ...aws.clientConfig, maxAttempts: 1 })
})
afterAll(async () => {
  client.destroy()
  await aws.close()
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fake-lambda-faults-'))
})
afterEach(() => {
  aws.clear()
  rmSync(folder, { recursive: true, force: true })
})

const make = (source: string, settings: Parameters<typeof makeFunction>[3] = {}) =>
  makeFunction(client, aws.roleArn, source, settings)
/** A function that notes each of its runs, and fails when the event says so. */
const noting = () =>
  make(`import { appendFileSync } from 'node:fs'
    export const handler = async ({ file, fails }, { awsRequestId }) => {
      appendFileSync(file, awsRequestId + '\\n'); if (fails) throw new Error('no'); return 'ran' }`)
const notes = (file: string) => {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n')
  } catch {
    return []
  }
}

/** Another account, with a function that is held. */
async function account(options: FakeAwsOptions, settings: Parameters<typeof makeFunction>[3] = {}) {
  const own = await FakeAws.start(options)
  const lambda = new LambdaClient({ ...own.clientConfig, maxAttempts: 1 })
  const name = await makeFunction(lambda, own.roleArn, HELD, settings)
  const file = path.join(folder, 'go')
  return {
    own,
    lambda,
    name,
    call: () =>
      invoke(lambda, name, file).then(
        ({ reply }) => reply,
        error => error,
      ),
    go: () => appendFileSync(file, ''),
    [Symbol.asyncDispose]: async () => {
      lambda.destroy()
      await own.close()
    },
  }
}

describe('too many calls', () => {
  test('beyond the concurrency of the account', async () => {
    await using small = await account({ quotas: { concurrentExecutions: 2 } })
    const running = [small.call(), small.call()]
    await expect.poll(() => small.own.environments.busy).toBe(2)
    expect(await small.call()).toMatchObject({
      name: 'TooManyRequestsException',
      Reason: 'ConcurrentInvocationLimitExceeded',
      message: 'Rate Exceeded.',
      $metadata: { httpStatusCode: 429 },
    })
    small.go()
    expect(await Promise.all(running)).toEqual(['done', 'done'])
    expect(await small.call()).toBe('done')
    expect(small.own.peakConcurrency).toBe(2)
  })

  test('beyond what is reserved for a function', async () => {
    await using small = await account({ quotas: { concurrentExecutions: 101 } })
    await small.lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: small.name, ReservedConcurrentExecutions: 1 }),
    )
    const running = small.call()
    await expect.poll(() => small.own.environments.busy).toBe(1)
    expect(await small.call()).toMatchObject({
      name: 'TooManyRequestsException',
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    })
    small.go()
    expect(await running).toBe('done')
  })

  test('faster than environments may be added', async () => {
    await using small = await account({ quotas: { environmentsPerTenSeconds: 1 } })
    const running = small.call()
    await expect.poll(() => small.own.environments.busy).toBe(1)
    expect(await small.call()).toMatchObject({ Reason: 'ConcurrentInvocationLimitExceeded' })
    small.go()
    expect(await running).toBe('done')
    // an environment that is there needs no growth
    expect(await small.call()).toBe('done')
  })

  test('more per second than ten times the concurrency', async () => {
    await using small = await account({ quotas: { requestsPerSecondPerConcurrency: 0.003 } })
    small.go()
    const replies = await Promise.all(Array.from({ length: 20 }, () => small.call()))
    expect(replies).toContain('done')
    const throttled = replies.find(reply => reply !== 'done')
    expect(throttled).toMatchObject({ Reason: 'FunctionInvocationRateLimitExceeded' })
  })

  test('with any reason, on demand', async () => {
    const name = await noting()
    const fault = aws.inject(awsFaults.throttle('CallerRateLimitExceeded', { retryAfterS: 7 }), {
      operation: 'Invoke',
      functionName: name,
      every: 2,
      times: 1,
    })
    const file = path.join(folder, 'notes')
    expect((await invoke(client, name, { file })).reply).toBe('ran')
    await expect(invoke(client, name, { file })).rejects.toMatchObject({
      Reason: 'CallerRateLimitExceeded',
      retryAfterSeconds: '7',
    })
    expect((await invoke(client, name, { file })).reply).toBe('ran')
    expect(fault.strikes).toBe(1)
    expect(notes(file)).toHaveLength(2)
  })
})

describe('replies', () => {
  test('that are errors of the service', async () => {
    const name = await noting()
    const file = path.join(folder, 'notes')
    for (const status of [500, 503]) {
      aws.inject(awsFaults.serviceError(status), { operation: 'Invoke' })
      await expect(invoke(client, name, { file })).rejects.toMatchObject({
        name: 'ServiceException',
        $metadata: { httpStatusCode: status },
      })
    }
    expect(notes(file)).toEqual([])
  })

  test('that are lost after the function ran, and connections that are refused before', async () => {
    const name = await noting()
    const file = path.join(folder, 'notes')
    aws.inject(awsFaults.loseReply(), { operation: 'Invoke' })
    await expect(invoke(client, name, { file })).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(notes(file)).toHaveLength(1)
    aws.inject(awsFaults.refuse(), { operation: 'Invoke' })
    await expect(invoke(client, name, { file })).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(notes(file)).toHaveLength(1)
    expect(aws.requests.slice(-2).map(({ status }) => status)).toEqual([0, 0])
  })

  test('of environments that are killed in the middle', async () => {
    const name = await make(HELD)
    const file = path.join(folder, 'go')
    const fault = aws.inject(awsFaults.killEnvironment(50), { operation: 'Invoke' })
    const { answer, reply, requestId } = await invoke(client, name, file)
    expect(answer.FunctionError).toBe('Unhandled')
    expect(reply).toEqual({
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
    })
    expect(fault.strikes).toBe(1)
    appendFileSync(file, '')
    expect((await invoke(client, name, file)).reply).toBe('done')
    // also where the function is faster than who kills it
    aws.inject(awsFaults.killEnvironment(5_000), { operation: 'Invoke' })
    expect((await invoke(client, name, file)).reply).toMatchObject({ errorType: 'Runtime.ExitError' })
    expect((await invoke(client, name, file)).reply).toBe('done')
  })
})

describe('asynchronous calls', () => {
  const event = { InvocationType: 'Event' } as const

  test('are accepted, run once, and leave their log', async () => {
    const name = await noting()
    const file = path.join(folder, 'notes')
    const { answer, reply, requestId } = await invoke(client, name, { file }, event)
    expect([answer.StatusCode, reply]).toEqual([202, undefined])
    await expect.poll(() => aws.openEvents).toBe(0)
    expect(notes(file)).toEqual([requestId])
  })

  test('are run three times when they fail, with one request id; once when that is said', async () => {
    const name = await noting()
    const file = path.join(folder, 'notes')
    const { requestId } = await invoke(client, name, { file, fails: true }, event)
    await expect.poll(() => aws.openEvents, { timeout: 5_000 }).toBe(0)
    expect(notes(file)).toEqual([requestId, requestId, requestId])
    await client.send(
      new PutFunctionEventInvokeConfigCommand({ FunctionName: name, MaximumRetryAttempts: 0 }),
    )
    const once = path.join(folder, 'once')
    await invoke(client, name, { file: once, fails: true }, event)
    await expect.poll(() => aws.openEvents, { timeout: 5_000 }).toBe(0)
    expect(notes(once)).toHaveLength(1)
  })

  test('are delivered twice when that is switched on', async () => {
    const name = await noting()
    const file = path.join(folder, 'notes')
    const fault = aws.inject(awsFaults.duplicate(), { operation: 'Invoke', times: ALWAYS })
    const ids = []
    for (let i = 0; i < 3; i++) ids.push((await invoke(client, name, { file }, event)).requestId)
    await expect.poll(() => aws.openEvents, { timeout: 5_000 }).toBe(0)
    expect(fault.strikes).toBe(3)
    expect(notes(file).toSorted()).toEqual([...ids, ...ids].toSorted())
  })

  test('wait in the queue while the account is full', async () => {
    await using small = await account({ quotas: { concurrentExecutions: 1 }, timing: { asyncBackoffMs: 20 } })
    const running = small.call()
    await expect.poll(() => small.own.environments.busy).toBe(1)
    const { answer } = await invoke(small.lambda, small.name, path.join(folder, 'go'), event)
    expect(answer.StatusCode).toBe(202)
    await expect.poll(() => small.own.openEvents).toBe(1)
    small.go()
    expect(await running).toBe('done')
    await expect.poll(() => small.own.openEvents, { timeout: 10_000 }).toBe(0)
  })
})
