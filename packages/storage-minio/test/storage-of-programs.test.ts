/** Core's Storage, cloud objects and workers over a real server, with connections that are cut. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FunctionExecutor, Storage } from '@lithops/core'
import { cutResponse, FaultProxy } from '@lithops/fake-clouds/fault-proxy'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect, onTestFinished } from 'vitest'
import { openStorage } from './open-storage.ts'

const server = withRealPart(minio)
const DRIVER = new URL('../dist/index.js', import.meta.url).href
const LIMIT = { timeout: 180_000 }

server.test(
  'files, copies and file handles, over connections that are cut',
  async () => {
    await using proxy = await FaultProxy.start({ target: server.part.endpoint })
    await using backend = await opened(proxy.url)
    const storage = new Storage({ backend: backend.storage, bucket: 'programs' })
    await storage.createBucket()
    const folder = await mkdtemp(join(tmpdir(), 'lithops-test-minio-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const bytes = randomBytes(20_000_000)
    await writeFile(join(folder, 'up'), bytes)
    await storage.uploadFile(join(folder, 'up'), 'key')
    const cut = proxy.inject(cutResponse(1_500_000), { method: 'GET', times: 10 })
    await storage.downloadFile('key', join(folder, 'down'))
    expect(cut.strikes).toBe(10)
    expect(Buffer.compare(await readFile(join(folder, 'down')), bytes)).toBe(0)

    const { etag } = await storage.copy('key', 'copy')
    expect((await storage.head('copy')).etag).toBe(etag)
    const shared = await fetch(await storage.presignUrl('copy'))
    expect((await shared.arrayBuffer()).byteLength).toBe(bytes.length)

    const lines = await storage.open('folder/lines', 'w')
    for (let i = 0; i < 100; i++) await lines.write(`${i}\n`.repeat(10_000))
    await lines.close()
    proxy.inject(cutResponse(100_000), { method: 'GET', times: 5 })
    let count = 0
    await using file = await storage.open('folder/lines')
    for await (const line of file.lines()) if (line === String(Math.floor(count / 10_000))) count++
    expect(count).toBe(1_000_000)

    const rival = await storage.open('folder/lines', 'x')
    await rival.write('mine')
    await expect(rival.close()).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_EXISTS' })
    const left = await storage.open('folder/left', 'w')
    await left.write('x'.repeat(12_000_000))
    await left.abort()
    expect(await storage.listKeys()).toEqual(['copy', 'folder/lines', 'key'])
    expect(await storage.deletePrefix('')).toBe(3)
  },
  LIMIT,
)

server.test(
  'cloud objects of worker processes, which got the keys beside their activations',
  async () => {
    const { endpoint, accessKeyId, secretAccessKey } = server.part
    const config = {
      lithops: { storage: DRIVER },
      minio: {
        endpoint,
        access_key_id: accessKeyId,
        secret_access_key: secretAccessKey,
        storage_bucket: 'jobs-of-programs',
      },
      localhost: { worker_processes: 2 },
    }
    for (const monitoring of ['direct', 'storage']) {
      await using storage = new Storage({ config })
      {
        await using fexec = new FunctionExecutor({ config, monitoring })
        const objects = await fexec.getResult(
          fexec.map(async (n: number, context) => context.storage.putCloudobject('x'.repeat(n)), [1, 2, 3]),
        )
        const sizes = fexec.map(
          async (object, context) => (await context.storage.getCloudobject(object)).length,
          objects,
        )
        expect(await fexec.getResult(sizes)).toEqual([1, 2, 3])
      }
      expect(await storage.listKeys('lithops.jobs/')).toEqual([])
    }
  },
  LIMIT,
)

/** The storage by way of the proxy, closed at the end. */
async function opened(endpoint: string) {
  const storage = await openStorage(endpoint, server.part)
  return { storage, [Symbol.asyncDispose]: () => storage.close() }
}
