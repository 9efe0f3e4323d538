import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs'
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
  PutRolePolicyCommand,
  TagRoleCommand,
} from '@aws-sdk/client-iam'
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  LambdaClient,
  ListFunctionsCommand,
} from '@aws-sdk/client-lambda'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeAws } from '../src/aws/index.ts'
import { zipOf } from './fake-aws-functions.ts'

let aws: FakeAws
beforeAll(async () => {
  aws = await FakeAws.start({ timing: { roleAssumableMs: 400, roleVisibleMs: 200 } })
})
afterAll(() => aws.close())

const trust = (Principal: object) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }],
  })
const allow = (Action: string | string[], Resource: string, Condition?: object) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource, ...(Condition && { Condition }) }],
})
const lambdaOf = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
  new LambdaClient({ ...aws.clientConfig, credentials, maxAttempts: 1 })
const list = new ListFunctionsCommand({})

describe('signatures', () => {
  test('of the SDK are taken, with any path and query', async () => {
    const lambda = lambdaOf(aws.credentials)
    const names = ['arn:aws:lambda:us-east-1:123456789012:function:a-b_c', 'plain']
    for (const FunctionName of names) {
      await expect(
        lambda.send(new GetFunctionCommand({ FunctionName, Qualifier: '$LATEST' })),
      ).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    }
    await expect(lambda.send(new ListFunctionsCommand({ Marker: 'MQ==', MaxItems: 1 }))).resolves.toBeTruthy()
  })

  test.each([
    [
      'an unknown key',
      { accessKeyId: 'AKIANOBODY' },
      'UnrecognizedClientException',
      /security token included in the request is invalid/,
    ],
    [
      'a wrong secret',
      { secretAccessKey: 'wrong' },
      'InvalidSignatureException',
      /signature we calculated does not match/,
    ],
    ['a token that is none', { sessionToken: 'no' }, 'UnrecognizedClientException', /is invalid/],
  ])('%s', async (_what, change, name, message) => {
    const lambda = lambdaOf({ ...aws.credentials, ...change })
    await expect(lambda.send(list)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 403 } })
    await expect(lambda.send(list)).rejects.toThrow(message)
    const codes = {
      UnrecognizedClientException: 'InvalidClientTokenId',
      InvalidSignatureException: 'SignatureDoesNotMatch',
    }
    const sts = new STSClient({
      ...aws.clientConfig,
      credentials: { ...aws.credentials, ...change },
      maxAttempts: 1,
    })
    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: codes[name as keyof typeof codes],
      $metadata: { httpStatusCode: 403 },
    })
    const logs = new CloudWatchLogsClient({
      ...aws.clientConfig,
      credentials: { ...aws.credentials, ...change },
      maxAttempts: 1,
    })
    await expect(logs.send(new DescribeLogGroupsCommand({}))).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode: 400 },
    })
  })

  test('another region, another time, none at all', async () => {
    const elsewhere = new LambdaClient({ ...aws.clientConfig, region: 'eu-west-1', maxAttempts: 1 })
    await expect(elsewhere.send(list)).rejects.toThrow(/scoped to a valid region/)
    const late = new LambdaClient({ ...aws.clientConfig, systemClockOffset: -600_000, maxAttempts: 1 })
    await expect(late.send(list)).rejects.toThrow(/^Signature expired: \d{8}T\d{6}Z is now earlier than/)
    const unsigned = await fetch(`${aws.endpoint}/2015-03-31/functions/`)
    expect(unsigned.status).toBe(403)
    expect(unsigned.headers.get('x-amzn-errortype')).toBe('MissingAuthenticationTokenException')
    expect(await unsigned.json()).toEqual({ message: 'Missing Authentication Token' })
  })

  test('a session that has ended', async () => {
    const lambda = lambdaOf(aws.addSession())
    await lambda.send(list)
    aws.expireSessions()
    await expect(lambda.send(list)).rejects.toMatchObject({
      name: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
    })
    await lambdaOf(aws.addSession()).send(list)
    await lambdaOf(aws.credentials).send(list)
    await expect(lambdaOf(aws.addSession({ lifetimeS: -1 })).send(list)).rejects.toMatchObject({
      name: 'ExpiredTokenException',
    })
  })
})

describe('roles', () => {
  const iam = () => new IAMClient({ ...aws.clientConfig, maxAttempts: 1 })
  const make = (RoleName: string, Principal: object) =>
    iam().send(
      new CreateRoleCommand({
        RoleName,
        AssumeRolePolicyDocument: trust(Principal),
        Tags: [{ Key: 'k', Value: 'v' }],
      }),
    )

  test('are made, changed, and deleted, each seen after a while', async () => {
    const { Role } = await make('changing', { Service: 'lambda.amazonaws.com' })
    expect(Role).toMatchObject({
      Arn: 'arn:aws:iam::123456789012:role/changing',
      RoleId: expect.stringMatching(/^AROA/),
    })
    expect(Role?.CreateDate).toBeInstanceOf(Date)
    await expect(make('changing', {})).rejects.toMatchObject({ name: 'EntityAlreadyExistsException' })
    const get = () => iam().send(new GetRoleCommand({ RoleName: 'changing' }))
    await expect(get()).rejects.toMatchObject({
      name: 'NoSuchEntityException',
      $metadata: { httpStatusCode: 404 },
    })
    await expect
      .poll(() =>
        get().then(
          ({ Role }) => Role?.RoleName,
          () => '',
        ),
      )
      .toBe('changing')
    await iam().send(new TagRoleCommand({ RoleName: 'changing', Tags: [{ Key: 'x', Value: '<&>' }] }))
    const got = (await get()).Role
    expect(got?.Tags).toEqual([
      { Key: 'k', Value: 'v' },
      { Key: 'x', Value: '<&>' },
    ])
    expect(JSON.parse(decodeURIComponent(String(got?.AssumeRolePolicyDocument)))).toEqual(
      JSON.parse(trust({ Service: 'lambda.amazonaws.com' })),
    )
    const policy = { RoleName: 'changing', PolicyName: 'logs' }
    const PolicyDocument = JSON.stringify(allow('logs:*', '*'))
    await iam().send(new PutRolePolicyCommand({ ...policy, PolicyDocument }))
    const read = await iam().send(new GetRolePolicyCommand(policy))
    expect(JSON.parse(decodeURIComponent(String(read.PolicyDocument)))).toEqual(JSON.parse(PolicyDocument))
    const attached = {
      RoleName: 'changing',
      PolicyArn: 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole',
    }
    await iam().send(new AttachRolePolicyCommand(attached))
    const { AttachedPolicies } = await iam().send(
      new ListAttachedRolePoliciesCommand({ RoleName: 'changing' }),
    )
    expect(AttachedPolicies?.map(({ PolicyName }) => PolicyName)).toEqual(['AWSLambdaBasicExecutionRole'])
    const remove = new DeleteRoleCommand({ RoleName: 'changing' })
    await expect(iam().send(remove)).rejects.toMatchObject({ name: 'DeleteConflictException' })
    await iam().send(new DetachRolePolicyCommand(attached))
    expect((await iam().send(new ListRolePoliciesCommand({ RoleName: 'changing' }))).PolicyNames).toEqual([
      'logs',
    ])
    await iam().send(new DeleteRolePolicyCommand(policy))
    await iam().send(remove)
    await get()
    await expect
      .poll(() =>
        get().then(
          () => 'there',
          error => error.name,
        ),
      )
      .toBe('NoSuchEntityException')
    expect((await iam().send(new ListRolesCommand({}))).Roles?.map(role => role.RoleName)).toEqual([
      'lithops-worker',
    ])
    await expect(
      iam().send(new CreateRoleCommand({ RoleName: 'bad', AssumeRolePolicyDocument: 'x' })),
    ).rejects.toMatchObject({ name: 'MalformedPolicyDocumentException' })
  })

  test('cannot be assumed by Lambda at first, and never without trust', async () => {
    const lambda = lambdaOf(aws.credentials)
    const Code = { ZipFile: await zipOf({ 'index.mjs': 'export const handler = async () => 1' }) }
    const create = (FunctionName: string, Role: string) =>
      lambda.send(
        new CreateFunctionCommand({
          FunctionName,
          Role,
          Runtime: 'nodejs22.x',
          Handler: 'index.handler',
          Code,
        }),
      )
    const fresh = String((await make('fresh', { Service: 'lambda.amazonaws.com' })).Role?.Arn)
    const other = String((await make('other', { Service: 'ec2.amazonaws.com' })).Role?.Arn)
    const refusal = {
      name: 'InvalidParameterValueException',
      message: 'The role defined for the function cannot be assumed by Lambda.',
    }
    await expect(create('early', fresh)).rejects.toMatchObject(refusal)
    await expect
      .poll(() =>
        create('early', fresh).then(
          () => 'made',
          error => error.name,
        ),
      )
      .toBe('made')
    await expect(create('never', other)).rejects.toMatchObject(refusal)
  })

  test('are assumed by people, whose session has what the role may do', async () => {
    const RoleArn = String((await make('for-people', { AWS: 'arn:aws:iam::123456789012:root' })).Role?.Arn)
    await expect
      .poll(() =>
        iam()
          .send(new GetRoleCommand({ RoleName: 'for-people' }))
          .then(
            () => true,
            () => false,
          ),
      )
      .toBe(true)
    await iam().send(
      new PutRolePolicyCommand({
        RoleName: 'for-people',
        PolicyName: 'p',
        PolicyDocument: JSON.stringify(allow('lambda:List*', '*')),
      }),
    )
    const sts = new STSClient({ ...aws.clientConfig, maxAttempts: 1 })
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me', DurationSeconds: 900 }),
    )
    expect(Credentials?.Expiration?.getTime()).toBeGreaterThan(Date.now() + 800_000)
    const credentials = {
      accessKeyId: String(Credentials?.AccessKeyId),
      secretAccessKey: String(Credentials?.SecretAccessKey),
      sessionToken: String(Credentials?.SessionToken),
    }
    const session = new STSClient({ ...aws.clientConfig, credentials })
    expect(await session.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: '123456789012',
      Arn: 'arn:aws:sts::123456789012:assumed-role/for-people/me',
      UserId: expect.stringMatching(/^AROA.*:me$/),
    })
    await lambdaOf(credentials).send(list)
    await expect(
      lambdaOf(credentials).send(new GetFunctionCommand({ FunctionName: 'x' })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' })
    const worker = new AssumeRoleCommand({ RoleArn: aws.roleArn, RoleSessionName: 'me' })
    await expect(sts.send(worker)).rejects.toMatchObject({ name: 'AccessDenied' })
  })
})

test('policies bound what keys may do', async () => {
  const prefix = 'arn:aws:lambda:us-east-1:123456789012:function:mine-*'
  const user = aws.addUser('bounded', [
    allow(['lambda:CreateFunction', 'lambda:GetFunction'], prefix),
    allow('iam:PassRole', aws.roleArn, { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } }),
    { Version: '2012-10-17', Statement: { Effect: 'Deny', Action: 'lambda:*', Resource: `${prefix}-not` } },
  ])
  const lambda = lambdaOf(user)
  const Code = { ZipFile: await zipOf({ 'index.mjs': 'export const handler = async () => 1' }) }
  const create = (FunctionName: string, Role = aws.roleArn) =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Role,
        Runtime: 'nodejs22.x',
        Handler: 'index.handler',
        Code,
      }),
    )
  await create('mine-a')
  await lambda.send(new GetFunctionCommand({ FunctionName: 'mine-a' }))
  await expect(create('mine-not')).resolves.toBeTruthy()
  await expect(create('mine-b-not')).rejects.toMatchObject({ name: 'AccessDeniedException' })
  await expect(create('yours')).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message:
      'User: arn:aws:iam::123456789012:user/bounded is not authorized to perform: lambda:CreateFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:yours because no identity-based policy allows the action',
    $metadata: { httpStatusCode: 403 },
  })
  await expect(create('mine-c', `${aws.roleArn}-other`)).rejects.toThrow(/iam:PassRole on resource/)
  await expect(lambda.send(list)).rejects.toMatchObject({ name: 'AccessDeniedException' })
})
