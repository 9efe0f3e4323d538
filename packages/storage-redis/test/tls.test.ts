/** A server that speaks TLS: its certificate is checked, and what does not fit is said. */
import { FunctionExecutor, Storage } from '@lithops/core'
import { StorageError } from '@lithops/core/driver'
import { storageConformance } from '@lithops/core/testing'
import { redisTls, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'
import { openSection } from './open-storage.ts'

const server = withRealPart(redisTls)
const LIMIT = { timeout: 120_000 }

function sectionOf() {
  const { host, port, password, caFile } = server.part
  return { host, port, password, ssl: true, ssl_ca_certs: caFile }
}

storageConformance({
  test: (name, run) => server.test(name, run, LIMIT),
  createBackend: () => openSection(sectionOf()),
  timing: { manyKeys: 1_100 },
})

server.test('a URL says it too', async () => {
  const { host, port, password, caFile } = server.part
  const url = `rediss://:${password}@${host}:${port}/0`
  const storage = await openSection({ url, ssl_ca_certs: caFile })
  await storage.createBucket('url')
  await storage.putObject('url', 'k', new Uint8Array([1]))
  expect(await storage.getObject('url', 'k')).toEqual(new Uint8Array([1]))
  await storage.deleteObject('url', 'k')
  await storage.close()
})

server.test('a certificate that nobody vouches for is refused, and not asked again', async () => {
  const { ssl_ca_certs: _, ...section } = sectionOf()
  const storage = await openSection(section)
  const error = await storage.bucketExists('b').catch((reason: unknown) => reason)
  expect(StorageError.isInstance(error) && !error.isRetryable, String(error)).toBe(true)
  expect((error as Error).message).toContain('ssl_ca_certs')
  await storage.close()
  await expect(openSection({ ...section, ssl_ca_certs: '/no/such/file' })).rejects.toThrow('cannot be read')
})

server.test(
  'workers open it too',
  async () => {
    const config = {
      lithops: { backend: 'localhost', storage: 'redis', monitoring: 'storage' },
      redis: { ...sectionOf(), storage_bucket: 'tls' },
    }
    await using storage = new Storage({ config })
    await storage.createBucket()
    await storage.put('number', '21')
    {
      await using fexec = new FunctionExecutor({ config })
      const double = async (key: string, context: { readonly storage: Storage }) =>
        2 * Number(await context.storage.get(key, { as: 'text' }))
      expect(await fexec.callAsync(double, 'number').result()).toBe(42)
    }
    expect(await storage.listKeys()).toEqual(['number'])
    await storage.delete('number')
  },
  LIMIT,
)
