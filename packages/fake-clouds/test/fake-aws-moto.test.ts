import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
  PutRetentionPolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import {
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
} from '@aws-sdk/client-ecr'
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  GetRoleCommand,
  IAMClient,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  DeleteLayerVersionCommand,
  GetFunctionCommand,
  GetFunctionEventInvokeConfigCommand,
  LambdaClient,
  ListFunctionsCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  TagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { FakeAws } from '../src/aws/index.ts'
import { moto, withRealPart } from '../src/real-parts/index.ts'
import { zipOf } from './fake-aws-functions.ts'

const server = withRealPart(moto)
const WAIT = { maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.2 }
const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
})

let fake: FakeAws
beforeAll(async () => {
  fake = await FakeAws.start({
    timing: { roleAssumableMs: 0 },
    quotas: { controlPlanePerSecond: 1000, getFunctionPerSecond: 1000 },
  })
})
afterAll(() => fake.close())

type Clients = ReturnType<typeof clientsOf>

function clientsOf(config: ConstructorParameters<typeof LambdaClient>[0] & object) {
  const all = { ...config, maxAttempts: 1 }
  return {
    lambda: new LambdaClient(all),
    iam: new IAMClient(all as object),
    sts: new STSClient(all as object),
    ecr: new ECRClient(all as object),
    logs: new CloudWatchLogsClient(all as object),
  }
}

/** Name and status of the error of a request that must fail. */
function failure(request: Promise<unknown>) {
  return request.then(
    () => ['no error'],
    (error: Error & { $metadata?: { httpStatusCode?: number } }) => [
      error.name,
      error.$metadata?.httpStatusCode,
    ],
  )
}

const pick = <T extends object, K extends keyof T>(value: T | undefined, ...keys: K[]) =>
  Object.fromEntries(keys.map(key => [key, value?.[key]]))

let roleCount = 0

async function makeRole({ iam }: Clients) {
  const RoleName = `role-${++roleCount}`
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: TRUST }))
  return { RoleName, arn: String(Role?.Arn) }
}

async function create(clients: Clients, FunctionName: string, text = '1') {
  const { arn } = await makeRole(clients)
  const ZipFile = await zipOf({ 'index.mjs': `export const handler = async () => ${text}` })
  return clients.lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: arn,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Code: { ZipFile },
      Tags: { a: '1' },
    }),
  )
}

/** Each gives facts that must be the same on both sides. What is not is in `differs`: on moto, and why. */
const CASES: readonly {
  readonly name: string
  readonly facts: (clients: Clients) => Promise<Record<string, unknown>>
  readonly differs?: Readonly<Record<string, unknown>>
}[] = [
  {
    name: 'a function: made, waited for, read, made twice, deleted',
    facts: async clients => {
      const { lambda } = clients
      const FunctionName = 'cross-1'
      const made = await create(clients, FunctionName)
      await waitUntilFunctionActiveV2({ client: lambda, ...WAIT }, { FunctionName })
      const got = await lambda.send(new GetFunctionCommand({ FunctionName }))
      const twice = await failure(create(clients, FunctionName))
      await lambda.send(new DeleteFunctionCommand({ FunctionName }))
      return {
        made: pick(
          made,
          'FunctionName',
          'Runtime',
          'Handler',
          'Timeout',
          'MemorySize',
          'Version',
          'PackageType',
        ),
        arn: made.FunctionArn?.replace(/:\d{12}:/, ':account:'),
        sizes: [
          made.CodeSize === got.Configuration?.CodeSize,
          made.CodeSha256 === got.Configuration?.CodeSha256,
        ],
        architectures: got.Configuration?.Architectures,
        storage: got.Configuration?.EphemeralStorage,
        state: [got.Configuration?.State, got.Configuration?.LastUpdateStatus],
        tags: got.Tags,
        twice,
        gone: await failure(lambda.send(new GetFunctionCommand({ FunctionName }))),
        deletedTwice: await failure(lambda.send(new DeleteFunctionCommand({ FunctionName }))),
      }
    },
  },
  {
    name: 'a function: changed, published, listed',
    facts: async clients => {
      const { lambda } = clients
      const FunctionName = 'cross-2'
      await create(clients, FunctionName)
      await waitUntilFunctionActiveV2({ client: lambda, ...WAIT }, { FunctionName })
      const ZipFile = await zipOf({ 'index.mjs': 'export const handler = async () => 2' })
      const code = await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }))
      await waitUntilFunctionUpdatedV2({ client: lambda, ...WAIT }, { FunctionName })
      const shortName = await failure(
        lambda.send(
          new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables: { A: 'b' } } }),
        ),
      )
      await waitUntilFunctionUpdatedV2({ client: lambda, ...WAIT }, { FunctionName })
      const second = await lambda.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName,
          MemorySize: 256,
          Timeout: 9,
          Environment: { Variables: { BB: 'c' } },
        }),
      )
      await waitUntilFunctionUpdatedV2({ client: lambda, ...WAIT }, { FunctionName })
      const version = await lambda.send(new PublishVersionCommand({ FunctionName }))
      const { Versions } = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName }))
      const { Functions } = await lambda.send(new ListFunctionsCommand({}))
      await lambda.send(new DeleteFunctionCommand({ FunctionName }))
      return {
        shortName,
        codeChanged: code.FunctionName,
        configuration: pick(second, 'MemorySize', 'Timeout', 'Environment'),
        version: version.Version,
        versions: Versions?.map(({ Version }) => Version),
        listed: Functions?.map(listed => listed.FunctionName),
      }
    },
    // moto takes any name for a variable; Lambda wants two characters and more
    differs: { shortName: ['no error'] },
  },
  {
    name: 'retries, concurrency, tags',
    facts: async clients => {
      const { lambda } = clients
      const FunctionName = 'cross-3'
      const { FunctionArn } = await create(clients, FunctionName)
      await waitUntilFunctionActiveV2({ client: lambda, ...WAIT }, { FunctionName })
      const before = await failure(lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName })))
      const put = await lambda.send(
        new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 0 }),
      )
      const many = await failure(
        lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 3 })),
      )
      const reserved = await lambda.send(
        new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 5 }),
      )
      await lambda.send(new TagResourceCommand({ Resource: String(FunctionArn), Tags: { b: '2' } }))
      const { Tags } = await lambda.send(new ListTagsCommand({ Resource: String(FunctionArn) }))
      const read = await lambda.send(new GetFunctionCommand({ FunctionName }))
      await lambda.send(new DeleteFunctionCommand({ FunctionName }))
      return {
        before,
        retries: put.MaximumRetryAttempts,
        modified: put.LastModified instanceof Date,
        many,
        reserved: reserved.ReservedConcurrentExecutions,
        tags: Tags,
        concurrency: read.Concurrency,
      }
    },
  },
  {
    name: 'layers',
    facts: async ({ lambda }) => {
      const content = await zipOf({ 'nodejs/x.js': '1' })
      const publish = () =>
        lambda.send(
          new PublishLayerVersionCommand({
            LayerName: 'cross',
            Content: { ZipFile: content },
            CompatibleRuntimes: ['nodejs22.x'],
          }),
        )
      const one = await publish()
      const two = await publish()
      const { LayerVersions } = await lambda.send(new ListLayerVersionsCommand({ LayerName: 'cross' }))
      const { Layers } = await lambda.send(new ListLayersCommand({}))
      for (const VersionNumber of [1, 2]) {
        await lambda.send(new DeleteLayerVersionCommand({ LayerName: 'cross', VersionNumber }))
      }
      const after = await lambda.send(new ListLayerVersionsCommand({ LayerName: 'cross' })).then(
        answer => answer.LayerVersions?.length,
        (error: Error) => error.name,
      )
      return {
        versions: [one.Version, two.Version],
        arn: one.LayerVersionArn?.replace(/:\d{12}:/, ':account:'),
        content: [one.Content?.CodeSize, one.Content?.CodeSha256],
        runtimes: one.CompatibleRuntimes,
        listed: LayerVersions?.map(({ Version }) => Version),
        layers: Layers?.map(({ LayerName }) => LayerName),
        after,
      }
    },
  },
  {
    name: 'roles',
    facts: async clients => {
      const { iam } = clients
      const { RoleName } = await makeRole(clients)
      const PolicyDocument = JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }],
      })
      const twice = await failure(
        iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: TRUST })),
      )
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }))
      const { PolicyNames } = await iam.send(new ListRolePoliciesCommand({ RoleName }))
      const full = await failure(iam.send(new DeleteRoleCommand({ RoleName })))
      await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'p' }))
      const { Role } = await iam.send(new GetRoleCommand({ RoleName }))
      await iam.send(new DeleteRoleCommand({ RoleName }))
      return {
        twice,
        PolicyNames,
        full,
        trust: JSON.parse(decodeURIComponent(String(Role?.AssumeRolePolicyDocument))),
        created: Role?.CreateDate instanceof Date,
        gone: await failure(iam.send(new GetRoleCommand({ RoleName }))),
        bad: await failure(
          iam.send(new CreateRoleCommand({ RoleName: 'bad', AssumeRolePolicyDocument: 'text' })),
        ),
      }
    },
    // moto takes any text for the policy of a role
    differs: { bad: ['no error'] },
  },
  {
    name: 'who one is',
    facts: async ({ sts, iam }) => {
      const identity = await sts.send(new GetCallerIdentityCommand({}))
      const AssumeRolePolicyDocument = TRUST.replace(
        '"Service":"lambda.amazonaws.com"',
        `"AWS":"arn:aws:iam::${identity.Account}:root"`,
      )
      const RoleName = 'cross-people'
      const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
      const { Credentials, AssumedRoleUser } = await sts.send(
        new AssumeRoleCommand({ RoleArn: String(Role?.Arn), RoleSessionName: 'me' }),
      )
      await iam.send(new DeleteRoleCommand({ RoleName }))
      return {
        identity: [identity.Account?.length, typeof identity.UserId],
        arn: AssumedRoleUser?.Arn?.replace(/::\d{12}:/, '::account:'),
        keys: [Credentials?.AccessKeyId?.slice(0, 4), typeof Credentials?.SessionToken],
        expires: Credentials?.Expiration instanceof Date,
      }
    },
  },
  {
    name: 'repositories',
    facts: async ({ ecr }) => {
      const repositoryName = 'cross/one'
      const { repository } = await ecr.send(new CreateRepositoryCommand({ repositoryName }))
      const twice = await failure(ecr.send(new CreateRepositoryCommand({ repositoryName })))
      const images = await ecr.send(new DescribeImagesCommand({ repositoryName }))
      const none = await failure(
        ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'x' }] })),
      )
      const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}))
      const token = Buffer.from(String(authorizationData?.[0]?.authorizationToken), 'base64').toString()
      await ecr.send(new DeleteRepositoryCommand({ repositoryName }))
      return {
        uri: repository?.repositoryUri?.replace(/^\d{12}/, 'account'),
        twice,
        images: images.imageDetails,
        none,
        token: token.slice(0, 4),
        gone: await failure(ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }))),
      }
    },
  },
  {
    name: 'log groups',
    facts: async ({ logs }) => {
      const logGroupName = '/aws/lambda/cross'
      await logs.send(new CreateLogGroupCommand({ logGroupName }))
      const twice = await failure(logs.send(new CreateLogGroupCommand({ logGroupName })))
      await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 7 }))
      const list = new DescribeLogGroupsCommand({ logGroupNamePrefix: '/aws/lambda/cross' })
      const { logGroups } = await logs.send(list)
      await logs.send(new DeleteLogGroupCommand({ logGroupName }))
      return {
        twice,
        listed: logGroups?.map(group => [group.logGroupName, group.retentionInDays]),
        gone: await failure(logs.send(new DeleteLogGroupCommand({ logGroupName }))),
        after: (await logs.send(list)).logGroups,
      }
    },
  },
]

describe('the control plane answers as that of moto', () => {
  for (const { name, facts, differs = {} } of CASES) {
    server.test(name, async () => {
      const { endpoint, region, accessKeyId, secretAccessKey } = server.part
      const real = await facts(clientsOf({ endpoint, region, credentials: { accessKeyId, secretAccessKey } }))
      const ours = await facts(clientsOf(fake.clientConfig))
      for (const fact of Object.keys(differs)) {
        expect(real[fact], `moto: ${fact}`).toEqual(differs[fact])
        expect(ours[fact], `${fact} is the same now`).not.toEqual(real[fact])
      }
      const without = (all: Record<string, unknown>) =>
        Object.fromEntries(Object.entries(all).filter(([fact]) => !(fact in differs)))
      expect(without(ours)).toEqual(without(real))
    })
  }
})
