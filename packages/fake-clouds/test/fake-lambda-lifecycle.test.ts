import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { expect, test } from 'vitest'
import { FakeAws, type FakeAwsOptions } from '../src/aws/index.ts'
import { invoke, makeFunction } from './fake-aws-functions.ts'

async function start(
  options: FakeAwsOptions,
  source: string,
  settings: Parameters<typeof makeFunction>[3] = {},
) {
  const aws = await FakeAws.start(options)
  const client = new LambdaClient({ ...aws.clientConfig, maxAttempts: 1 })
  const name = await makeFunction(client, aws.roleArn, source, settings)
  return {
    aws,
    call: (event?: unknown) => invoke(client, name, event, { LogType: 'Tail' }),
    [Symbol.asyncDispose]: async () => {
      client.destroy()
      await aws.close()
    },
  }
}

const PID = 'export const handler = async () => process.pid'

test('an environment without calls ends after a while', async () => {
  await using cloud = await start({ timing: { idleMs: 30 } }, PID)
  const { reply } = await cloud.call()
  await expect.poll(() => cloud.aws.environments).toEqual({ busy: 0, free: 0, started: 1 })
  expect((await cloud.call()).reply).not.toBe(reply)
})

test('an initialization that hangs is ended at its limit, and again with the call', async () => {
  await using cloud = await start(
    { timing: { initLimitMs: 400 } },
    "console.log('loading'); setInterval(() => {}, 1000); await new Promise(() => {}); " + PID,
    { Timeout: 1 },
  )
  const { reply, requestId, log } = await cloud.call()
  expect(reply).toEqual({
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after 1.00 seconds`,
  })
  expect(log).toContain('loading')
  expect(log).not.toContain('Init Duration')
  expect(log).toMatch(/\tStatus: timeout\t\n$/)
})

test('a cold start takes longer when told so, and that is no time of the function', async () => {
  await using cloud = await start({ timing: { coldStartMs: 1_500 } }, PID, { Timeout: 1 })
  expect((await cloud.call()).reply).toEqual(expect.any(Number))
})

test('logs go to the group that was named, and show after a while', async () => {
  const logGroupName = '/my/group'
  await using cloud = await start(
    { timing: { logsMs: 500 } },
    "export const handler = async () => { console.log('here'); return 1 }",
    { LoggingConfig: { LogGroup: logGroupName } },
  )
  const logs = new CloudWatchLogsClient(cloud.aws.clientConfig)
  await cloud.call()
  expect(cloud.aws.logGroupNames).toEqual([logGroupName])
  const find = async () =>
    (await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: 'here' }))).events?.length
  await expect.poll(find, { timeout: 5_000 }).toBe(1)
  logs.destroy()
})

test('a worker has the keys of its role, or those that it is given', async () => {
  const KEYS =
    'export const handler = async () => [process.env.AWS_ACCESS_KEY_ID, process.env.AWS_SESSION_TOKEN ?? null, process.env.EXTRA ?? null]'
  await using own = await start({}, KEYS)
  expect((await own.call()).reply).toEqual([expect.stringMatching(/^ASIA/), expect.any(String), null])
  await using given = await start(
    {
      workerCredentials: { accessKeyId: 'KEY', secretAccessKey: 'SECRET' },
      workerEnvironment: { EXTRA: 'yes' },
    },
    KEYS,
  )
  expect((await given.call()).reply).toEqual(['KEY', null, 'yes'])
})

test('what is set up wrongly is told, at the start or in the answer', async () => {
  await expect(FakeAws.start({ runtimeInterfaceClient: '/no/such' })).rejects.toThrow(
    'there is no aws-lambda-ric in /no/such',
  )
  await using aws = await FakeAws.start()
  const client = new LambdaClient({ ...aws.clientConfig, maxAttempts: 1 })
  const { uri } = aws.putImage({ repository: 'r', tag: 't' })
  const name = await makeFunction(client, aws.roleArn, '', {
    PackageType: 'Image',
    Code: { ImageUri: uri },
    Runtime: undefined,
    Handler: undefined,
  })
  await expect(invoke(client, name)).rejects.toThrow(
    `The stand-in for AWS failed: nothing was said to stand for the image ${uri}`,
  )
  client.destroy()
})
