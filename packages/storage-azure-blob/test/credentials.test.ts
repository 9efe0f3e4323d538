/** All ways to be let in: shared access signatures, connection strings, and identities of Microsoft Entra ID. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import {
  type BlobServiceClient,
  ContainerSASPermissions,
  generateAccountSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob'
import { StorageAccessError, type StorageBackend, type StorageError } from '@lithops/core/driver'
import { azurite, azuriteWithTokens, withRealPart } from '@lithops/fake-clouds/real-parts'
import { afterEach, describe, expect, vi } from 'vitest'
import { connectionString, openSection, openStorage } from './open-storage.ts'

const BUCKET = 'credentials'
const DAY_MS = 24 * 3600_000
const bytes = new Uint8Array([1, 2, 3])

afterEach(() => vi.unstubAllEnvs())

async function works(storage: StorageBackend): Promise<void> {
  await storage.putObject(BUCKET, 'a b', bytes)
  await storage.copyObject?.({ bucket: BUCKET, key: 'a b' }, { bucket: BUCKET, key: 'copy' })
  expect(await storage.getObject(BUCKET, 'copy')).toEqual(bytes)
  await storage.deleteObjects(BUCKET, ['a b', 'copy'])
  await storage.close()
}

describe('a shared access signature', () => {
  const server = withRealPart(azurite)

  async function signed(permissions: string, expiresInMs: number) {
    const owner = await openStorage(server.part.endpoint, server.part)
    await owner.createBucket(BUCKET)
    const container = (owner.client() as BlobServiceClient).getContainerClient(BUCKET)
    const url = await container.generateSasUrl({
      permissions: ContainerSASPermissions.parse(permissions),
      startsOn: new Date(Date.now() - 2 * DAY_MS),
      expiresOn: new Date(Date.now() + expiresInMs),
    })
    await owner.close()
    const sas_token = new URL(url).search
    return { sas_token, endpoint: `${server.part.endpoint}/${server.part.account}`, storage_bucket: BUCKET }
  }

  server.test('of a container does all that objects need, and signs no other', async () => {
    const section = await signed('racwdl', DAY_MS)
    const storage = await openSection(section)
    expect(storage.capabilities.presignedUrls).toBe(false)
    expect(storage.workerSecrets?.()).toEqual({ sas_token: section.sas_token })
    await works(storage)
  })

  server.test('that has expired, or has too few rights, says so and is not shown', async () => {
    const cases = [
      { section: await signed('racwdl', -DAY_MS), advice: /expired/ },
      { section: await signed('rl', DAY_MS), advice: /lack the right to put/ },
    ]
    for (const { section, advice } of cases) {
      const storage = await openSection(section)
      const error = await storage.putObject(BUCKET, 'k', bytes).catch((reason: unknown) => reason)
      expect(StorageAccessError.isInstance(error), String(error)).toBe(true)
      expect((error as StorageError).message).toMatch(advice)
      expect((error as StorageError).isRetryable).toBe(false)
      const signature = String(new URLSearchParams(section.sas_token).get('sig'))
      const shown = inspect(error, { depth: 20, showHidden: true, getters: true })
      for (const form of [signature, encodeURIComponent(signature)]) expect(shown).not.toContain(form)
      await storage.close()
    }
  })

  server.test('may stand in a connection string, as a key may', async () => {
    const { account, accountKey, endpoint } = server.part
    await works(await openSection({ connection_string: connectionString(server.part) }))
    const credential = new StorageSharedKeyCredential(account, accountKey)
    const signature = generateAccountSASQueryParameters(
      {
        expiresOn: new Date(Date.now() + DAY_MS),
        permissions: { toString: () => 'rwdlac' } as never,
        services: 'b',
        resourceTypes: 'sco',
      },
      credential,
    )
    const connection_string = `BlobEndpoint=${endpoint}/${account};SharedAccessSignature=${signature}`
    const storage = await openSection({ connection_string })
    expect(storage.capabilities.presignedUrls).toBe(false)
    await works(storage)
  })
})

describe('an identity', () => {
  const server = withRealPart(azuriteWithTokens)

  // one test: the library keeps the endpoint, and tokens that it was given, for the whole process
  server.test(
    'of the platform does all that jobs need; one that is refused says where it was looked for',
    async () => {
      let answer: { status: number; body: object } = { status: 400, body: { message: 'no identity' } }
      await using identity = await identityEndpoint(() => answer)
      const section = { endpoint: `${server.part.endpoint}/${server.part.account}` }

      const refused = await openSection(section)
      const error = await refused.getObject(BUCKET, 'k').catch((reason: unknown) => reason)
      expect(StorageAccessError.isInstance(error), String(error)).toBe(true)
      expect(String(error)).toMatch(/no credentials were found or accepted/)
      await refused.close()

      answer = { status: 200, body: tokenAnswer() }
      const storage = await openSection(section)
      expect(storage.workerSecrets?.()).toEqual({})
      await storage.createBucket(BUCKET)
      const url = storage.presignUrl?.(BUCKET, 'k', { method: 'GET', expiresInMs: 60_000 })
      expect(await url).toContain('sig=')
      await storage.putObject(BUCKET, 'k', bytes)
      expect(await storage.getObject(BUCKET, 'k')).toEqual(bytes)
      await storage.deleteObject(BUCKET, 'k')
      await storage.close()
      expect(identity.asked.at(-1)).toContain('storage.azure.com')
    },
  )
})

/** What App Service and Functions have beside their workers: it gives tokens for the identity of the app. */
async function identityEndpoint(token: () => { status: number; body: object }) {
  const asked: string[] = []
  const endpoint = createServer((request, response) => {
    asked.push(String(request.url))
    const { status, body } = token()
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>(resolve => endpoint.listen(0, '127.0.0.1', resolve))
  vi.stubEnv('IDENTITY_ENDPOINT', `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`)
  vi.stubEnv('IDENTITY_HEADER', 'header-of-the-worker')
  // the emulator's certificate is its own
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  const close = async () => void endpoint.close()
  return { asked, [Symbol.asyncDispose]: close }
}

/** The emulator reads tokens and does not check who signed them. */
function tokenAnswer() {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    aud: 'https://storage.azure.com',
    iss: 'https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/',
    iat: now - 60,
    nbf: now - 60,
    exp: now + 3600,
    oid: '23657296-5cd5-45b0-a809-d972a7f4dfe1',
    tid: 'ab1f708d-50f6-404c-a006-d71b2ac7a606',
  }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const access_token = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJl`
  return { access_token, expires_on: String(now + 3600), resource: claims.aud, token_type: 'Bearer' }
}
