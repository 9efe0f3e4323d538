import { FunctionExecutor, type ObjectPiece, objects, Storage } from '@lithops/core'
import { TcpFaultProxy } from '@lithops/fake-clouds/fault-proxy'
import { redis, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'
import { sectionOf } from './open-storage.ts'

const server = withRealPart(redis)
const LIMIT = { timeout: 120_000 }

server.test(
  'a job runs over it: workers open it with secrets that did not travel, and leave nothing',
  async () => {
    const config = {
      lithops: { backend: 'localhost', storage: 'redis', monitoring: 'storage' },
      redis: sectionOf(server.part),
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
      const environment = await fexec.callAsync(() => JSON.stringify(process.env), null).result()
      expect(environment).not.toContain(server.part.password)
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
  'objects are found, cut and read near the data, also when connections are cut',
  async () => {
    await using proxy = await TcpFaultProxy.start({ port: server.part.port })
    const redis = { ...sectionOf(server.part), port: proxy.port, storage_bucket: 'objects-test' }
    const config = { redis, localhost: { worker_processes: 2 } }
    const fexec = new FunctionExecutor({ storage: 'redis', config })
    const storage = await fexec.storage()
    await storage.createBucket()
    for (const key of ['logs/a.log', 'logs/b c+%.log', 'other.txt']) await storage.put(key, text)
    for (let i = 1; i <= 5; i++) {
      proxy.inject({ kind: 'cut', direction: 'toClient', afterBytes: i * 50_000 })
    }
    const source = objects('redis://objects-test/logs/**/*.log', { chunkSize: '20kB' })
    const futures = fexec.mapReduce(count, source, sum, { reduceBy: 'object' })
    expect(await fexec.getResult(futures)).toEqual([LINES, LINES])
    expect(proxy.strikes).toBeGreaterThan(1)
    proxy.clear()
    await storage.delete(await storage.listKeys())
    await fexec.close()
  },
  LIMIT,
)
