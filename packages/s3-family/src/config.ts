import { createHash } from 'node:crypto'
import { ConfigError, field } from '@lithops/core/driver'

// Loaded with a driver's config section, before anybody knows that the storage will be used: no SDK here.

/** The fields of a section whose service is named by its endpoint and opened by keys. */
export const endpointFields = {
  endpoint: field.string({ required: true, doc: 'URL of the service, with http:// or https://.' }),
  access_key_id: field.string({ required: true, secret: true, doc: 'Access key.' }),
  secret_access_key: field.string({ required: true, secret: true, doc: 'Secret key.' }),
  session_token: field.string({ secret: true, doc: 'Token of temporary keys.' }),
  region: field.string({ default: 'us-east-1', doc: 'Region that requests are signed for.' }),
  storage_bucket: field.string({
    doc: 'Bucket of jobs. Default: lithops-<from the endpoint>-<first 6 characters of the access key>.',
  }),
} as const

/** What the fields come to. */
export interface EndpointConfig {
  readonly endpoint: string
  readonly access_key_id: string
  readonly secret_access_key: string
  readonly session_token?: string | undefined
  /** Absent in the config of a worker of an older version: the default. */
  readonly region?: string
  readonly storage_bucket?: string | undefined
}

/** Refuses what is no URL. Returns its host, which errors name. Throws ConfigError. */
export function checkEndpoint(section: string, endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(
      `${section}.endpoint must be a URL that begins with http:// or https://, not '${endpoint}'.`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError(`${section}.endpoint must have no credentials in it; give keys of their own.`)
  }
  return url.host
}

/** From: Lithops minio.py and ceph.py. It shows the first six characters of the access key. */
export function bucketOfEndpoint(endpoint: string, accessKeyId: string): string {
  const place = createHash('sha1').update(endpoint).digest('hex').slice(0, 6)
  return bucketName(`lithops-${place}-${accessKeyId.slice(0, 6)}`)
}

/** Lower case, and what names of buckets cannot have, or cannot end with, becomes 'x'. */
export function bucketName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, 'x')
    .replace(/-$/, 'x')
}

/** Without the fields that are not set, as `workerSecrets` and `workerConfig` want it. */
export function setFields<T>(fields: Readonly<Record<string, T | undefined>>): Record<string, T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Record<
    string,
    T
  >
}
