import { FunctionExecutor } from '@lithops/core'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect, test, vi } from 'vitest'
import { checksum } from './checksum.ts'
import { cloud } from './cloud.ts'
import { largeFunction } from './large-function.ts'

// the real limits would need packages of a hundred megabytes
vi.mock('../src/limits.ts', async original => ({
  ...(await original<typeof import('../src/limits.ts')>()),
  ZIPPED_CODE_BYTES: 100 * 1024,
  UNPACKED_CODE_BYTES: 1024 * 1024,
}))

const BUCKET = 'lambda-code'
const server = withRealPart(minio)

async function s3() {
  const { S3Client } = await import('@aws-sdk/client-s3')
  const { endpoint, accessKeyId, secretAccessKey } = server.part
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  })
}

const there = cloud({
  readObject: async (bucket, key) => {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3')
    const client = await s3()
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    return Body?.transformToByteArray()
  },
})

test('code that a request cannot carry is refused before anything is sent, and its largest parts are named', async () => {
  const aws = await there.start()
  aws.clear()
  await using fexec = new FunctionExecutor({ backend: await there.open() })
  await expect(fexec.callAsync(checksum, 'a').result()).rejects.toMatchObject({
    code: 'LITHOPS_RUNTIME_BUILD',
    message: expect.stringMatching(/zipped.*code_bucket.*largest parts: @node-rs\/crc32-linux-x64-gnu/s),
  })
  expect(aws.counts['lambda:CreateFunction']).toBeUndefined()
})

test('a function that messages cannot carry is refused before any call where there is no storage', async () => {
  const aws = await there.start()
  await using fexec = new FunctionExecutor({ backend: await there.open(), storage: 'storageless' })
  const { fn, remove } = await largeFunction(7 * 1024 * 1024)
  aws.clear()
  await expect(fexec.callAsync(fn, 1).result()).rejects.toMatchObject({
    code: 'LITHOPS_PAYLOAD_TOO_LARGE',
    message: expect.stringMatching(/takes 73\d+ bytes.*Name a storage in the config.*excludeModules/),
  })
  // the runtime says what it is, and nothing else is asked of it
  expect(aws.counts['lambda:Invoke'] ?? 0).toBeLessThanOrEqual(1)
  remove()
})

server.test('with a bucket it goes through S3, and is taken away again', async () => {
  const { CreateBucketCommand, ListObjectsV2Command } = await import('@aws-sdk/client-s3')
  const client = await s3()
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }))
  vi.stubEnv('AWS_ENDPOINT_URL_S3', server.part.endpoint)
  const aws = await there.start()
  // one pair of keys for both services
  const { accessKeyId, secretAccessKey } = server.part
  aws.addUser('both', undefined, { accessKeyId, secretAccessKey })
  const backend = await there.open({
    code_bucket: BUCKET,
    access_key_id: accessKeyId,
    secret_access_key: secretAccessKey,
  })
  await using fexec = new FunctionExecutor({ backend })
  expect(await fexec.callAsync(checksum, 'a')).toBe(checksum('a'))
  expect((await client.send(new ListObjectsV2Command({ Bucket: BUCKET }))).KeyCount).toBe(0)
  client.destroy()
})
