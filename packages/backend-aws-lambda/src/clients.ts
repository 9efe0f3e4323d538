import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import type { ECRClient } from '@aws-sdk/client-ecr'
import type { IAMClient } from '@aws-sdk/client-iam'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { S3Client } from '@aws-sdk/client-s3'
import { ConfigError } from '@lithops/core/driver'
import type { AwsLambdaConfig } from './config.ts'
import type { AwsKeys } from './signer.ts'

/** Lambda takes 15 requests of its control plane per second; many programs that deploy at once wait for their turn. */
const CONTROL_ATTEMPTS = 12

/** Who runs this program, as STS says. */
export interface Identity {
  readonly accountId: string
  readonly userId: string
}

type ClientOptions = Readonly<Record<string, unknown>>

/**
 * The official clients, for everything but invocations; each is loaded and made when it is first needed. They find
 * credentials, region and endpoints as the SDK does, unless the config says them.
 */
export class AwsClients {
  readonly #config: AwsLambdaConfig
  #lambda: Promise<LambdaClient> | undefined
  #iam: Promise<IAMClient> | undefined
  #logs: Promise<CloudWatchLogsClient> | undefined
  #ecr: Promise<ECRClient> | undefined
  #s3: Promise<S3Client> | undefined
  #region: Promise<string> | undefined

  constructor(config: AwsLambdaConfig) {
    this.#config = config
  }

  lambda(): Promise<LambdaClient> {
    this.#lambda ??= import('@aws-sdk/client-lambda').then(
      ({ LambdaClient }) =>
        new LambdaClient({
          ...this.#options(),
          ...(this.#config.endpoint === undefined ? {} : { endpoint: this.#config.endpoint }),
          maxAttempts: CONTROL_ATTEMPTS,
        }),
    )
    return this.#lambda
  }

  iam(): Promise<IAMClient> {
    this.#iam ??= Promise.all([import('@aws-sdk/client-iam'), this.region()]).then(
      ([{ IAMClient }, region]) => new IAMClient({ ...this.#options(), region }),
    )
    return this.#iam
  }

  logs(): Promise<CloudWatchLogsClient> {
    this.#logs ??= Promise.all([import('@aws-sdk/client-cloudwatch-logs'), this.region()]).then(
      ([{ CloudWatchLogsClient }, region]) => new CloudWatchLogsClient({ ...this.#options(), region }),
    )
    return this.#logs
  }

  ecr(): Promise<ECRClient> {
    this.#ecr ??= Promise.all([import('@aws-sdk/client-ecr'), this.region()]).then(
      ([{ ECRClient }, region]) => new ECRClient({ ...this.#options(), region }),
    )
    return this.#ecr
  }

  s3(): Promise<S3Client> {
    this.#s3 ??= Promise.all([import('@aws-sdk/client-s3'), this.region()]).then(
      ([{ S3Client }, region]) => new S3Client({ ...this.#options(), region }),
    )
    return this.#s3
  }

  /** Throws ConfigError when nothing names a region. */
  region(): Promise<string> {
    this.#region ??= this.#findRegion()
    return this.#region
  }

  async #findRegion(): Promise<string> {
    if (this.#config.region !== undefined) return this.#config.region
    try {
      return await (await this.lambda()).config.region()
    } catch (cause) {
      throw new ConfigError(
        'aws_lambda.region is missing, and neither AWS_REGION nor a profile of ~/.aws/config has one.',
        { cause },
      )
    }
  }

  /** Keys for now: the SDK keeps them and fetches new ones before they expire. `refresh`: those that are kept are no good. */
  async keys({ refresh = false } = {}): Promise<AwsKeys> {
    const lambda = await this.lambda()
    try {
      return await lambda.config.credentials(refresh ? { forceRefresh: true } : undefined)
    } catch (cause) {
      throw new ConfigError(
        `There are no credentials for AWS: ${(cause as Error).message} Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a ` +
          'profile in AWS_PROFILE, run `aws sso login`, or put keys into the section aws of the config.',
        { cause },
      )
    }
  }

  /** Asks STS. */
  async identity(): Promise<Identity> {
    const { account_id: accountId, user_id: userId } = this.#config
    if (accountId !== undefined && userId !== undefined) return { accountId, userId }
    const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts')
    const sts = new STSClient({ ...this.#options(), region: await this.region() })
    try {
      const { Account = '', UserId = '' } = await sts.send(new GetCallerIdentityCommand({}))
      return { accountId: accountId ?? Account, userId: userId ?? UserId }
    } finally {
      sts.destroy()
    }
  }

  /** Origin that invocations go to. */
  async endpoint(): Promise<URL> {
    const named = this.#config.endpoint ?? process.env.AWS_ENDPOINT_URL_LAMBDA ?? process.env.AWS_ENDPOINT_URL
    if (named !== undefined) return new URL(named)
    const region = await this.region()
    return new URL(`https://lambda.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`)
  }

  async close(): Promise<void> {
    for (const client of [this.#lambda, this.#iam, this.#logs, this.#s3, this.#ecr]) {
      await client?.then(
        one => one.destroy(),
        () => {},
      )
    }
  }

  #options(): ClientOptions {
    const { region, profile, access_key_id, secret_access_key, session_token } = this.#config
    const credentials =
      access_key_id === undefined || secret_access_key === undefined
        ? {}
        : {
            credentials: {
              accessKeyId: access_key_id,
              secretAccessKey: secret_access_key,
              ...(session_token === undefined ? {} : { sessionToken: session_token }),
            },
          }
    return {
      ...(region === undefined ? {} : { region }),
      ...(profile === undefined ? {} : { profile }),
      ...credentials,
    }
  }
}
