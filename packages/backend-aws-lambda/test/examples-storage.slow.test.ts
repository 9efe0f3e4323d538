import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'
import { runExamples } from './examples.ts'

const server = withRealPart(minio)

server.test(
  'all examples run on Lambda as events whose results come by the storage monitor',
  async () => {
    const { endpoint, accessKeyId, secretAccessKey } = server.part
    const types = await runExamples(['storage-minio'], {
      lithops: { storage: 'minio', monitoring: 'storage' },
      minio: {
        endpoint,
        access_key_id: accessKeyId,
        secret_access_key: secretAccessKey,
        storage_bucket: 'lambda-examples',
      },
    })
    expect(types).toContain('Event')
  },
  { timeout: 180_000 },
)
