import { ConfigError, defineConfigSection, field } from '@lithops/core/driver'

/** The section `ibm_cos`. From: lithops/storage/backends/ibm_cos/config.py. */
export const ibmCosSection = defineConfigSection({
  name: 'ibm_cos',
  inherits: ['ibm'],
  fields: {
    region: field.string({ doc: "Region of the bucket, e.g. 'eu-de'. It or endpoint is needed." }),
    endpoint: field.string({ doc: 'URL of the service. Default: the public one of the region.' }),
    private_endpoint: field.string({
      doc: 'URL for workers inside IBM Cloud. Default there: the private or direct one of the region.',
    }),
    access_key_id: field.string({ secret: true, doc: 'Access key of HMAC credentials.' }),
    secret_access_key: field.string({ secret: true, doc: 'Secret key of HMAC credentials.' }),
    api_key: field.string({ secret: true, doc: 'API key; needs service_instance_id.' }),
    iam_api_key: field.string({ secret: true, doc: 'The same, as the section ibm has it.' }),
    service_instance_id: field.string({
      doc: 'CRN of the service instance that owns new buckets; needed with an API key.',
    }),
    iam_endpoint: field.string({
      default: 'https://iam.cloud.ibm.com',
      doc: 'Where API keys become tokens.',
    }),
    storage_bucket: field.string({
      doc: 'Bucket of jobs. Default with HMAC credentials: lithops-<region>-<first 6 characters of the access key>.',
    }),
    resource_group_id: field.ignored('storage has no need of it'),
  },
})

type Text = string | undefined

/** What the section comes to. */
export interface IbmCosConfig {
  readonly region?: Text
  readonly endpoint?: Text
  readonly private_endpoint?: Text
  readonly access_key_id?: Text
  readonly secret_access_key?: Text
  readonly api_key?: Text
  readonly iam_api_key?: Text
  readonly service_instance_id?: Text
  readonly iam_endpoint?: string
  readonly storage_bucket?: Text
}

/** How requests are signed. */
export type IbmCosKeys =
  | { readonly kind: 'hmac'; readonly accessKeyId: string; readonly secretAccessKey: string }
  | { readonly kind: 'iam'; readonly apiKey: string; readonly serviceInstanceId: Text }

/** HMAC credentials where there are any, else the API key. Throws ConfigError when there is neither, or half of one. */
export function keysOf(config: IbmCosConfig): IbmCosKeys {
  const { access_key_id, secret_access_key } = config
  if (access_key_id !== undefined && secret_access_key !== undefined) {
    return { kind: 'hmac', accessKeyId: access_key_id, secretAccessKey: secret_access_key }
  }
  if (access_key_id !== undefined || secret_access_key !== undefined) {
    throw new ConfigError('ibm_cos: give access_key_id and secret_access_key together.')
  }
  const apiKey = config.api_key ?? config.iam_api_key
  if (apiKey === undefined) {
    throw new ConfigError(
      'ibm_cos has no credentials: give access_key_id and secret_access_key (HMAC), or api_key and service_instance_id.',
    )
  }
  return { kind: 'iam', apiKey, serviceInstanceId: config.service_instance_id }
}

/** Where the service is, for this process. */
export interface IbmCosPlace {
  readonly endpoint: string
  readonly region: string
}

const HOST = 'cloud-object-storage.appdomain.cloud'

/**
 * The public endpoint, or inside of IBM Cloud the private one. From: Lithops: `private` for Cloud Functions, `direct` for
 * Code Engine. Throws ConfigError when neither region nor endpoint is given.
 */
export function placeOf(config: IbmCosConfig, env: NodeJS.ProcessEnv): IbmCosPlace {
  const region = config.region ?? regionOf(config.endpoint)
  if (region === undefined && config.endpoint === undefined) {
    throw new ConfigError("ibm_cos: give a region, e.g. 'eu-de', or an endpoint.")
  }
  // From: the environment that each platform gives to its workers
  const inside =
    env.__OW_ACTIVATION_ID !== undefined ? 'private' : env.CE_SUBDOMAIN !== undefined ? 'direct' : undefined
  const ofRegion = (kind: string) => `https://s3.${kind}${region}.${HOST}`
  const publicEndpoint = config.endpoint ?? ofRegion('')
  const privateEndpoint =
    config.private_endpoint ?? (config.endpoint === undefined ? ofRegion(`${inside}.`) : publicEndpoint)
  return {
    endpoint: inside === undefined ? publicEndpoint : privateEndpoint,
    region: region ?? 'us-standard',
  }
}

/** 'eu-de' of 'https://s3.eu-de.cloud-object-storage.appdomain.cloud'. */
function regionOf(endpoint: Text): Text {
  return /\/\/s3\.(?:private\.|direct\.)?([a-z0-9-]+)\.cloud-object-storage\./.exec(endpoint ?? '')?.[1]
}
