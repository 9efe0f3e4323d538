import { ConfigError } from '@lithops/core/driver'
import { expect, test } from 'vitest'
import { keysOf, placeOf } from './config.ts'
import { openIbmCos } from './open-ibm-cos.ts'

const hmac = { access_key_id: 'ABCDEFGH', secret_access_key: 's' }

test('workers inside IBM Cloud use its private network', () => {
  const at = (config: object, env: object) => placeOf(config, env as NodeJS.ProcessEnv).endpoint
  const host = 'cloud-object-storage.appdomain.cloud'
  expect(at({ region: 'eu-de' }, {})).toBe(`https://s3.eu-de.${host}`)
  expect(at({ region: 'eu-de' }, { __OW_ACTIVATION_ID: '1' })).toBe(`https://s3.private.eu-de.${host}`)
  expect(at({ region: 'eu-de' }, { CE_SUBDOMAIN: 'x' })).toBe(`https://s3.direct.eu-de.${host}`)
  const both = { endpoint: 'https://a', private_endpoint: 'https://b' }
  expect(at(both, {})).toBe('https://a')
  expect(at(both, { CE_SUBDOMAIN: 'x' })).toBe('https://b')
  expect(at({ endpoint: 'https://a' }, { CE_SUBDOMAIN: 'x' })).toBe('https://a')
  expect(placeOf({ endpoint: `https://s3.direct.us-south.${host}` }, {}).region).toBe('us-south')
  expect(() => placeOf({}, {})).toThrow('give a region')
})

test('credentials are whole, of one kind, and kept out of the config for workers', () => {
  expect(() => keysOf({})).toThrow(ConfigError)
  expect(() => keysOf({ access_key_id: 'a' })).toThrow('together')
  expect(keysOf({ ...hmac, api_key: 'k' }).kind).toBe('hmac')
  expect(keysOf({ iam_api_key: 'k' })).toMatchObject({ kind: 'iam', apiKey: 'k' })
  const opened = openIbmCos({ ...hmac, region: 'eu-de' })
  expect(opened.defaultBucket).toBe('lithops-eu-de-abcdef')
  expect(opened.workerConfig()).toEqual({ region: 'eu-de', storage_bucket: 'lithops-eu-de-abcdef' })
  expect(opened.workerSecrets()).toEqual(hmac)
  expect(() => openIbmCos({ api_key: 'k', region: 'eu-de' })).toThrow('ibm_cos.storage_bucket is missing')
  const byKey = openIbmCos({ api_key: 'k', region: 'eu-de', storage_bucket: 'b', service_instance_id: 'i' })
  expect(byKey.workerSecrets()).toEqual({ api_key: 'k' })
  expect(JSON.stringify(byKey.workerConfig())).not.toContain('"k"')
  expect(byKey.capabilities.presignedUrls).toBe(false)
})
