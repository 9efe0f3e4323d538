import { ConfigError, defineConfigSection, field } from '@lithops/core/driver'
import { EPHEMERAL_MIB, EVENT_AGE_S, MEMORY_MIB, TIMEOUT_S } from './limits.ts'

/** The section `aws_lambda`. From: lithops/serverless/backends/aws_lambda/config.py. */
export const awsLambdaSection = defineConfigSection({
  name: 'aws_lambda',
  inherits: ['aws'],
  renamed: { region_name: 'region', lambda_role: 'execution_role', timeout: 'runtime_timeout' },
  fields: {
    region: field.string({
      doc: 'Region of the functions. Default: that of the environment or the profile, as the AWS SDK finds it.',
    }),
    execution_role: field.string({
      doc: 'ARN of the role that workers have. Needed, unless create_role makes one.',
    }),
    create_role: field.boolean({
      default: false,
      doc: 'Makes a role for workers where execution_role names none: `lithops-worker-<user>`, which may write logs and use worker_buckets.',
    }),
    worker_buckets: field.list({
      doc: 'Buckets of Amazon S3 that the role of create_role may read and write.',
    }),
    code_bucket: field.string({
      doc: 'Bucket of Amazon S3, in the region of the functions, for code of more than 50 MB, as with large native packages. It is there only until the function is made.',
    }),
    access_key_id: field.string({
      secret: true,
      doc: 'Access key. Without keys the AWS SDK looks for credentials in its usual places: environment, profiles, SSO, the role of a machine or function.',
    }),
    secret_access_key: field.string({ secret: true, doc: 'Secret key, together with access_key_id.' }),
    session_token: field.string({ secret: true, doc: 'Token of temporary keys.' }),
    profile: field.string({ doc: 'Profile of ~/.aws/config to use. Default: AWS_PROFILE.' }),
    account_id: field.string({ doc: 'Account. Default: STS is asked once.' }),
    user_id: field.string({
      doc: 'User id, of which names have the last characters. Default: STS is asked once.',
    }),
    namespace: field.string({ doc: 'Put before all names, so that several installations stay apart.' }),
    runtime: field.string({
      default: 'default',
      doc: "'default', for the Node line of Lambda that fits the client; one by its name, such as nodejs22.x; or a container image of `lithops runtime build`, such as my-runtime:1.",
    }),
    container_tool: field.string({
      doc: 'What builds container images: docker, podman or buildah, or the path of one. Default: the first that works here.',
    }),
    runtime_memory: field.integer({
      min: MEMORY_MIB.least,
      max: MEMORY_MIB.most,
      default: 256,
      doc: 'Memory of a worker in MiB.',
    }),
    runtime_timeout: field.integer({
      min: TIMEOUT_S.least,
      max: TIMEOUT_S.most,
      default: 180,
      doc: 'Time limit of one activation in seconds, by Lambda itself.',
    }),
    ephemeral_storage: field.integer({
      min: EPHEMERAL_MIB.least,
      max: EPHEMERAL_MIB.most,
      default: 512,
      doc: 'Size of /tmp in MiB.',
    }),
    architecture: field.choice(['x86_64', 'arm64'], { default: 'x86_64', doc: 'Processors of the workers.' }),
    max_workers: field.integer({
      min: 1,
      default: 1000,
      doc: 'Activations at once. Never more than the concurrency of the account, which is asked for.',
    }),
    env_vars: field.any('mapping, or list of {name, value}', {
      doc: 'Environment variables of the workers.',
    }),
    user_tags: field.any('mapping', { doc: 'Tags of the functions.' }),
    vpc: field.any('{subnets, security_groups}', { doc: 'Network of the workers.' }),
    efs: field.any('list of {access_point, mount_path}', {
      doc: 'File systems of the workers; paths begin with /mnt/.',
    }),
    invocation: field.choice(['auto', 'sync', 'async'], {
      default: 'auto',
      doc: "'sync': workers answer with results. 'async': Lambda only accepts; results need `monitoring: storage` or another monitor. 'auto': async where results come by a monitor, else sync.",
    }),
    maximum_event_age: field.integer({
      min: EVENT_AGE_S.least,
      max: EVENT_AGE_S.most,
      default: 3600,
      doc: 'How long Lambda may keep an asynchronous activation that it cannot start, in seconds. A call of which nothing was heard for longer is run again.',
    }),
    endpoint: field.string({
      env: 'AWS_ENDPOINT_URL_LAMBDA',
      doc: 'URL of another service that speaks the API of Lambda, or of a VPC endpoint. Default: that of the region.',
    }),
    worker_processes: field.ignored(
      'a worker of Lambda runs one call at a time; several calls in one, one after the other, are the option chunksize',
      { matters: processes => Number(processes) !== 1 },
    ),
    invoke_pool_threads: field.ignored(
      'invocations need no threads; connections are opened as they are needed',
    ),
    remote_invoker: field.ignored(
      'activations are sent from the client, which is faster than Lambda starts environments',
    ),
    runtime_include_function: field.boolean({
      default: false,
      doc: 'Puts the function of each job into the code of a Lambda function of its own, made once for the same content, so that activations carry none. `serverless: {customized_runtime: true}` says the same.',
    }),
    storage_bucket: field.ignored('it is for aws_s3'),
  },
})

type Section = ReturnType<typeof awsLambdaSection.parse>['config']

export type AwsLambdaConfig = Partial<Section>

export interface VpcSettings {
  readonly subnets: readonly string[]
  readonly securityGroups: readonly string[]
}

export interface FileSystem {
  readonly accessPoint: string
  readonly mountPath: string
}

/** The section with defaults filled in and its nested parts checked. */
export interface AwsLambdaSettings {
  readonly runtime: string
  /** Lambda functions are made for functions of the user's, and have their code. */
  readonly includesFunctions: boolean
  readonly containerTool: string | undefined
  readonly memoryMiB: number
  readonly timeoutMs: number
  readonly ephemeralMiB: number
  readonly architecture: 'x86_64' | 'arm64'
  readonly maxWorkers: number
  readonly environment: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  readonly vpc: VpcSettings | undefined
  readonly fileSystems: readonly FileSystem[]
  readonly executionRole: string | undefined
  readonly createsRole: boolean
  readonly workerBuckets: readonly string[]
  readonly codeBucket: string | undefined
  readonly namespace: string
  readonly invocation: 'auto' | 'sync' | 'async'
  readonly maximumEventAgeS: number
}

/** Throws ConfigError that names every problem. */
export function settingsOf(config: AwsLambdaConfig): AwsLambdaSettings {
  const problems: string[] = []
  checkKeys(config, problems)
  const { namespace = '', execution_role } = config
  if (!/^[a-zA-Z0-9-]{0,16}$/.test(namespace))
    problems.push(`aws_lambda.namespace must be up to 16 letters, digits and '-', not '${namespace}'`)
  if (execution_role !== undefined && !/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/.test(execution_role))
    problems.push(
      `aws_lambda.execution_role must be the ARN of a role, such as arn:aws:iam::123456789012:role/name, not '${execution_role}'`,
    )
  const settings: AwsLambdaSettings = {
    runtime: config.runtime ?? 'default',
    includesFunctions: config.runtime_include_function ?? false,
    containerTool: config.container_tool,
    memoryMiB: config.runtime_memory ?? 256,
    timeoutMs: (config.runtime_timeout ?? 180) * 1000,
    ephemeralMiB: config.ephemeral_storage ?? 512,
    architecture: config.architecture === 'arm64' ? 'arm64' : 'x86_64',
    maxWorkers: config.max_workers ?? 1000,
    environment: textsOf('env_vars', config.env_vars, problems),
    tags: textsOf('user_tags', config.user_tags, problems),
    vpc: vpcOf(config.vpc, problems),
    fileSystems: fileSystemsOf(config.efs, problems),
    executionRole: execution_role,
    createsRole: config.create_role ?? false,
    workerBuckets: config.worker_buckets ?? [],
    codeBucket: config.code_bucket,
    namespace: namespace === '' ? '' : `${namespace}-`,
    invocation: (config.invocation ?? 'auto') as AwsLambdaSettings['invocation'],
    maximumEventAgeS: config.maximum_event_age ?? 3600,
  }
  if (settings.fileSystems.length > 0 && settings.vpc === undefined)
    problems.push('aws_lambda.efs needs aws_lambda.vpc: file systems are reached through a network')
  if (problems.length > 0)
    throw new ConfigError(`The configuration is wrong: ${problems.join('; ')}.`, { details: { problems } })
  return settings
}

function checkKeys(config: AwsLambdaConfig, problems: string[]): void {
  const { access_key_id, secret_access_key, session_token, profile } = config
  if ((access_key_id === undefined) !== (secret_access_key === undefined))
    problems.push('aws_lambda.access_key_id and aws_lambda.secret_access_key: give both, or none')
  if (session_token !== undefined && access_key_id === undefined)
    problems.push('aws_lambda.session_token is given without access_key_id and secret_access_key')
  if (profile !== undefined && access_key_id !== undefined)
    problems.push(
      'aws_lambda.profile and aws_lambda.access_key_id are both given: one of them says who you are',
    )
}

/** A mapping, or a list of {name, value} as Lithops (Python) has it. */
function textsOf(key: string, given: unknown, problems: string[]): Record<string, string> {
  if (given === undefined) return {}
  const pairs: [unknown, unknown][] = Array.isArray(given)
    ? given.map(one => [(one as { name?: unknown } | null)?.name, (one as { value?: unknown } | null)?.value])
    : typeof given === 'object' && given !== null
      ? Object.entries(given)
      : [[undefined, undefined]]
  const texts: Record<string, string> = {}
  for (const [name, value] of pairs) {
    if (typeof name === 'string' && ['string', 'number', 'boolean'].includes(typeof value)) {
      texts[name] = String(value)
    } else {
      const place = typeof name === 'string' ? `.${name}` : ''
      problems.push(
        `aws_lambda.${key}${place} must be a mapping of names to texts, or a list of {name, value}`,
      )
    }
  }
  return texts
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every(one => typeof one === 'string')
}

function vpcOf(given: unknown, problems: string[]): VpcSettings | undefined {
  if (given === undefined) return undefined
  const { subnets, security_groups: securityGroups } = (given ?? {}) as Record<string, unknown>
  // the template of Lithops (Python) has them so, for none
  if ([subnets, securityGroups].every(ids => Array.isArray(ids) && ids.length === 0)) return undefined
  if (isTexts(subnets) && isTexts(securityGroups)) return { subnets, securityGroups }
  problems.push('aws_lambda.vpc must have subnets and security_groups, lists of ids')
  return undefined
}

function fileSystemsOf(given: unknown, problems: string[]): FileSystem[] {
  if (given === undefined) return []
  if (!Array.isArray(given)) {
    problems.push('aws_lambda.efs must be a list of {access_point, mount_path}')
    return []
  }
  return given.map((one, i) => {
    const { access_point: accessPoint, mount_path: mountPath } = (one ?? {}) as Record<string, unknown>
    if (
      typeof accessPoint !== 'string' ||
      typeof mountPath !== 'string' ||
      !/^\/mnt\/[\w.-]+$/.test(mountPath)
    )
      problems.push(`aws_lambda.efs[${i}] must have access_point, an ARN, and mount_path, such as /mnt/data`)
    return { accessPoint: String(accessPoint), mountPath: String(mountPath) }
  })
}
