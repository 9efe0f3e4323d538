import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ConfigError } from '@lithops/core/driver'
import { expect, test } from 'vitest'
import { bucketOf, checkSecrecy, endpointOf } from './config.ts'
import { readCredentials } from './credentials.ts'
import { openGcs } from './open-gcs.ts'

const PLACE = { region: 'us-east1', storage_bucket: 'jobs' }

test('the automatic bucket is that of Lithops for Python', () => {
  const place = createHash('sha1').update('/home/me/key.json').digest('hex').slice(0, 6)
  expect(bucketOf({ region: 'us-east1' }, '/home/me/key.json')).toBe(`lithops-us-east1-${place}`)
  expect(bucketOf({ region: 'EU', project_name: 'p' }, undefined)).toMatch(/^lithops-eu-[0-9a-f]{6}$/)
  expect(bucketOf({ storage_bucket: 'mine.example.com' }, undefined)).toBe('mine.example.com')
})

test('refuses what says too little, or cannot be, before anything is asked', async () => {
  expect(() => bucketOf({}, '/k')).toThrow('give storage_bucket, or region')
  expect(() => bucketOf({ region: 'EU' }, undefined)).toThrow('credentials_path or project_name')
  for (const name of ['AB', 'goog-x', 'a'.repeat(64), 'x_google_y', '-a-']) {
    expect(() => bucketOf({ storage_bucket: name }, undefined), name).toThrow(ConfigError)
  }
  for (const endpoint of ['storage.example.com', 'ftp://a', 'https://u:p@a', 'https://a?key=1']) {
    expect(() => endpointOf({ endpoint }), endpoint).toThrow(ConfigError)
  }
  expect(endpointOf({ endpoint: 'http://127.0.0.1:4443/' })).toBe('http://127.0.0.1:4443')
  expect(() => checkSecrecy('http://storage.example.com')).toThrow('for all to read')
  checkSecrecy('http://localhost:4443')
  await expect(openGcs({ ...PLACE, credentials: '{}', credentials_path: 'k' })).rejects.toThrow('give one')
})

test('files of credentials are looked at, and nothing of them is shown', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lithops-gcp-'))
  const file = path.join(folder, 'key.json')
  const read = async (text: string) => {
    await writeFile(file, text)
    return readCredentials({ credentials_path: file }, {}).catch((reason: unknown) => reason)
  }
  const secret = 'very-secret-text'
  expect(String(await read(`{"private_key": ${secret}`))).toMatch(/is not JSON/)
  expect(String(await read(JSON.stringify({ private_key: secret })))).toMatch(/its 'type' must be one of/)
  expect(String(await read(JSON.stringify({ type: 'service_account', private_key: secret })))).toMatch(
    /not whole/,
  )
  for (const text of [`{${secret}`, JSON.stringify({ type: secret })]) {
    expect(String(await read(text))).not.toContain(secret)
  }
  const missing = readCredentials({}, { GOOGLE_APPLICATION_CREDENTIALS: `${file}.none` })
  await expect(missing).rejects.toThrow(/GOOGLE_APPLICATION_CREDENTIALS: .*cannot be read \(ENOENT\)/)
  expect(await readCredentials({}, {})).toBeUndefined()
  await rm(folder, { recursive: true })
})

test('a login of a user is for workers too and signs nothing; other files stay where they are', async () => {
  const user = JSON.stringify({
    type: 'authorized_user',
    client_id: 'i',
    client_secret: 's',
    refresh_token: 'r',
  })
  const storage = await openGcs({ ...PLACE, credentials: user })
  expect(storage.capabilities.presignedUrls).toBe(false)
  expect(storage.workerSecrets()).toEqual({ credentials: user })
  await storage.close()
  const external = JSON.stringify({ type: 'external_account', audience: 'a' })
  const other = await openGcs({ ...PLACE, credentials: external })
  expect(other.workerSecrets()).toEqual({})
  await other.close()
})
