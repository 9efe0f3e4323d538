import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  PutRetentionPolicyCommand,
  paginateFilterLogEvents,
} from '@aws-sdk/client-cloudwatch-logs'
import {
  BatchDeleteImageCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  ListImagesCommand,
} from '@aws-sdk/client-ecr'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeAws } from '../src/aws/index.ts'
import { invoke, makeFunction } from './fake-aws-functions.ts'

let aws: FakeAws
let lambda: LambdaClient
let logs: CloudWatchLogsClient
let ecr: ECRClient
beforeAll(async () => {
  aws = await FakeAws.start()
  const config = { ...aws.clientConfig, maxAttempts: 1 }
  lambda = new LambdaClient(config)
  logs = new CloudWatchLogsClient(config)
  ecr = new ECRClient(config)
})
afterAll(async () => {
  for (const client of [lambda, logs, ecr]) client.destroy()
  await aws.close()
})

describe('logs', () => {
  test('of a call are found by its request id, over pages that may be empty', async () => {
    const name = await makeFunction(
      lambda,
      aws.roleArn,
      "export const handler = async n => { for (let i = 0; i < n; i++) console.log('line', i) }",
    )
    const others = await Promise.all([1, 2, 3].map(n => invoke(lambda, name, n)))
    aws.closeFreeEnvironments()
    const { requestId } = await invoke(lambda, name, 4)
    const logGroupName = `/aws/lambda/${name}`
    const found: string[] = []
    let pages = 0
    for await (const page of paginateFilterLogEvents(
      { client: logs },
      { logGroupName, filterPattern: `"${requestId}"` },
    )) {
      pages++
      for (const { message } of page.events ?? []) found.push(String(message))
    }
    expect(found).toHaveLength(7)
    expect(found[0]).toBe(`START RequestId: ${requestId} Version: $LATEST\n`)
    expect(found[3]).toMatch(/\tline 2\n$/)
    expect(found.at(-1)).toMatch(/^REPORT /)
    expect(others.every(other => found.every(line => !line.includes(String(other.requestId))))).toBe(true)
    const { logStreams = [] } = await logs.send(new DescribeLogStreamsCommand({ logGroupName }))
    expect(logStreams.length).toBe(pages)
    expect(logStreams[0]?.logStreamName).toMatch(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/)
    const [first] = (await logs.send(new FilterLogEventsCommand({ logGroupName, limit: 1 }))).events ?? []
    const later = new FilterLogEventsCommand({ logGroupName, startTime: Date.now() + 60_000 })
    expect((await logs.send(later)).events).toEqual([])
    const stream = { logGroupName, logStreamName: String(first?.logStreamName), startFromHead: true }
    const one = await logs.send(new GetLogEventsCommand({ ...stream, limit: 2 }))
    const rest = await logs.send(new GetLogEventsCommand({ ...stream, nextToken: one.nextForwardToken }))
    const end = await logs.send(new GetLogEventsCommand({ ...stream, nextToken: rest.nextForwardToken }))
    expect(one.events).toHaveLength(2)
    expect(end.events).toEqual([])
    expect(end.nextForwardToken).toBe(rest.nextForwardToken)
  })

  test('have groups with a retention', async () => {
    const logGroupName = '/aws/lambda/group-1'
    await logs.send(new CreateLogGroupCommand({ logGroupName }))
    await expect(logs.send(new CreateLogGroupCommand({ logGroupName }))).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      message: 'The specified log group already exists',
    })
    await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 7 }))
    await expect(
      logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 8 })),
    ).rejects.toMatchObject({ name: 'InvalidParameterException' })
    const describeGroups = new DescribeLogGroupsCommand({ logGroupNamePrefix: '/aws/lambda/group-' })
    expect((await logs.send(describeGroups)).logGroups).toMatchObject([{ logGroupName, retentionInDays: 7 }])
    await logs.send(new DeleteLogGroupCommand({ logGroupName }))
    await expect(logs.send(new DeleteLogGroupCommand({ logGroupName }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The specified log group does not exist.',
    })
    expect((await logs.send(describeGroups)).logGroups).toEqual([])
  })
})

describe('images', () => {
  const repositoryName = 'lithops/worker'

  test('lie in repositories', async () => {
    const { repository } = await ecr.send(new CreateRepositoryCommand({ repositoryName }))
    expect(repository?.repositoryUri).toBe('123456789012.dkr.ecr.us-east-1.amazonaws.com/lithops/worker')
    await expect(ecr.send(new CreateRepositoryCommand({ repositoryName }))).rejects.toMatchObject({
      name: 'RepositoryAlreadyExistsException',
    })
    const one = aws.putImage({ repository: repositoryName, tag: 'a' })
    const two = aws.putImage({ repository: repositoryName, tag: 'a' })
    const { imageDetails } = await ecr.send(
      new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'a' }] }),
    )
    expect(imageDetails?.map(image => image.imageDigest)).toEqual([two.digest])
    const { imageIds } = await ecr.send(new ListImagesCommand({ repositoryName }))
    expect(imageIds).toEqual([{ imageDigest: one.digest }, { imageDigest: two.digest, imageTag: 'a' }])
    await expect(
      ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'b' }] })),
    ).rejects.toMatchObject({ name: 'ImageNotFoundException' })
    await expect(ecr.send(new DeleteRepositoryCommand({ repositoryName }))).rejects.toMatchObject({
      name: 'RepositoryNotEmptyException',
    })
    const deleted = await ecr.send(
      new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: 'a' }, { imageTag: 'b' }] }),
    )
    expect(deleted.imageIds).toEqual([{ imageDigest: two.digest, imageTag: 'a' }])
    expect(deleted.failures).toMatchObject([{ failureCode: 'ImageNotFound' }])
    await ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true }))
    await expect(
      ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] })),
    ).rejects.toMatchObject({ name: 'RepositoryNotFoundException' })
    const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}))
    const token = Buffer.from(String(authorizationData?.[0]?.authorizationToken), 'base64').toString()
    expect(token).toMatch(/^AWS:.+/)
  })

  test('are run as the folder that stands for them', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fake-aws-image-'))
    writeFileSync(path.join(folder, 'app.mjs'), "export const handler = async () => 'from an image'")
    const { uri } = aws.putImage({ repository: 'r', tag: 't', folder })
    const name = await makeFunction(lambda, aws.roleArn, '', {
      PackageType: 'Image',
      Code: { ImageUri: uri },
      ImageConfig: { Command: ['app.handler'] },
      Runtime: undefined,
      Handler: undefined,
    })
    expect((await invoke(lambda, name)).reply).toBe('from an image')
    rmSync(folder, { recursive: true })
  })
})
