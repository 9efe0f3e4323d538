import { Storage } from '@google-cloud/storage'
import { bucketOf, checkSecrecy, endpointOf, type GcpStorageConfig } from './config.ts'
import { isPortable, readCredentials } from './credentials.ts'
import { GcsSession } from './gcs-session.ts'
import { GcsStorage } from './gcs-storage.ts'
import { PAGE_KEYS } from './limits.ts'

/** Opens the storage. Nothing is asked of the service. */
export async function openGcs(
  config: GcpStorageConfig,
  options: { readonly idleTimeoutMs?: number; readonly pageKeys?: number } = {},
): Promise<GcsStorage> {
  const endpoint = endpointOf(config)
  const given = await readCredentials(config)
  const isAnonymous = given === undefined && endpoint.startsWith('http:')
  if (given !== undefined) checkSecrecy(endpoint)
  const defaultBucket = bucketOf(config, given?.path)
  const { region, project_name } = config
  const projectId = project_name ?? given?.content.project_id ?? (isAnonymous ? 'none' : undefined)
  const session = new GcsSession(isAnonymous ? 'none' : given, { ...options, projectId })
  const client = new Storage({
    // one copy of the library: this is the class that the SDK knows
    authClient: session.auth as never,
    apiEndpoint: endpoint,
    useAuthWithCustomEndpoint: true,
    ...(projectId === undefined ? {} : { projectId }),
  })
  const told = { region, project_name: projectId, endpoint: config.endpoint, storage_bucket: defaultBucket }
  return new GcsStorage(session, client, {
    endpoint,
    defaultBucket,
    region,
    pageKeys: options.pageKeys ?? PAGE_KEYS,
    // users have no key, and the service signs for service accounts alone
    presignsUrls: !isAnonymous && given?.content.type !== 'authorized_user',
    workerConfig: setFields(isAnonymous ? { ...told, project_name } : told),
    workerSecrets: given !== undefined && isPortable(given) ? { credentials: given.text } : {},
  })
}

function setFields(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >
}
