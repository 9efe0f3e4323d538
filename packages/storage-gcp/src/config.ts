import { createHash } from 'node:crypto'
import { ConfigError, defineConfigSection, field } from '@lithops/core/driver'

/** The section `gcp_storage`. From: lithops/storage/backends/gcp_storage/config.py; the last two are of this driver. */
export const gcpStorageSection = defineConfigSection({
  name: 'gcp_storage',
  inherits: ['gcp'],
  fields: {
    region: field.string({
      doc: 'Where buckets are made, for instance us-east1 or EU. Needed to make one, and unless storage_bucket is given.',
    }),
    credentials_path: field.string({
      doc: "Path of a JSON file with the key of a service account. Default: the one in GOOGLE_APPLICATION_CREDENTIALS; without either, Google's library looks in its usual places: gcloud's login and the identity of the platform.",
    }),
    storage_bucket: field.string({
      doc: 'Bucket of jobs. Default: lithops-<region>-<from credentials_path, or else from project_name>.',
    }),
    project_name: field.string({
      doc: 'Id of the project in which buckets are made. Default: that of the credentials.',
    }),
    credentials: field.string({
      secret: true,
      doc: 'Content of such a file, instead of its path.',
    }),
    endpoint: field.string({
      env: 'STORAGE_EMULATOR_HOST',
      doc: 'URL of the service, for private endpoints and emulators. One that begins with http:// is asked without credentials, unless the config has some. Default: https://storage.googleapis.com.',
    }),
    service_account: field.ignored('storage has no need of it'),
  },
})

type Text = string | undefined

/** What the section comes to. */
export interface GcpStorageConfig {
  readonly region?: Text
  readonly credentials_path?: Text
  readonly storage_bucket?: Text
  readonly project_name?: Text
  readonly credentials?: Text
  readonly endpoint?: Text
}

const PUBLIC_ENDPOINT = 'https://storage.googleapis.com'

/** Of the service, without a slash at the end. Throws ConfigError for what is no URL, or has credentials in it. */
export function endpointOf({ endpoint = PUBLIC_ENDPOINT }: GcpStorageConfig): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(
      `gcp_storage.endpoint (or STORAGE_EMULATOR_HOST) must be a URL that begins with https:// or http://, such as ${PUBLIC_ENDPOINT}.`,
    )
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new ConfigError('gcp_storage.endpoint must have no credentials in it; give credentials_path.')
  }
  return endpoint.replace(/\/+$/, '')
}

/** Bearer tokens are for whoever reads them: over plain http they go to this machine only. */
export function checkSecrecy(endpoint: string): void {
  const { protocol, hostname } = new URL(endpoint)
  if (protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) return
  throw new ConfigError(
    `gcp_storage has credentials, and they would go to ${endpoint} for all to read: give an endpoint that begins with https://, or no credentials.`,
  )
}

/** The bucket of jobs. The automatic one is that of Lithops: from gcp_storage.py. */
export function bucketOf(config: GcpStorageConfig, credentialsPath: Text): string {
  const { storage_bucket: bucket, region, project_name } = config
  if (bucket !== undefined) return checkedBucket(bucket)
  const from = credentialsPath ?? project_name
  if (region === undefined || from === undefined) {
    throw new ConfigError(
      `gcp_storage: give storage_bucket, or ${region === undefined ? 'region' : 'credentials_path or project_name'}, from which a name is made.`,
    )
  }
  const place = createHash('sha1').update(from).digest('hex').slice(0, 6)
  return checkedBucket(`lithops-${region.toLowerCase()}-${place}`)
}

/** From: Google Cloud Storage, "Bucket naming requirements". */
function checkedBucket(bucket: string): string {
  const most = bucket.includes('.') ? 222 : 63
  const isFine = /^[a-z0-9][a-z0-9._-]+[a-z0-9]$/.test(bucket) && bucket.length <= most
  if (isFine && !bucket.startsWith('goog') && !/google/.test(bucket)) return bucket
  throw new ConfigError(
    `gcp_storage.storage_bucket must be the name of a bucket, 3 to 63 lower-case letters, digits, '-', '_' and '.', without 'google', not '${bucket}'.`,
  )
}
