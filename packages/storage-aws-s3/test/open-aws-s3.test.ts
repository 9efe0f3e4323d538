import { ConfigError, StorageAccessError } from '@lithops/core/driver'
import { moto, withRealPart } from '@lithops/fake-clouds/real-parts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openAwsS3 } from '../src/open-aws-s3.ts'

/** Nothing of this machine's own configuration of AWS. */
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_CONFIG_FILE', '/none')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/none')
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
})
afterEach(() => vi.unstubAllEnvs())

const keys = { access_key_id: 'AKIAEXAMPLE', secret_access_key: 'never-shown' }

test('refuses half of the credentials, and a region that nobody names', async () => {
  await expect(openAwsS3({ access_key_id: 'a' })).rejects.toThrow('without aws_s3.secret_access_key')
  await expect(openAwsS3({ secret_access_key: 'a' })).rejects.toThrow(ConfigError)
  await expect(openAwsS3({ session_token: 'a' })).rejects.toThrow('without keys')
  await expect(openAwsS3({ ...keys, storage_bucket: 'b' })).rejects.toThrow('aws_s3.region is missing')
  await expect(openAwsS3({ ...keys, region: 'eu-west-1', endpoint: 'host:1' })).rejects.toThrow(
    'must be a URL',
  )
})

test('takes the region of the environment', async () => {
  vi.stubEnv('AWS_REGION', 'eu-north-1')
  const storage = await openAwsS3({ ...keys, storage_bucket: 'b' })
  expect(storage.workerConfig()).toEqual({ region: 'eu-north-1', storage_bucket: 'b' })
  expect(storage.workerSecrets()).toEqual(keys)
  await storage.close()
})

test('without keys in the config there is nothing to send to workers', async () => {
  const storage = await openAwsS3({ region: 'eu-west-1', storage_bucket: 'b' })
  expect(storage.workerSecrets()).toEqual({})
  const error = await storage.getObject('b', 'k').catch((reason: unknown) => reason)
  expect(StorageAccessError.isInstance(error), String(error)).toBe(true)
  expect(String(error)).toContain('no credentials were found')
  await storage.close()
})

describe('the automatic bucket', () => {
  const server = withRealPart(moto)

  server.test('is named by region and user id, which STS tells', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_STS', server.part.endpoint)
    vi.stubEnv('AWS_ACCESS_KEY_ID', keys.access_key_id)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secret_access_key)
    const storage = await openAwsS3({ region: 'eu-west-1' })
    expect(storage.defaultBucket).toMatch(/^lithops-eu-west-1-[a-z0-9-]{4}$/)
    expect(storage.workerConfig().storage_bucket).toBe(storage.defaultBucket)
    await storage.close()
  })

  server.test('of another service needs no STS', async () => {
    const storage = await openAwsS3({ ...keys, region: 'eu-west-1', endpoint: server.part.endpoint })
    expect(storage.defaultBucket).toMatch(/^lithops-[0-9a-f]{6}-akiaex$/)
    await storage.createBucket(storage.defaultBucket)
    expect(await storage.bucketExists(storage.defaultBucket)).toBe(true)
    await storage.close()
  })

  server.test('without credentials says what to do', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_STS', server.part.endpoint)
    await expect(openAwsS3({ region: 'eu-west-1' })).rejects.toThrow(/set aws_s3\.storage_bucket/)
  })
})
