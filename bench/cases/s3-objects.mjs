import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { startMinio } from '../lib/minio.mjs'
import { loadCore, NotBuiltError } from '../lib/ours.mjs'
import { assertEqual } from '../lib/timing.mjs'

const OBJECT_BYTES = 100_000
const CONNECTIONS = 64
const TIMES = 3
const BUCKET = 'bench-objects'
const driver = fileURLToPath(new URL('../../packages/storage-minio/dist/index.js', import.meta.url))

/** The client that somebody would write by hand: the same SDK, 64 requests at a time. */
function handWritten(server) {
  const require = createRequire(new URL('../../packages/s3-family/package.json', import.meta.url))
  const { GetObjectCommand, S3Client } = require('@aws-sdk/client-s3')
  const client = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: server,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { httpAgent: { maxSockets: CONNECTIONS, keepAlive: true } },
  })
  return async keys => {
    let total = 0
    const left = keys.values()
    const work = async () => {
      for (const key of left) {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))
        const bytes = await Body.transformToByteArray()
        total += bytes.length
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, work))
    return total
  }
}

/** Both read all objects in turn, from one server: what the machine does besides is in both. */
async function measure(count) {
  if (!existsSync(driver)) throw new NotBuiltError('packages/storage-minio/dist')
  const { FunctionExecutor, objects } = await loadCore()
  const server = await startMinio()
  try {
    const fexec = new FunctionExecutor({
      backend: 'localhost',
      storage: driver,
      config: {
        minio: {
          endpoint: server.endpoint,
          access_key_id: server.accessKeyId,
          secret_access_key: server.secretAccessKey,
          storage_bucket: BUCKET,
        },
      },
      storages: ['minio'],
    })
    const storage = await fexec.storage()
    await storage.createBucket()
    const keys = Array.from({ length: count }, (_, i) => `objects/${String(i).padStart(6, '0')}`)
    const body = Buffer.alloc(OBJECT_BYTES, 'x')
    const left = keys.values()
    const put = async () => {
      for (const key of left) await storage.put(key, body)
    }
    await Promise.all(Array.from({ length: 16 }, put))
    const byHand = handWritten(server)
    const ours = async () => {
      const sizes = await fexec.getResult(
        fexec.map(async piece => (await piece.bytes()).length, objects(`${BUCKET}/objects/`)),
      )
      return sizes.reduce((a, b) => a + b, 0)
    }
    const timed = async work => {
      const start = performance.now()
      assertEqual(await work(), count * OBJECT_BYTES)
      return performance.now() - start
    }
    await timed(() => byHand(keys))
    await timed(ours)
    const rows = []
    for (let i = 0; i < TIMES; i++) {
      const before = await timed(() => byHand(keys))
      const wall = await timed(ours)
      const hand = (before + (await timed(() => byHand(keys)))) / 2
      rows.push({ times: wall / hand, wall, hand })
    }
    await fexec.close()
    return rows
  } finally {
    await server.close()
  }
}

export const benchCase = {
  title: '1,000 objects of 100 KB from MinIO on this machine',
  quickTitle: '200 objects of 100 KB from MinIO on this machine (quick mode)',
  rounds: { full: 3, quick: 1 },
  // The number of objects, not of repetitions.
  samples: { full: 1000, quick: 200 },
  metrics: [
    {
      name: 'times',
      label: `times a hand-written client with ${CONNECTIONS} connections`,
      unit: '×',
      better: 'lower',
      target: { max: 1.3 },
    },
    { name: 'wall', label: 'map to all values', unit: 'ms', better: 'lower' },
    { name: 'hand', label: 'the hand-written client', unit: 'ms', better: 'lower' },
  ],
  contenders: [{ name: 'ours', kind: 'ours', run: ({ samples }) => measure(samples) }],
}
