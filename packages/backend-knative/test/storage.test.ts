import { type CallContext, FunctionExecutor } from '@lithops/core'
import { knativeFaults } from '@lithops/fake-clouds/knative'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'
import { cluster } from './cluster.ts'

const there = cluster()
const server = withRealPart(minio)
const range = (n: number) => Array.from({ length: n }, (_, i) => i)
const twice = (x: number) => x * 2

/** An executor on Knative whose storage is a real server that the workers reach with secrets. */
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
        storage_bucket: 'knative',
      },
    },
    ...options,
  })
}

server.test(
  'workers bring the driver of the storage, and functions use it; its keys are in a Secret alone',
  async () => {
    const knative = await there.start()
    await using fexec = await open()
    const storage = await fexec.storage()
    await storage.createBucket('knative')
    const write = async (name: string, { storage }: CallContext) => {
      await storage.put(`from-knative/${name}`, `hello ${name}`)
      return storage.listKeys('from-knative/')
    }
    expect(await fexec.callAsync(write, 'one')).toEqual(['from-knative/one'])
    expect(await storage.get('from-knative/one', { as: 'text' })).toBe('hello one')
    const { secretAccessKey } = server.part
    const shown = [
      knative.text('services'),
      knative.text('pods'),
      knative.logs,
      knative.registry.content,
      ...knative.activations.map(({ body }) => body.toString('latin1')),
    ]
    for (const text of shown) expect(text).not.toContain(secretAccessKey)
    const placed = /"LITHOPS_SECRETS":"([^"]+)"/.exec(knative.text('secrets'))?.[1] ?? ''
    expect(Buffer.from(placed, 'base64').toString('utf8')).toContain(secretAccessKey)
  },
)

server.test('with a monitor, calls whose connections break go on, and end once', async () => {
  const knative = await there.start()
  await using fexec = await open({ monitoring: 'storage' })
  expect(await fexec.callAsync(twice, 1)).toBe(2)
  knative.clear()
  const lost = knative.inject(knativeFaults.loseReply(), { every: 5, times: 4 })
  let ended = 0
  const futures = fexec.map(twice, range(30))
  for await (const _ of futures) ended++
  expect(ended).toBe(30)
  expect(await fexec.getResult(futures)).toEqual(range(30).map(twice))
  expect(lost.strikes).toBe(4)
  knative.clear()
})
