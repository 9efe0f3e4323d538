import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { bareCause, ConfigError, type DriverLog, StorageAccessError } from '@lithops/core/driver'
import { S3Storage } from '@lithops/s3-family'
import { bucketName, bucketOfEndpoint, checkEndpoint, setFields } from '@lithops/s3-family/config'
import type { AwsS3Config } from './config.ts'
import { requestsCostUsd } from './prices.ts'

/** Opens the storage: finds the region and the bucket that the config leaves out. */
export async function openAwsS3(config: AwsS3Config, log?: DriverLog): Promise<S3Storage> {
  checkKeys(config)
  const endpoint = config.endpoint ?? process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL
  const host = endpoint === undefined ? undefined : checkEndpoint('aws_s3', endpoint)
  const isAws = host === undefined || /\.amazonaws\.com(\.cn)?$/.test(new URL(`http://${host}`).hostname)
  const region = config.region ?? (await findRegion())
  const credentials = credentialsOf(config)
  const defaultBucket = config.storage_bucket ?? (await findBucket(config, { region, endpoint, credentials }))
  return new S3Storage({
    name: 'aws_s3',
    region: isAws ? region : host,
    defaultBucket,
    client: {
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
      forcePathStyle: !isAws,
      // a data source may be in a bucket of another region
      followRegionRedirects: isAws,
    },
    service: {
      takesChecksums: isAws,
      ...(region === 'us-east-1' ? {} : { locationConstraint: region }),
      expiresUploads: true,
      completesConditionally: isAws,
      presignsUrls: true,
    },
    // another service has prices of its own
    ...(isAws ? { costOf: requests => requestsCostUsd(region, requests) } : {}),
    workerConfig: setFields({ region, storage_bucket: defaultBucket, endpoint: config.endpoint }),
    workerSecrets: setFields({
      access_key_id: config.access_key_id,
      secret_access_key: config.secret_access_key,
      session_token: config.session_token,
    }),
    ...(log === undefined ? {} : { log }),
  })
}

type Credentials = S3ClientConfig['credentials']

/** Undefined: the SDK looks in its usual places. */
function credentialsOf(config: AwsS3Config): Credentials {
  if (config.access_key_id === undefined || config.secret_access_key === undefined) return undefined
  return {
    accessKeyId: config.access_key_id,
    secretAccessKey: config.secret_access_key,
    ...(config.session_token === undefined ? {} : { sessionToken: config.session_token }),
  }
}

function checkKeys({ access_key_id, secret_access_key, session_token }: AwsS3Config): void {
  if ((access_key_id === undefined) !== (secret_access_key === undefined)) {
    const [given, missing] =
      access_key_id === undefined
        ? ['secret_access_key', 'access_key_id']
        : ['access_key_id', 'secret_access_key']
    throw new ConfigError(`aws_s3.${given} is given without aws_s3.${missing}: give both, or none.`)
  }
  if (session_token !== undefined && access_key_id === undefined) {
    throw new ConfigError(
      'aws_s3.session_token is given without keys: give access_key_id and secret_access_key.',
    )
  }
}

async function findRegion(): Promise<string> {
  const client = new S3Client({})
  try {
    return await client.config.region()
  } catch (cause) {
    throw new ConfigError(
      'aws_s3.region is missing, and neither AWS_REGION nor a profile of ~/.aws/config has one.',
      { cause },
    )
  } finally {
    client.destroy()
  }
}

/** From: Lithops aws_s3.py. Names of buckets are shared by all of AWS, so one's own id is in it. */
async function findBucket(
  config: AwsS3Config,
  place: {
    readonly region: string
    readonly endpoint: string | undefined
    readonly credentials: Credentials
  },
): Promise<string> {
  const { region, endpoint, credentials } = place
  // another service has no STS of AWS that would know the keys
  if (endpoint !== undefined && config.access_key_id !== undefined) {
    return bucketOfEndpoint(endpoint, config.access_key_id)
  }
  const sts = new STSClient({ region, ...(credentials === undefined ? {} : { credentials }) })
  try {
    const { UserId = '' } = await sts.send(new GetCallerIdentityCommand({}))
    return bucketName(`lithops-${region}-${UserId.slice(-4)}`)
  } catch (error) {
    throw new StorageAccessError(
      `aws_s3.storage_bucket is not set, and STS did not tell who you are, which the bucket's own name needs ` +
        `(${(error as Error).name}: ${(error as Error).message}). Check the credentials, or set aws_s3.storage_bucket.`,
      { details: { operation: 'find', region }, cause: bareCause(error) },
    )
  } finally {
    sts.destroy()
  }
}
