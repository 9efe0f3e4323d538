import { FunctionExecutor, type ObjectPiece, objects } from '@lithops/core'
import { cutResponse, FaultProxy } from '@lithops/fake-clouds/fault-proxy'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'

const server = withRealPart(minio)

/** An executor whose job's storage is the server, at the address given. */
function open(endpoint: string): FunctionExecutor {
  const { accessKeyId, secretAccessKey } = server.part
  return new FunctionExecutor({
    storage: 'minio',
    config: {
      minio: {
        endpoint,
        access_key_id: accessKeyId,
        secret_access_key: secretAccessKey,
        storage_bucket: 'objects-test',
      },
      localhost: { worker_processes: 2 },
    },
  })
}

const LINES = 50_000
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
    const fexec = open(proxy.url)
    const storage = await fexec.storage()
    await storage.createBucket()
    const keys = ['logs/a.log', 'logs/b c+%.log', 'logs/é/d.log', 'other.txt']
    for (const key of keys) await storage.put(key, text)
    const cuts = proxy.inject(cutResponse(5_000), { method: 'GET', url: /\.log/, every: 10, times: Infinity })
    const source = objects('minio://objects-test/logs/**/*.log', { chunkSize: '20kB' })
    const reducers = fexec.mapReduce(count, source, sum, { reduceBy: 'object' })
    expect(await fexec.getResult(reducers)).toEqual([LINES, LINES, LINES])
    expect(reducers.groupKeys).toEqual(keys.slice(0, 3).map(key => `minio://objects-test/${key}`))
    expect(cuts.strikes).toBeGreaterThan(3)
    proxy.clear()
    const pieces: ObjectPiece[] = []
    for await (const piece of fexec.partition(objects('objects-test/other.txt', { chunkNumber: 3 })))
      pieces.push(piece)
    expect(sum(await fexec.getResult(fexec.map(count, pieces)))).toBe(LINES)
    await storage.put('other.txt', `${text}more`)
    await expect(fexec.getResult(fexec.map(count, pieces))).rejects.toMatchObject({
      code: 'LITHOPS_OBJECT_CHANGED',
    })
    await storage.delete(await storage.listKeys())
    await fexec.close()
  },
  { timeout: 120_000 },
)

server.test(
  'many small objects are read ahead, each by its own call',
  async () => {
    const fexec = open(server.part.endpoint)
    const storage = await fexec.storage()
    await storage.createBucket()
    const keys = Array.from({ length: 400 }, (_, i) => `small/${String(i).padStart(4, '0')}`)
    await Promise.all(keys.map(key => storage.put(key, `this is ${key}`)))
    const texts = await fexec.getResult(fexec.map(piece => piece.text(), objects('objects-test/small/')))
    expect(texts).toEqual(keys.map(key => `this is ${key}`))
    await storage.delete(keys)
    await fexec.close()
  },
  { timeout: 120_000 },
)
