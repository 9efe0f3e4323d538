import { createHash, randomBytes } from 'node:crypto'
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteFunctionCommand,
  DeleteLayerVersionCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  InvokeCommand,
  LambdaClient,
  ListLayersCommand,
  ListLayerVersionsCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  paginateListFunctions,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeAws } from '../src/aws/index.ts'
import { invoke, makeFunction, zipOf } from './fake-aws-functions.ts'

const WAIT = { maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.2 }

let aws: FakeAws
let client: LambdaClient
let zip: Buffer
beforeAll(async () => {
  aws = await FakeAws.start({ quotas: { controlPlanePerSecond: 1000, getFunctionPerSecond: 1000 } })
  client = new LambdaClient({ ...aws.clientConfig, maxAttempts: 1 })
  zip = await zipOf({ 'index.mjs': "export const handler = async () => 'one'" })
})
afterAll(async () => {
  client.destroy()
  await aws.close()
})

const create = (FunctionName: string, more: Partial<CreateFunctionCommandInput> = {}) =>
  client.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: aws.roleArn,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Code: { ZipFile: zip },
      ...more,
    }),
  )
const configurationOf = async (FunctionName: string) =>
  (await client.send(new GetFunctionCommand({ FunctionName }))).Configuration

describe('a function', () => {
  test('is Pending, then Active; until then calls and changes are refused', async () => {
    const made = await create('new-one', { Description: 'd', Tags: { a: '1' } })
    expect(made).toMatchObject({
      FunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:new-one',
      CodeSha256: createHash('sha256').update(zip).digest('base64'),
      CodeSize: zip.length,
      State: 'Pending',
      StateReasonCode: 'Creating',
      MemorySize: 128,
      Timeout: 3,
      Architectures: ['x86_64'],
      EphemeralStorage: { Size: 512 },
      PackageType: 'Zip',
      Version: '$LATEST',
    })
    const pending =
      'The operation cannot be performed at this time. The function is currently in the following state: Pending'
    await expect(client.send(new InvokeCommand({ FunctionName: 'new-one' }))).rejects.toMatchObject({
      name: 'ResourceConflictException',
      message: pending,
      $metadata: { httpStatusCode: 409, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    })
    await expect(
      client.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'new-one', Timeout: 4 })),
    ).rejects.toMatchObject({ name: 'ResourceConflictException', message: pending })
    await expect(create('new-one')).rejects.toMatchObject({
      name: 'ResourceConflictException',
      message: 'Function already exist: new-one',
    })
    await waitUntilFunctionActiveV2({ client, ...WAIT }, { FunctionName: 'new-one' })
    const got = await client.send(new GetFunctionCommand({ FunctionName: 'new-one' }))
    expect(got.Configuration).toMatchObject({ State: 'Active', LastUpdateStatus: 'Successful' })
    expect(got.Tags).toEqual({ a: '1' })
    const code = await fetch(String(got.Code?.Location))
    expect(Buffer.from(await code.arrayBuffer()).equals(zip)).toBe(true)
    expect((await invoke(client, 'new-one')).reply).toBe('one')
  })

  test('is updated: one change at a time, and calls go to the old code meanwhile', async () => {
    const FunctionName = await makeFunction(client, aws.roleArn, "export const handler = async () => 'one'")
    const ZipFile = await zipOf({ 'index.mjs': "export const handler = async () => 'two'" })
    const updated = await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }))
    expect(updated.LastUpdateStatus).toBe('InProgress')
    await expect(
      client.send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 512 })),
    ).rejects.toMatchObject({
      name: 'ResourceConflictException',
      message: `The operation cannot be performed at this time. An update is in progress for resource: arn:aws:lambda:us-east-1:123456789012:function:${FunctionName}`,
    })
    await waitUntilFunctionUpdatedV2({ client, ...WAIT }, { FunctionName })
    expect((await invoke(client, FunctionName)).reply).toBe('two')
    await client.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName,
        MemorySize: 512,
        Environment: { Variables: { NEW: '1' } },
      }),
    )
    await waitUntilFunctionUpdatedV2({ client, ...WAIT }, { FunctionName })
    expect(await configurationOf(FunctionName)).toMatchObject({
      MemorySize: 512,
      Timeout: 10,
      Environment: { Variables: { NEW: '1' } },
    })
    await expect(
      client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile, RevisionId: 'old' })),
    ).rejects.toMatchObject({ name: 'PreconditionFailedException', $metadata: { httpStatusCode: 412 } })
  })

  test('fails with a reason, which the waiter tells', async () => {
    aws.failNextDeployment({ code: 'EniLimitExceeded', reason: 'The network interface limit is reached.' })
    await create('failing')
    const waiting = waitUntilFunctionActiveV2({ client, ...WAIT }, { FunctionName: 'failing' })
    await expect(waiting).rejects.toThrow(/EniLimitExceeded/)
    await expect(client.send(new InvokeCommand({ FunctionName: 'failing' }))).rejects.toMatchObject({
      name: 'ResourceConflictException',
    })
  })

  test('has versions that stay as they were', async () => {
    const FunctionName = await makeFunction(client, aws.roleArn, "export const handler = async () => 'one'")
    const first = await client.send(new PublishVersionCommand({ FunctionName }))
    expect(first).toMatchObject({ Version: '1', FunctionArn: expect.stringMatching(/:1$/) })
    expect((await client.send(new PublishVersionCommand({ FunctionName }))).Version).toBe('1')
    const ZipFile = await zipOf({ 'index.mjs': "export const handler = async () => 'two'" })
    await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }))
    await waitUntilFunctionUpdatedV2({ client, ...WAIT }, { FunctionName })
    expect((await invoke(client, FunctionName, {}, { Qualifier: '1' })).reply).toBe('one')
    expect((await invoke(client, `${first.FunctionArn}`)).answer.ExecutedVersion).toBe('1')
    expect((await invoke(client, FunctionName)).reply).toBe('two')
    const { Versions = [] } = await client.send(new ListVersionsByFunctionCommand({ FunctionName }))
    expect(Versions.map(({ Version }) => Version)).toEqual(['$LATEST', '1'])
    await client.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '1' }))
    await expect(invoke(client, FunctionName, {}, { Qualifier: '1' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Function not found: arn:aws:lambda:us-east-1:123456789012:function:${FunctionName}:1`,
    })
  })

  test('is listed in pages of 50, and deleted', async () => {
    const names = Array.from({ length: 120 }, (_, i) => `page-${String(i).padStart(3, '0')}`)
    for (const name of names) await create(name)
    const pages: string[][] = []
    for await (const { Functions = [] } of paginateListFunctions({ client }, {})) {
      pages.push(Functions.map(({ FunctionName }) => String(FunctionName)))
      expect(Functions[0]).not.toHaveProperty('State')
    }
    expect(pages.length).toBeGreaterThan(2)
    expect(pages[0]).toHaveLength(50)
    expect(pages.flat()).toEqual(expect.arrayContaining(names))
    for (const FunctionName of names) await client.send(new DeleteFunctionCommand({ FunctionName }))
    await expect(
      client.send(new DeleteFunctionCommand({ FunctionName: names[0] as string })),
    ).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Function not found: arn:aws:lambda:us-east-1:123456789012:function:${names[0]}`,
      $metadata: { httpStatusCode: 404 },
    })
  })

  test('has tags, retries and a concurrency of its own', async () => {
    const FunctionName = await makeFunction(client, aws.roleArn, 'export const handler = async () => 1')
    const Resource = `arn:aws:lambda:us-east-1:123456789012:function:${FunctionName}`
    await client.send(new TagResourceCommand({ Resource, Tags: { a: '1', b: '2' } }))
    await client.send(new UntagResourceCommand({ Resource, TagKeys: ['a'] }))
    expect((await client.send(new ListTagsCommand({ Resource }))).Tags).toEqual({ b: '2' })
    const config = await client.send(
      new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 0 }),
    )
    expect(config.MaximumRetryAttempts).toBe(0)
    expect(config.LastModified).toBeInstanceOf(Date)
    await expect(
      client.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 3 })),
    ).rejects.toMatchObject({ name: 'ValidationException' })
    await client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 900 }))
    const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}))
    expect(AccountLimit).toMatchObject({ ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: 100 })
    await expect(
      client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 901 })),
    ).rejects.toThrow(/below its minimum value of \[100\]/)
    await client.send(new DeleteFunctionCommand({ FunctionName }))
    const { AccountLimit: after } = await client.send(new GetAccountSettingsCommand({}))
    expect(after?.UnreservedConcurrentExecutions).toBe(1000)
    await expect(client.send(new GetFunctionConcurrencyCommand({ FunctionName }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })
})

describe('layers', () => {
  test('are published, used by functions, listed and deleted', async () => {
    const content = await zipOf({ 'nodejs/node_modules/layered/index.js': "module.exports = 'from a layer'" })
    const publish = () =>
      client.send(new PublishLayerVersionCommand({ LayerName: 'deps', Content: { ZipFile: content } }))
    const { LayerVersionArn, Version, Content } = await publish()
    expect(LayerVersionArn).toBe('arn:aws:lambda:us-east-1:123456789012:layer:deps:1')
    expect(Version).toBe(1)
    expect(Content?.CodeSha256).toBe(createHash('sha256').update(content).digest('base64'))
    expect((await publish()).Version).toBe(2)
    const name = await makeFunction(
      client,
      aws.roleArn,
      { 'index.js': "exports.handler = async () => require('layered')" },
      { Layers: [String(LayerVersionArn)] },
    )
    expect((await invoke(client, name)).reply).toBe('from a layer')
    const { Layers = [] } = await client.send(new ListLayersCommand({}))
    expect(Layers.map(layer => [layer.LayerName, layer.LatestMatchingVersion?.Version])).toEqual([
      ['deps', 2],
    ])
    const { LayerVersions = [] } = await client.send(new ListLayerVersionsCommand({ LayerName: 'deps' }))
    expect(LayerVersions.map(layer => layer.Version)).toEqual([2, 1])
    for (const VersionNumber of [1, 2, 2]) {
      await client.send(new DeleteLayerVersionCommand({ LayerName: 'deps', VersionNumber }))
    }
    expect((await client.send(new ListLayersCommand({}))).Layers).toEqual([])
    await expect(create('x', { Layers: [String(LayerVersionArn)] })).rejects.toThrow(/does not exist/)
  })
})

describe('what is refused before anything is done', () => {
  test.each<[string, Partial<CreateFunctionCommandInput>, string, RegExp]>([
    [
      'memory',
      { MemorySize: 127 },
      'ValidationException',
      /'127' at 'memorySize'.*greater than or equal to 128/,
    ],
    ['timeout', { Timeout: 901 }, 'ValidationException', /'901' at 'timeout'.*less than or equal to 900/],
    ['/tmp', { EphemeralStorage: { Size: 511 } }, 'ValidationException', /ephemeralStorage/],
    ['role', { Role: 'worker' }, 'ValidationException', /'worker' at 'role'/],
    ['name', { FunctionName: 'x'.repeat(65) }, 'ValidationException', /length less than or equal to 64/],
    [
      'runtime',
      { Runtime: 'nodejs4.3' as never },
      'InvalidParameterValueException',
      /Value nodejs4.3 at 'runtime'/,
    ],
    ['architecture', { Architectures: ['mips' as never] }, 'ValidationException', /\[x86_64, arm64\]/],
    ['no code', { Code: {} }, 'InvalidParameterValueException', /Please provide a source for function code/],
    [
      'no zip',
      { Code: { ZipFile: Buffer.from('text') } },
      'InvalidParameterValueException',
      /Could not unzip/,
    ],
    ['no object', { Code: { S3Bucket: 'b', S3Key: 'k' } }, 'InvalidParameterValueException', /NoSuchKey/],
    [
      'no image',
      { PackageType: 'Image', Runtime: undefined, Handler: undefined, Code: { ImageUri: 'a/b:c' } },
      'InvalidParameterValueException',
      /Source image a\/b:c does not exist/,
    ],
    [
      'environment',
      { Environment: { Variables: { A1: 'x'.repeat(4096) } } },
      'InvalidParameterValueException',
      /exceeded the 4KB limit/,
    ],
    [
      'reserved variable',
      { Environment: { Variables: { AWS_REGION: 'x' } } },
      'InvalidParameterValueException',
      /reserved keys.*: AWS_REGION$/,
    ],
    [
      'unknown role',
      { Role: 'arn:aws:iam::123456789012:role/none' },
      'InvalidParameterValueException',
      /^The role defined for the function cannot be assumed by Lambda\.$/,
    ],
  ])('%s', async (_what, input, name, message) => {
    const attempt = create('refused', input)
    await expect(attempt).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } })
    await expect(attempt).rejects.toThrow(message)
    expect(aws.functionNames).not.toContain('refused')
  })

  test('code that is too large: zipped, unzipped, and together with layers', async () => {
    const random = randomBytes(51 * 1024 ** 2)
    await expect(create('large', { Code: { ZipFile: random } })).rejects.toMatchObject({
      name: 'RequestEntityTooLargeException',
      message: 'Request must be smaller than 69905067 bytes for the CreateFunction operation',
      $metadata: { httpStatusCode: 413 },
    })
    const half = await zipOf({ 'index.mjs': '', zeros: Buffer.alloc(130 * 1024 ** 2) })
    const whole = await zipOf({ 'index.mjs': '', zeros: Buffer.alloc(250 * 1024 ** 2) })
    await expect(create('large', { Code: { ZipFile: whole } })).rejects.toThrow(
      'Unzipped size must be smaller than 262144000 bytes',
    )
    const { LayerVersionArn } = await client.send(
      new PublishLayerVersionCommand({ LayerName: 'half', Content: { ZipFile: half } }),
    )
    await expect(
      create('large', { Code: { ZipFile: half }, Layers: [String(LayerVersionArn)] }),
    ).rejects.toThrow(
      /Function code combined with layers exceeds the maximum allowed size of 262144000 bytes/,
    )
  })

  test('a payload that is no JSON', async () => {
    const FunctionName = await makeFunction(client, aws.roleArn, 'export const handler = async () => 1')
    await expect(client.send(new InvokeCommand({ FunctionName, Payload: '{' }))).rejects.toMatchObject({
      name: 'InvalidRequestContentException',
    })
  })
})

test('requests are counted, and the control plane is limited', async () => {
  await using slow = await FakeAws.start({ quotas: { controlPlanePerSecond: 3 } })
  const lambda = new LambdaClient({ ...slow.clientConfig, maxAttempts: 1 })
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, () => lambda.send(new GetAccountSettingsCommand({}))),
  )
  const errors = results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
  expect(errors.length).toBeGreaterThan(3)
  expect(errors[0]).toMatchObject({
    name: 'TooManyRequestsException',
    Reason: 'CallerRateLimitExceeded',
    $metadata: { httpStatusCode: 429 },
  })
  expect(slow.counts).toEqual({ 'lambda:GetAccountSettings': 8 })
  lambda.destroy()
})
