import { FunctionExecutor, Storage } from '@lithops/core'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'

const server = withRealPart(minio)

server.test(
  'a job runs over it: workers open it with secrets that did not travel, and leave nothing',
  async () => {
    const { endpoint, accessKeyId, secretAccessKey } = server.part
    const config = {
      lithops: { backend: 'localhost', storage: 'minio', monitoring: 'storage' },
      minio: { endpoint, access_key_id: accessKeyId, secret_access_key: secretAccessKey },
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
      expect(environment).not.toContain(secretAccessKey)
    }
    expect(await storage.listKeys()).toEqual(['numbers/1', 'numbers/2'])
    await storage.delete(['numbers/1', 'numbers/2'])
  },
  { timeout: 120_000 },
)
