import type { DriverLog } from '@lithops/core/driver'
import { bucketOfEndpoint, checkEndpoint, type EndpointConfig, setFields } from './config.ts'
import type { S3Service } from './s3-options.ts'
import { S3Storage } from './s3-storage.ts'

/** A storage whose service is named by its endpoint and opened by keys: MinIO, Ceph and whatever else speaks S3. */
export function openEndpointStorage(
  name: string,
  config: EndpointConfig,
  options: { readonly service: S3Service; readonly log?: DriverLog; readonly idleTimeoutMs?: number },
): S3Storage {
  const { endpoint, region = 'us-east-1' } = config
  const { access_key_id, secret_access_key, session_token } = config
  const host = checkEndpoint(name, endpoint)
  const defaultBucket = config.storage_bucket ?? bucketOfEndpoint(endpoint, access_key_id)
  return new S3Storage({
    ...options,
    name,
    region: host,
    defaultBucket,
    client: {
      endpoint,
      region,
      // buckets are not names of hosts there
      forcePathStyle: true,
      credentials: setFields({
        accessKeyId: access_key_id,
        secretAccessKey: secret_access_key,
        sessionToken: session_token,
      }) as never,
    },
    workerConfig: { endpoint, region, storage_bucket: defaultBucket },
    workerSecrets: setFields({ access_key_id, secret_access_key, session_token }),
  })
}
