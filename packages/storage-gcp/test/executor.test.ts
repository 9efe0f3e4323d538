import { FunctionExecutor, type ObjectPiece, objects, Storage } from '@lithops/core'
import { cutResponse, FaultProxy } from '@lithops/fake-clouds/fault-proxy'
import { fakeGcs, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'
import { PLACE } from './open-storage.ts'
import { withFakeGcs } from './with-fake-gcs.ts'

const server = withRealPart(fakeGcs)
const LIMIT = { timeout: 120_000 }

server.test(
  'a job runs over it, and leaves nothing',
  async () => {
    const config = {
      lithops: { backend: 'localhost', storage: 'gcp_storage', monitoring: 'storage' },
      gcp_storage: { ...PLACE, endpoint: server.part.endpoint },
    }
    await using storage = new Storage({ config })
    await storage.createBucket()
    await storage.put('numbers/1', '20')
    await storage.put('numbers/2', '22')
    {
      await using fexec = new FunctionExecutor({ config })
      const futures = fexec.map(
        async (key: string, context) => Number(await context.storage.get(key, { as: 'text' })),
        ['numbers/1', 'numbers/2'],
      )
      expect(await fexec.getResult(futures)).toEqual([20, 22])
    }
    expect(await storage.listKeys()).toEqual(['numbers/1', 'numbers/2'])
    await storage.delete(['numbers/1', 'numbers/2'])
  },
  LIMIT,
)

const LINES = 20_000
const text = Array.from({ length: LINES }, (_, i) => `line ${i} of many\n`).join('')

async function count(piece: ObjectPiece): Promise<number> {
  let lines = 0
  for await (const batch of piece.lineBatches()) lines += batch.length
  return lines
}
const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0)

server.test(
  'objects are found, cut and read near the data, also when every tenth read is cut',
  async () => {
    await using proxy = await FaultProxy.start({ target: server.part.endpoint })
    const gcp_storage = { ...PLACE, endpoint: proxy.url, storage_bucket: 'objects-test' }
    const config = { gcp_storage, localhost: { worker_processes: 2 } }
    await using storage = new Storage({ backend: 'gcp_storage', config })
    await storage.createBucket()
    const keys = ['logs/a.log', 'logs/b c+%.log', 'other.txt']
    for (const key of keys) await storage.put(key, text)
    const cuts = proxy.inject(cutResponse(5_000), {
      method: 'GET',
      url: /\.log\?alt=media/,
      every: 10,
      times: Infinity,
    })
    {
      await using fexec = new FunctionExecutor({ storage: 'gcp_storage', config })
      const source = objects('gs://objects-test/logs/**/*.log', { chunkSize: '20kB' })
      const futures = fexec.mapReduce(count, source, sum, { reduceBy: 'object' })
      expect(await fexec.getResult(futures)).toEqual([LINES, LINES])
    }
    expect(cuts.strikes).toBeGreaterThan(1)
    expect(await storage.listKeys()).toEqual(keys)
    await storage.delete(keys)
    expect(await storage.listKeys()).toEqual([])
  },
  LIMIT,
)

const standIn = withFakeGcs()

standIn.test(
  'workers open it with a key that did not travel, and leave nothing',
  async () => {
    const { endpoint, keyFile } = standIn.part
    const config = {
      lithops: { backend: 'localhost', storage: 'gcp_storage', monitoring: 'storage' },
      gcp_storage: { ...PLACE, endpoint, credentials: keyFile },
    }
    await using storage = new Storage({ config })
    await storage.createBucket()
    await storage.put('numbers/1', '20')
    await storage.put('numbers/2', '22')
    {
      await using fexec = new FunctionExecutor({ config })
      const read = async (key: string, context: { readonly storage: Storage }) =>
        Number(await context.storage.get(key, { as: 'text' }))
      expect(await fexec.getResult(fexec.map(read, ['numbers/1', 'numbers/2']))).toEqual([20, 22])
      const environment = await fexec.callAsync(() => JSON.stringify(process.env), null).result()
      expect(environment).not.toContain('PRIVATE KEY')
    }
    expect(await storage.listKeys()).toEqual(['numbers/1', 'numbers/2'])
    await storage.delete(['numbers/1', 'numbers/2'])
    expect(await storage.listKeys()).toEqual([])
  },
  LIMIT,
)
