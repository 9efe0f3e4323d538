import { inspect } from 'node:util'
import { StorageAccessError, StorageError } from '@lithops/core/driver'
import { storageConformance } from '@lithops/core/testing'
import { FaultProxy } from '@lithops/fake-clouds/fault-proxy'
import { FakeIam } from '@lithops/fake-clouds/ibm'
import { moto, withRealPart } from '@lithops/fake-clouds/real-parts'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { openStorage } from './open-storage.ts'

const API_KEY = 'api-key-that-nobody-may-see'
const INSTANCE = 'crn:v1:bluemix:public:cloud-object-storage:global:a/1:2::'

describe('API keys and bearer tokens', () => {
  const server = withRealPart(moto)
  let iam: FakeIam
  let gateway: FaultProxy | undefined
  beforeAll(async () => {
    iam = await FakeIam.start({ apiKey: API_KEY })
  })
  afterAll(async () => {
    await gateway?.close()
    await iam.close()
  })

  const open = async (more: Readonly<Record<string, unknown>> = {}) => {
    gateway ??= await FaultProxy.start({ target: server.part.endpoint, gate: iam.gate(INSTANCE) })
    return openStorage({
      endpoint: gateway.url,
      region: 'us-east-1',
      api_key: API_KEY,
      service_instance_id: INSTANCE,
      iam_endpoint: iam.url,
      storage_bucket: 'jobs',
      ...more,
    })
  }

  storageConformance({
    test: (name, run) => server.test(name, run, { timeout: 120_000 }),
    createBackend: () => open(),
    timing: { manyKeys: 1_100 },
  })

  server.test('one token serves many requests, and is renewed before it expires', async () => {
    const storage = await open()
    const before = iam.tokenCount
    await storage.createBucket('tokens')
    await Promise.all([1, 2, 3, 4].map(i => storage.putObject('tokens', `${i}`, new Uint8Array(i))))
    expect(iam.tokenCount - before).toBe(1)
    iam.lifetimeS = 1
    const short = await open()
    await short.headObject('tokens', '1')
    await new Promise(resolve => setTimeout(resolve, 1_100))
    await short.headObject('tokens', '1')
    iam.lifetimeS = 3600
    expect(iam.tokenCount - before).toBeGreaterThanOrEqual(3)
    await storage.deleteObjects('tokens', ['1', '2', '3', '4'])
  })

  server.test('a token that is refused is replaced once', async () => {
    const storage = await open()
    await storage.bucketExists('tokens')
    iam.revoke()
    const refused = await storage.headObject('tokens', 'x').catch((error: unknown) => error)
    expect(StorageError.isInstance(refused) && refused.isRetryable).toBe(true)
    expect(await storage.bucketExists('none-of-these')).toBe(false)
    iam.revoke()
    const again = await storage.getObject('tokens', 'x').catch((error: unknown) => error)
    expect(StorageAccessError.isInstance(again)).toBe(true)
  })

  server.test('an API key that is wrong is refused, and never shown', async () => {
    const wrong = 'wrong-key-that-nobody-may-see'
    const storage = await open({ api_key: wrong })
    for (const run of [
      () => storage.getObject('tokens', 'x'),
      () => storage.putObject('tokens', 'x', new Uint8Array(1)),
    ]) {
      const error = await run().catch((reason: unknown) => reason)
      expect(StorageAccessError.isInstance(error), String(error)).toBe(true)
      const printed = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error)
      expect(printed).toContain('API key could not be found')
      expect(printed).not.toContain(wrong)
    }
  })

  server.test('an IAM that is not there is a fault that may pass', async () => {
    const storage = await open({ iam_endpoint: 'http://127.0.0.1:9' })
    const error = await storage.getObject('tokens', 'x').catch((reason: unknown) => reason)
    expect(StorageError.isInstance(error) && error.isRetryable, inspect(error)).toBe(true)
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(API_KEY)
  })
})
