import { ConfigError } from '@lithops/core/driver'
import { expect, test } from 'vitest'
import { accessOf, automaticContainer } from './config.ts'
import { openAzureBlob } from './open-azure-blob.ts'

const KEY = Buffer.alloc(64, 3).toString('base64')
const byKey = { storage_account_name: 'account', storage_account_key: KEY }

test('refuses what says too little, or two things at once, before anything is asked', () => {
  expect(() => accessOf({})).toThrow(ConfigError)
  expect(() => accessOf({})).toThrow('give storage_account_name')
  expect(() => accessOf({ ...byKey, sas_token: 'sv=1' })).toThrow(
    'storage_account_key and sas_token: give one',
  )
  expect(() => accessOf({ storage_account_key: KEY, endpoint: 'https://a' })).toThrow(
    'without storage_account_name',
  )
  expect(() => accessOf({ ...byKey, storage_account_key: 'no key' })).toThrow('must be base64')
  expect(() => accessOf({ storage_account_name: 'No Name' })).toThrow('3 to 24 lower-case')
  expect(() => accessOf({ ...byKey, storage_bucket: 'Not_a-Name' })).toThrow('name of a container')
  expect(() => accessOf({ ...byKey, endpoint: 'account.blob' })).toThrow('must be a URL')
  expect(() => accessOf({ endpoint: 'https://a/?sv=1&sig=x' })).toThrow('no credentials')
})

test('credentials: a key, a token, a connection string, else an identity', () => {
  expect(accessOf(byKey)).toMatchObject({ kind: 'key', url: 'https://account.blob.core.windows.net' })
  expect(accessOf({ storage_account_name: 'account', sas_token: '?sv=1' })).toMatchObject({
    kind: 'sas',
    token: 'sv=1',
  })
  expect(accessOf({ connection_string: 'x' }).kind).toBe('connection string')
  expect(accessOf({ endpoint: 'https://host/account/' })).toEqual({
    kind: 'identity',
    url: 'https://host/account',
  })
})

test('the automatic container is a name that Azure takes', () => {
  // as Lithops (Python) names it
  expect(automaticContainer('account', 'ABCDEF123')).toMatch(/^lithops-[0-9a-f]{6}-abcdef$/)
  expect(automaticContainer('account', 'A+/=bc123')).toMatch(/^lithops-[0-9a-f]{6}-axxxbc$/)
  expect(automaticContainer('account', undefined)).toMatch(/^lithops-[0-9a-f]{6}$/)
})

test('workers are told the place, and get the secrets by another way', async () => {
  const storage = await openAzureBlob(byKey)
  expect(storage.workerConfig()).toEqual({
    storage_account_name: 'account',
    storage_bucket: storage.defaultBucket,
  })
  expect(storage.workerSecrets()).toEqual({ storage_account_key: KEY })
  await storage.close()
  const connection_string = `DefaultEndpointsProtocol=https;AccountName=other;AccountKey=${KEY};EndpointSuffix=core.windows.net`
  const connected = await openAzureBlob({ connection_string })
  expect(connected.client().url).toMatch('https://other.blob.core.windows.net')
  expect(connected.workerSecrets()).toEqual({ connection_string })
  expect(JSON.stringify(connected.workerConfig())).not.toContain(KEY)
  await connected.close()
  const secret = `AccountName=x;AccountKey=${KEY}`
  const wrong = await openAzureBlob({ connection_string: secret }).catch((reason: unknown) => reason)
  expect(ConfigError.isInstance(wrong), String(wrong)).toBe(true)
  expect(String(wrong)).not.toContain(KEY)
})
