import { type CallContext, FunctionExecutor } from '@lithops/core'
import { cloudRunFaults } from '@lithops/fake-clouds/cloudrun'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'
import { platform } from './platform.ts'

const there = platform()
const server = withRealPart(minio)
const range = (n: number) => Array.from({ length: n }, (_, i) => i)
const twice = (x: number) => x * 2

/** An executor on Cloud Run whose storage is a real server that the workers reach with secrets. */
async function open(options: { readonly monitoring?: string } = {}) {
  const { endpoint, accessKeyId, secretAccessKey } = server.part
  const backend = await there.open({ max_workers: 4 })
  return new FunctionExecutor({
    backend,
    storage: 'minio',
    config: {
      minio: {
        endpoint,
        access_key_id: accessKeyId,
        secret_access_key: secretAccessKey,
        storage_bucket: 'cloudrun',
      },
    },
    ...options,
  })
}

server.test(
  'workers bring the driver of the storage, and functions use it; its keys are in Secret Manager alone',
  async () => {
    const cloud = await there.start()
    await using fexec = await open()
    const storage = await fexec.storage()
    await storage.createBucket('cloudrun')
    const write = async (name: string, { storage }: CallContext) => {
      await storage.put(`from-cloudrun/${name}`, `hello ${name}`)
      return storage.listKeys('from-cloudrun/')
    }
    expect(await fexec.callAsync(write, 'one')).toEqual(['from-cloudrun/one'])
    expect(await storage.get('from-cloudrun/one', { as: 'text' })).toBe('hello one')
    const { secretAccessKey } = server.part
    const shown = [
      JSON.stringify(cloud.services.map(name => cloud.service(name))),
      cloud.logs,
      cloud.registry.content,
      ...cloud.activations.map(({ body }) => body.toString('latin1')),
    ]
    for (const text of shown) expect(text).not.toContain(secretAccessKey)
    expect(cloud.secrets.text).toContain(secretAccessKey)
  },
)

server.test('with a monitor, calls whose connections break go on, and end once', async () => {
  const cloud = await there.start()
  await using fexec = await open({ monitoring: 'storage' })
  expect(await fexec.callAsync(twice, 1)).toBe(2)
  cloud.clear()
  const lost = cloud.inject(cloudRunFaults.loseReply(), { every: 5, times: 4 })
  let ended = 0
  const futures = fexec.map(twice, range(30))
  for await (const _ of futures) ended++
  expect(ended).toBe(30)
  expect(await fexec.getResult(futures)).toEqual(range(30).map(twice))
  expect(lost.strikes).toBe(4)
  cloud.clear()
})
