import type { PlatformPolicy } from '@lithops/core/driver'
import type { AwsLambdaSettings } from './config.ts'
import { isManaged } from './managed-runtimes.ts'
import { CODE_PREFIX, logGroupOf, namePrefix, repositoryPrefix } from './names.ts'

const VERSION = '2012-10-17'
const ROLE_PREFIX = 'lithops-worker-'

export interface PolicyScope {
  /** '*' where it is not known. */
  readonly region: string
  readonly accountId: string
  readonly settings: Pick<
    AwsLambdaSettings,
    | 'namespace'
    | 'vpc'
    | 'fileSystems'
    | 'workerBuckets'
    | 'codeBucket'
    | 'runtime'
    | 'executionRole'
    | 'createsRole'
  >
}

/** Who may be the role: Lambda. */
export const TRUST_POLICY = {
  Version: VERSION,
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
}

/** What workers do themselves; jobs' functions may need more. */
export function workerPolicy({ region, accountId, settings }: PolicyScope) {
  const logs = `arn:aws:logs:${region}:${accountId}:log-group:${logGroupOf(`${namePrefix(settings.namespace)}*`)}`
  const buckets = settings.workerBuckets.map(bucket => `arn:aws:s3:::${bucket}`)
  return {
    Version: VERSION,
    Statement: [
      { Effect: 'Allow', Action: ['logs:CreateLogGroup'], Resource: logs },
      { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: `${logs}:*` },
      ...(buckets.length === 0
        ? []
        : [
            // without it S3 answers 403 for an object that is not there
            { Effect: 'Allow', Action: ['s3:ListBucket'], Resource: buckets },
            {
              Effect: 'Allow',
              Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
              Resource: buckets.map(bucket => `${bucket}/*`),
            },
          ]),
      ...(settings.vpc === undefined
        ? []
        : [
            {
              Effect: 'Allow',
              Action: [
                'ec2:CreateNetworkInterface',
                'ec2:DescribeNetworkInterfaces',
                'ec2:DescribeSubnets',
                'ec2:DeleteNetworkInterface',
                'ec2:AssignPrivateIpAddresses',
                'ec2:UnassignPrivateIpAddresses',
              ],
              Resource: '*',
            },
          ]),
      ...(settings.fileSystems.length === 0
        ? []
        : [
            {
              Effect: 'Allow',
              Action: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'],
              Resource: '*',
              Condition: {
                StringEquals: {
                  'elasticfilesystem:AccessPointArn': settings.fileSystems.map(
                    ({ accessPoint }) => accessPoint,
                  ),
                },
              },
            },
          ]),
    ],
  }
}

/** What the user's own keys must be allowed, to deploy, run, look at and remove functions. */
export function deployerPolicy({ region, accountId, settings }: PolicyScope) {
  const functions = `arn:aws:lambda:${region}:${accountId}:function:${namePrefix(settings.namespace)}*`
  const logs = `arn:aws:logs:${region}:${accountId}:log-group:${logGroupOf(`${namePrefix(settings.namespace)}*`)}`
  const role = settings.executionRole ?? `arn:aws:iam::${accountId}:role/${settings.namespace}${ROLE_PREFIX}*`
  return {
    Version: VERSION,
    Statement: [
      {
        Effect: 'Allow',
        Action: [
          'lambda:CreateFunction',
          'lambda:DeleteFunction',
          'lambda:GetFunction',
          'lambda:GetFunctionConfiguration',
          'lambda:InvokeFunction',
          'lambda:PutFunctionEventInvokeConfig',
          'lambda:TagResource',
          'lambda:UpdateFunctionConfiguration',
        ],
        Resource: functions,
      },
      {
        Effect: 'Allow',
        Action: ['lambda:GetAccountSettings', 'lambda:ListFunctions', 'ecr:DescribeRepositories'],
        Resource: '*',
      },
      {
        Effect: 'Allow',
        Action: ['iam:PassRole'],
        Resource: role,
        Condition: { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } },
      },
      { Effect: 'Allow', Action: ['logs:DescribeLogGroups'], Resource: '*' },
      {
        Effect: 'Allow',
        Action: ['logs:FilterLogEvents', 'logs:DeleteLogGroup'],
        Resource: [logs, `${logs}:*`],
      },
      ...(isManaged(settings.runtime)
        ? []
        : [
            { Effect: 'Allow', Action: ['ecr:GetAuthorizationToken'], Resource: '*' },
            {
              Effect: 'Allow',
              // the last two are for Lambda, which lets itself pull in the name of the caller
              Action: [
                'ecr:CreateRepository',
                'ecr:DescribeImages',
                'ecr:DeleteRepository',
                'ecr:BatchCheckLayerAvailability',
                'ecr:InitiateLayerUpload',
                'ecr:UploadLayerPart',
                'ecr:CompleteLayerUpload',
                'ecr:PutImage',
                'ecr:BatchGetImage',
                'ecr:GetDownloadUrlForLayer',
                'ecr:SetRepositoryPolicy',
                'ecr:GetRepositoryPolicy',
              ],
              Resource: `arn:aws:ecr:${region}:${accountId}:repository/${repositoryPrefix(settings.namespace)}*`,
            },
          ]),
      ...(settings.codeBucket === undefined
        ? []
        : [
            {
              Effect: 'Allow',
              // Lambda reads the code with the rights of the caller
              Action: ['s3:PutObject', 's3:GetObject', 's3:DeleteObject'],
              Resource: [`arn:aws:s3:::${settings.codeBucket}/${CODE_PREFIX}*`],
            },
          ]),
      ...(settings.createsRole
        ? [
            {
              Effect: 'Allow',
              Action: [
                'iam:GetRole',
                'iam:CreateRole',
                'iam:PutRolePolicy',
                'iam:ListRolePolicies',
                'iam:DeleteRolePolicy',
                'iam:DeleteRole',
              ],
              Resource: role,
            },
          ]
        : []),
    ],
  }
}

export function policiesOf(scope: PolicyScope): readonly PlatformPolicy[] {
  return [
    {
      name: 'deployer',
      purpose: 'for your own user or role: to deploy, run, look at and remove runtimes',
      document: deployerPolicy(scope),
    },
    {
      name: 'worker',
      purpose: 'for the role that workers have (aws_lambda.execution_role); functions may need more',
      document: workerPolicy(scope),
    },
    {
      name: 'worker trust',
      purpose: 'the trust policy of that role',
      document: TRUST_POLICY,
    },
  ]
}
