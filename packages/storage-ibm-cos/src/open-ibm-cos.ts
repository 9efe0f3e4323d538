import { ConfigError, type DriverLog } from '@lithops/core/driver'
import { S3Storage, type S3StorageOptions } from '@lithops/s3-family'
import { bucketName, checkEndpoint, setFields } from '@lithops/s3-family/config'
import { type IbmCosConfig, type IbmCosKeys, keysOf, placeOf } from './config.ts'
import { IamTokens } from './iam-tokens.ts'

/** Opens the storage. */
export function openIbmCos(config: IbmCosConfig, log?: DriverLog): S3Storage {
  const keys = keysOf(config)
  const { endpoint, region } = placeOf(config, process.env)
  checkEndpoint('ibm_cos', endpoint)
  const defaultBucket = config.storage_bucket ?? automaticBucket(keys, region)
  const { client, service } = signing(keys, config)
  return new S3Storage({
    name: 'ibm_cos',
    region,
    defaultBucket,
    client: { endpoint, region, forcePathStyle: true, ...client },
    service: {
      takesChecksums: false,
      expiresUploads: true,
      // not verified: completed uploads are taken to ignore If-None-Match, as Ceph's do
      completesConditionally: false,
      presignsUrls: true,
      ...service,
    },
    workerConfig: setFields({
      region: config.region,
      endpoint: config.endpoint,
      private_endpoint: config.private_endpoint,
      service_instance_id: config.service_instance_id,
      iam_endpoint: config.iam_endpoint,
      storage_bucket: defaultBucket,
    }),
    workerSecrets:
      keys.kind === 'hmac'
        ? { access_key_id: keys.accessKeyId, secret_access_key: keys.secretAccessKey }
        : { api_key: keys.apiKey },
    ...(log === undefined ? {} : { log }),
  })
}

/** From: Lithops ibm_cos.py. */
function automaticBucket(keys: IbmCosKeys, region: string): string {
  if (keys.kind === 'hmac') return bucketName(`lithops-${region}-${keys.accessKeyId.slice(0, 6)}`)
  throw new ConfigError('ibm_cos.storage_bucket is missing: with an API key there is no automatic bucket.')
}

/** Signatures of version 4 with HMAC credentials; with an API key, a bearer token in each request. */
function signing(
  keys: IbmCosKeys,
  config: IbmCosConfig,
): { readonly client: S3StorageOptions['client']; readonly service?: Partial<S3StorageOptions['service']> } {
  if (keys.kind === 'hmac') {
    const { accessKeyId, secretAccessKey } = keys
    return { client: { credentials: { accessKeyId, secretAccessKey } } }
  }
  const tokens = new IamTokens({ apiKey: keys.apiKey, url: config.iam_endpoint ?? DEFAULT_IAM_ENDPOINT })
  const signer = {
    async sign<R extends { headers: Record<string, string> }>(request: R): Promise<R> {
      request.headers.authorization = `Bearer ${await tokens.get()}`
      return request
    },
  }
  return {
    client: {
      // the SDK wants some before it asks the signer
      credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' },
      signer: async () => signer as never,
    },
    service: {
      presignsUrls: false,
      renewCredentials: () => tokens.renew(),
      ...(keys.serviceInstanceId === undefined
        ? {}
        : { bucketHeaders: { 'ibm-service-instance-id': keys.serviceInstanceId } }),
    },
  }
}

const DEFAULT_IAM_ENDPOINT = 'https://iam.cloud.ibm.com'
